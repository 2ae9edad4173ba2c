import { describe, expect, it } from '@jest/globals';
import { reasonCode } from '../../src/kernel/reason-code';

describe('reasonCode', () => {
  it.each([
    ['max_pending limit exceeded: current 3100 > configured 2000', 'max_pending_limit_exceeded'],
    ['region_not_healthy: eu', 'region_not_healthy'],
    ['a: b: c', 'a'],
    ['maxDelta exceeded: 1', 'max_delta_exceeded'],
    ['  Too  many -- devices! : 9', 'too_many_devices'],
    ['no colon at all', 'other'],
    ['', 'other'],
    [': nothing before it', 'other'],
    ['?!: no word before it', 'other'],
  ])('%j counts as %s', (reason, code) => {
    expect(reasonCode(reason)).toBe(code);
  });
});
