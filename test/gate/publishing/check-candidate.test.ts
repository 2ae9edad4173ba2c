import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { checkCandidate, type CandidateOptions } from '../../../src/gate/publishing/check-candidate';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { openFacts } from '../../../src/gate/facts/service/open-facts';
import type { AllowedNames } from '../../../src/gate/facts/allowed-names';
import type { ReleaseRules } from '../../../src/gate/release-faults';
import { plainBundle } from '../../support/plain-bundle';
import { gate, schemaOf, withPolicy } from '../../rego/toolchain/policy-fixture';

const rules = (allow: AllowedNames | 'anything' = 'anything', folder = '/'): ReleaseRules => ({
  facts: openFacts({ env: {}, configFolder: () => folder, settingsFolder: folder, allow }),
});

it.each([
  ['fit', 'mask contains "/input/deployment/attributes/x"', undefined],
  ['that are no pointers', 'mask contains 1', 'data.system.log.mask to give pointers'],
])('a release with masks %s is published or refused as a worker would take it', async (_what, rule, words) => {
  const files = {
    'gate.rego': gate('input.deployment.stage == "never"'),
    'input.json': schemaOf({}),
    'mask.rego': `package system.log\n\n${rule}\n`,
  };
  const { bytes } = await withPolicy(files, (dir) => buildPolicy(dir));
  const manifest = { policy: 'policy.tar.gz', config: 'config.json', version: 'v1' } as Parameters<
    typeof checkCandidate
  >[0];
  const checked = checkCandidate(manifest, { policy: bytes, config: Buffer.from('{}') }, { rules: rules() });
  const message = await checked.then(
    () => undefined,
    (error: Error) => error.message,
  );
  expect(message).toEqual(words === undefined ? undefined : expect.stringContaining(words));
});

it('a release whose facts are written down is refused, unless that is allowed', async () => {
  const files = { 'gate.rego': gate('input.a > 1'), 'input.json': schemaOf({ a: { type: 'number' } }) };
  const { bytes } = await withPolicy(files, (dir) => buildPolicy(dir));
  const config = Buffer.from(JSON.stringify({ facts: { a: { type: 'static', value: 1 } } }));
  const manifest = { policy: 'p.tar.gz', config: 'c.json', version: 'v1', policySHA256: '', configSHA256: '' };
  const check = (allowStatic: boolean) =>
    checkCandidate(manifest, { policy: bytes, config }, { rules: rules(), allowStatic });
  await expect(check(false)).rejects.toThrow(/facts\.a: its value is written down/);
  await expect(check(true)).resolves.toBeUndefined();
});

describe('what workers would refuse is not published', () => {
  const NOTHING: AllowedNames = { modules: [], env: [], files: [] };
  const manifest = { policy: 'p.tar.gz', config: 'c.yaml', version: 'v1', policySHA256: '', configSHA256: '' };
  let bytes: Uint8Array;
  beforeAll(async () => {
    const files = { 'gate.rego': gate('input.rate > 1'), 'input.json': schemaOf({ rate: { type: 'number' } }) };
    ({ bytes } = await withPolicy(files, (dir) => buildPolicy(dir)));
  });
  const refusal = async (config: string, more: Partial<CandidateOptions> = {}): Promise<string> => {
    const options = { rules: rules(NOTHING, '/nowhere'), ...more };
    const checked = checkCandidate(manifest, { policy: bytes, config: Buffer.from(config) }, options);
    return checked.then(
      () => 'taken',
      (error: Error) => error.message,
    );
  };

  it.each<[string, string, string[]]>([
    [
      'a base without a scheme',
      'facts:\n  rate: { type: levelServer, base: "localhost:1" }\n',
      ['c.yaml:2:30: Expected facts.rate.base to be an http:// or https:// URL'],
    ],
    [
      'a JMESPath expression that does not parse',
      'facts:\n  rate:\n    type: http\n    url: http://localhost:8080\n    value: "a[["\n',
      ["c.yaml:5:5: Expected facts.rate.value to be a JSON Pointer or a JMESPath expression, got 'a[['"],
    ],
    [
      'a fact under another name, with the line that reads it and the name that is near',
      'facts:\n  rates: { type: levelServer, base: "http://localhost:8080" }\n',
      ['gate.rego:8:2: The policy reads rate, which no configured provider collects; did you mean rates?'],
    ],
    [
      'a module that the settings do not name, which is not run',
      'facts:\n  rate: { type: module, module: ./evil.mjs }\n',
      ['c.yaml:2:25: facts.rate.module names the module ./evil.mjs', 'release: { allow: { modules: ["./evil.mjs"] } }'],
    ],
    [
      'variables and files that the settings do not name',
      [
        'facts:',
        '  rate:',
        '    type: http',
        '    url: http://localhost:8080',
        '    value: /a',
        '    bearerToken: { env: TOKEN }',
        '    headers: { x-key: { file: key } }',
        '    tls: { keyFile: tls.key }',
      ].join('\n'),
      [
        'names the environment variable TOKEN',
        'names the file key,',
        'c.yaml:8:12: facts.rate.tls.keyFile names the file',
      ],
    ],
    [
      'faults of form, of meaning and of providers at once',
      'limits: { maxDelta: "5" }\nstages: { onDeny: maybe }\nsurprise: 1\nfacts:\n  rate: { type: levelServer, base: x }\n',
      ['unknown key surprise', 'onDeny', 'limits.maxDelta to be a number', 'c.yaml:5:30: Expected facts.rate.base'],
    ],
    [
      'several faults within one provider',
      [
        'facts:',
        '  rate:',
        '    type: http',
        '    url: localhost:1/{nothing}',
        '    value: "a[["',
        '    time: "b[["',
        '    bearerToken: { env: TOKEN }',
      ].join('\n'),
      [
        'c.yaml:4:5: Expected facts.rate.url',
        'c.yaml:4:5: Expected the parameters in facts.rate.url to be among',
        'c.yaml:5:5: Expected facts.rate.value to be a JSON Pointer or a JMESPath expression',
        'c.yaml:6:5: Expected facts.rate.time to be a JSON Pointer or a JMESPath expression',
        'c.yaml:7:5: facts.rate.bearerToken names the environment variable TOKEN',
      ],
    ],
  ])('checkCandidate refuses %s', async (_what, config, words) => {
    const message = await refusal(config);
    expect(words.filter((each) => !message.includes(each))).toEqual([]);
  });

  it.each([
    ['a fact', 'facts:\n  rate: { type: htp }\n', /^c\.yaml:2:11: expected facts\.rate\.type to be [^;]*$/],
    ['what is no object', '[]', /^c\.yaml:1:1: expected the document to be an object[^;]*$/],
  ])('checkCandidate does not call %s missing that is refused by itself', async (_what, config, said) => {
    expect(await refusal(config)).toMatch(said);
  });

  it('checkCandidate refuses relative paths that lead to no file where a worker looks', async () => {
    const config = 'facts:\n  rate: { type: levelServer, base: "http://a", bearerToken: { file: key } }\n';
    const folder = await mkdtemp(join(tmpdir(), 'gate-names-'));
    const more = (configFolder: string) => ({ rules: rules('anything', folder), configFolder });
    expect(await refusal(config, more('/nowhere'))).toContain('at /nowhere/key, found none');
    await writeFile(join(folder, 'key'), 'secret');
    await writeFile(join(folder, 'c.yaml'), config);
    expect(await refusal(config, more(folder))).toBe('taken');
    expect(await refusal(config, { ...more('/nowhere'), configFile: join(folder, 'c.yaml') })).toContain(
      `here it is ${join(folder, 'key')}`,
    );
    await rm(folder, { recursive: true });
  });
});

describe('a bundle made elsewhere, from whose Rego the compiler left the entrypoint out', () => {
  const manifest = { policy: 'p.tar.gz', config: 'c.yaml', version: 'v1', policySHA256: '', configSHA256: '' };
  const FLEET = { type: 'object', properties: { pending: { type: 'integer' } }, additionalProperties: false };
  const POLICY = `package gate

import data.lib

response := {"allow": count(deny_reasons) == 0, "deny_reasons": lib.sorted(deny_reasons)}

deny_reasons contains "too many" if {
	CONDITION
}
`;
  const refusal = async (condition: string): Promise<string> => {
    const policy = await plainBundle(POLICY.replace('CONDITION', condition), { fleet: FLEET }, LIB);
    const config = Buffer.from('facts: { fleet: { type: levelServer, base: "http://a" } }');
    const checked = checkCandidate(manifest, { policy, config }, { rules: rules(), isForeign: true });
    return checked.then(
      () => 'taken',
      (error: Error) => error.message,
    );
  };
  const LIB = 'package lib\n\nsorted(reasons) := sort([reason | some reason in reasons])\n';

  it('is taken where the rest is sound', async () => {
    expect(await refusal('input.fleet.pending > 1')).toBe('taken');
  });

  it.each([
    [
      'a field that input.json does not have',
      'input.fleet.pendng > 1',
      /gate\.rego:\d+:\d+: undefined ref: input\.fleet\.pendng/,
    ],
    ['a variable without use', 'x := 1; input.fleet.pending > 1', /gate\.rego:\d+:\d+: assigned var x unused/],
    [
      'data that it does not hold',
      'input.fleet.pending > data.tabel.min',
      /gate\.rego:\d+:\d+: data\.tabel: expected a rule or a value/,
    ],
  ])('is refused for %s', async (_what, condition, said) => {
    expect(await refusal(condition)).toMatch(said);
  });
});
