import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { readBundle } from '../../../src/policy/bundle';
import { buildPolicy } from '../../../src/policy/toolchain/build-policy';

const shipped = join(__dirname, '../../../policy');

describe('buildPolicy', () => {
  it('keeps what the shipped policy reads with the bundle', async () => {
    const { bundle } = await buildPolicy(shipped);
    expect(bundle.reads).toEqual({
      facts: ['max_pending', 'pending_delta', 'region_health'],
      inputPaths: [['max_pending'], ['pending_delta'], ['region_health']],
      configPaths: [
        ['limits', 'maxDelta'],
        ['limits', 'maxPending'],
      ],
      collections: [['region_health']],
      wholeInput: false,
    });
    expect(bundle.entrypoint).toBe('gate/response');
    expect(Object.keys(bundle.sources)).toEqual(['gate.rego']);
  });

  it('gives the same bytes each time, which read back as the same bundle', async () => {
    const [first, second] = [await buildPolicy(shipped), await buildPolicy(shipped)];
    expect(second.bytes).toEqual(first.bytes);
    expect(await readBundle(first.bytes)).toEqual(second.bundle);
  });
});
