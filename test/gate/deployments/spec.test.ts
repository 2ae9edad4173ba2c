import { describe, expect, it } from '@jest/globals';
import type { StageBehaviour } from '../../../src/releases/config/release-config';
import { canonicalJson, differences } from '../../../src/gate/deployments/spec-differences';
import { compileBehaviour } from '../../../src/gate/deployments/stage-behaviour';

const defaults: StageBehaviour = {
  onDeny: 'fail',
  recheckEvery: '30s',
  autoResume: false,
  mode: 'enforce',
  overrideValidFor: '15m',
  remindAfter: '15m',
  remindAtMost: '24h',
};

describe('compileBehaviour', () => {
  const compiled = {
    onDeny: 'fail',
    mode: 'enforce',
    autoResume: false,
    recheckEveryMs: 30_000,
    overrideValidForMs: 900_000,
    remindAfterMs: 900_000,
    remindAtMostMs: 86_400_000,
  };
  it('takes the release’s defaults, without an end to waiting', () => {
    expect(compileBehaviour(defaults, {})).toEqual(compiled);
    expect(compileBehaviour({ ...defaults, giveUpAfter: '6h' }, {}).giveUpAfterMs).toBe(21_600_000);
  });

  it('lets the deployment’s file override them, with false and zero too', () => {
    const stage = {
      onDeny: 'wait',
      mode: 'observe',
      autoResume: false,
      recheckEvery: '0s',
      giveUpAfter: '0s',
      overrideValidFor: '1m',
    } as const;
    expect(compileBehaviour({ ...defaults, autoResume: true, giveUpAfter: '6h' }, stage)).toEqual({
      ...compiled,
      onDeny: 'wait',
      mode: 'observe',
      recheckEveryMs: 0,
      giveUpAfterMs: 0,
      overrideValidForMs: 60_000,
    });
  });
});

describe('differences', () => {
  it('are none between equal values, whatever the order of their keys', () => {
    expect(differences({ a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 })).toEqual([]);
    expect(canonicalJson({ b: 1, a: { d: 1, c: 2 } })).toBe('{"a":{"c":2,"d":1},"b":1}');
  });

  it.each([
    [{ a: 1 }, { a: 2 }, { path: 'a', before: '1', after: '2' }],
    [{ a: 1 }, {}, { path: 'a', before: '1', after: 'absent' }],
    [{}, { a: null }, { path: 'a', before: 'absent', after: 'null' }],
    [{ s: [{ u: 'x' }] }, { s: [{ u: 'y' }] }, { path: 's[0].u', before: '"x"', after: '"y"' }],
    [{ s: [1] }, { s: [1, 2] }, { path: 's[1]', before: 'absent', after: '2' }],
    [{ s: [1] }, { s: { 0: 1 } }, { path: 's', before: '[1]', after: '{"0":1}' }],
    [1, 2, { path: '(all)', before: '1', after: '2' }],
  ])('of %j and %j', (before, after, expected) => {
    expect(differences(before, after)).toEqual([expected]);
  });
});
