import { describe, expect, it } from '@jest/globals';
import { writeArchive } from '../../../src/rego/bundle/archive/write-archive';
import { readArchive } from '../../../src/rego/bundle/archive/read-archive';
import { readBundle } from '../../../src/rego/bundle/bundle';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { checkPolicy } from '../../../src/releases/authoring/check-policy';
import { gate, schemaOf, withPolicy } from './policy-fixture';

const facts = schemaOf({ count: { type: 'integer' } });
const policy = (mask?: string, more: Record<string, string> = {}): Record<string, string> => ({
  'gate.rego': gate('input.count > 1'),
  'input.json': facts,
  ...(mask === undefined ? {} : { 'mask.rego': mask }),
  ...more,
});
const build = (files: Record<string, string>) => withPolicy(files, (dir) => buildPolicy(dir));
const MASK = 'package system.log\n\nmask contains "/input/count" if input.input.count > 5\n';

describe('masks of a policy', () => {
  it('masks of a policy become an entrypoint, and read the event of the decision, which input.json does not describe', async () => {
    const { bundle } = await build(policy(MASK));
    expect(bundle.maskEntrypoint).toBe('system/log/mask');
    expect(bundle.reads.facts).toEqual(['count']);
    expect((await build(policy())).bundle.maskEntrypoint).toBeUndefined();
  });

  it('masks of a policy are no reason for the check of the policy to complain', async () => {
    const config = { facts: { count: { type: 'levelServer', base: 'http://x' } }, limits: {}, parameters: {} };
    const { errors } = await withPolicy(policy(MASK), (dir) =>
      checkPolicy(dir, config as unknown as Parameters<typeof checkPolicy>[1]),
    );
    expect(errors.filter(({ where }) => where?.includes('mask'))).toEqual([]);
  });

  it.each([
    ['that name the decision’s id', 'package system.log\n\nmask contains "/input/deployment/id"\n', 'cannot be masked'],
    ['that name its time', 'package system.log\n\nmask contains `/input/decision_time`\n', 'cannot be masked'],
    [
      'of a fact that input.json does not describe',
      'package system.log\n\nmask contains "/input/cuont"\n',
      'no fact cuont (there are count)',
    ],
    ['below a fact that has nothing below', 'package system.log\n\nmask contains "/input/count/x"\n', 'count has no x'],
    ['of another name', 'package system.log\n\nmasks contains "/input/count"\n', 'system/log/mask'],
    ['in a package below', 'package system.log.mask\n\nserial contains "/input/count"\n', 'rule mask of'],
    ['of the package above', 'package system\n\nlog.mask contains "/input/count"\n', 'would not be applied'],
  ])('%s are refused', async (_what, mask, words) => {
    await expect(build(policy(mask))).rejects.toMatchObject({
      type: 'PolicyInvalid',
      message: expect.stringContaining(words),
    });
  });

  it('masks of a policy that are data or that were not compiled are refused with the bundle', async () => {
    const files = await readArchive((await build(policy(MASK))).bytes);
    const manifest = JSON.parse(Buffer.from(files.get('.manifest') ?? []).toString()) as { wasm: unknown[] };
    const without = new Map(files).set(
      '.manifest',
      Buffer.from(JSON.stringify({ ...manifest, wasm: [{ entrypoint: 'gate/response', module: '/policy.wasm' }] })),
    );
    await expect(readBundle(await writeArchive(without))).rejects.toThrow('would not be applied');
    const asData = new Map(files).set('data.json', Buffer.from('{"system": {"log": {"mask": ["/input/count"]}}}'));
    await expect(readBundle(await writeArchive(asData))).rejects.toThrow('holds system.log');
  });
});
