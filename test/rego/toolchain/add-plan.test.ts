import { beforeAll, describe, expect, it } from '@jest/globals';
import { readArchive } from '../../../src/rego/bundle/archive/read-archive';
import { readBundle } from '../../../src/rego/bundle/bundle';
import { addPlan } from '../../../src/rego/toolchain/add-plan';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { LIMIT_POLICY, plainBundle, withoutPlan } from '../../support/plain-bundle';
import { gate, schemaOf, withPolicy } from './policy-fixture';

describe('a plan for a bundle that has none', () => {
  let built: Uint8Array;
  beforeAll(async () => {
    const files = { 'gate.rego': gate('input.count > 1'), 'input.json': schemaOf({ count: { type: 'integer' } }) };
    built = (await withPolicy(files, (dir) => buildPolicy(dir))).bytes;
  });

  it('a plan for a bundle that has none is built from the Rego in it, and the module stays as it is', async () => {
    const bundle = await readBundle(await addPlan(await withoutPlan(built)));
    const whole = await readBundle(built);
    expect(bundle.plan).toContain('"gate/response"');
    expect(Buffer.from(bundle.wasm).equals(Buffer.from(whole.wasm))).toBe(true);
  });

  it('a plan for a bundle that has none is not built where there is one', async () => {
    expect(await addPlan(built)).toBe(built);
  });

  it('a plan for a bundle that has none cannot be built where opa left the entrypoint out of the Rego: the message says to build it from its sources', async () => {
    const bytes = await withoutPlan(await plainBundle(LIMIT_POLICY));
    expect([...(await readArchive(bytes)).keys()].some((name) => name.endsWith('.rego'))).toBe(true);
    await expect(addPlan(bytes)).rejects.toMatchObject({
      type: 'PolicyInvalid',
      message: expect.stringContaining('build it from its sources'),
    });
  });
});
