import { expect, it } from '@jest/globals';
import { checkCandidate } from '../../../src/gate/publishing/check-candidate';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { gate, schemaOf, withPolicy } from '../../rego/toolchain/policy-fixture';

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
  const checked = checkCandidate(manifest, { policy: bytes, config: Buffer.from('{}') });
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
  const check = (allowStatic: boolean) => checkCandidate(manifest, { policy: bytes, config }, { allowStatic });
  await expect(check(false)).rejects.toThrow(/facts\.a: its value is written down/);
  await expect(check(true)).resolves.toBeUndefined();
});
