import { describe, expect, it } from '@jest/globals';
import { findUnsafeNumber, isSafeNumber } from '../../src/kernel/numbers';

describe('a number that means the same everywhere', () => {
  it.each([0, -0, 0.1, -1.5, 2 ** 53 - 1, -(2 ** 53 - 1), 1e-300])('%d is safe', (value) => {
    expect(isSafeNumber(value)).toBe(true);
  });

  // Of 2^53 and 2^53 + 1 one double is left: a limit of either would be compared as the other.
  it.each([2 ** 53, -(2 ** 53), 2 ** 53 + 2, 1e300, NaN, Infinity, -Infinity])('%d is not safe', (value) => {
    expect(isSafeNumber(value)).toBe(false);
  });

  it.each([
    [{ a: [1, { b: 2 }] }, undefined],
    [2 ** 53, ''],
    [{ 'a/b': [1, { '~': 2 ** 53 }] }, '/a~1b/1/~0'],
    ['9007199254740992', undefined],
  ])('the first unsafe number of %j is found at %j', (value, pointer) => {
    expect(findUnsafeNumber(value)).toBe(pointer);
  });
});
