import { describe, expect, it } from '@jest/globals';
import { validate } from '../../src/config/validate';
import { ReleaseConfig } from '../../src/config/release-config';
it('x', () => {
  console.log(JSON.stringify(validate(ReleaseConfig, {facts: {a: {type: 'levelServer', base: 'x'}}}, {file: 'a.json'}), null, 1));
  try { validate(ReleaseConfig, {Limits: 3, limits: 4, facts: {a: {type: 'levelServer', bearerToken: 's', maxage: '4s', headers: {x: 4}}, b: {type: 'lvlserver'}, c: {}, d: 5, e: {type: 'prometheus', base: '', query: 'x', aggregation: 'foo', ttl: 'soon'}}, evaluation: {memoryMiB: 1}}, {file: 'a.json'}) } catch (e: any) { console.log(e.faults) }
});
