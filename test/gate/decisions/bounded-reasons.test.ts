import { describe, expect, it } from '@jest/globals';
import { boundedReasons } from '../../../src/gate/decisions/bounded-reasons';
import { jsonBytes, LIMITS } from '../../../src/kernel/limits';

const regions = (count: number, length = 2): string[] =>
  Array.from({ length: count }, (_item, at) => `region_not_healthy: ${String(at).padStart(length, '0')}`);

describe('the reasons that a decision keeps', () => {
  it('reasons within the limits are kept, in order and each once', () => {
    expect(boundedReasons(['b: 1', 'a: 1', 'b: 1'])).toEqual(['a: 1', 'b: 1']);
  });

  it.each([LIMITS.reasons.count - 1, LIMITS.reasons.count])('%d short reasons are all kept', (count) => {
    expect(boundedReasons(regions(count))).toHaveLength(count);
  });

  it.each([LIMITS.reasons.count + 1, 8_500])('of %d reasons one says how many are left out', (count) => {
    const kept = boundedReasons([...regions(count), 'zone_not_ready: z1']);
    const note = kept.find((reason) => reason.startsWith('reasons_left_out: '));
    expect(note).toMatch(new RegExp(`the policy gave ${count + 1} reasons of \\d+ bytes`));
    expect(kept).toContain('zone_not_ready: z1');
    expect(kept).toEqual([...kept].sort());
    expect(kept.length).toBeLessThanOrEqual(LIMITS.reasons.count + 1);
  });

  it('long reasons are cut, and stay below their bytes together', () => {
    const kept = boundedReasons(regions(500, 10_000));
    expect(Math.max(...kept.map(({ length }) => length))).toBeLessThanOrEqual(LIMITS.reasons.chars);
    expect(jsonBytes(kept)).toBeLessThan(LIMITS.reasons.bytes + 2_000);
  });
});
