import { describe, expect, it } from '@jest/globals';
import { formatDuration, parseDuration } from '../../src/kernel/duration';

describe('parseDuration', () => {
  it.each([
    ['0s', 0],
    ['500ms', 500],
    ['45s', 45_000],
    ['1.5s', 1500],
    ['30m', 1_800_000],
    ['6h', 21_600_000],
    ['30d', 2_592_000_000],
    ['0.4ms', 0],
    ['0.29s', 290],
  ])('parseDuration takes %s as %s ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each([
    '',
    's',
    '-1s',
    ' 1s',
    '1 fortnight',
    '1s2m',
    'Infinity',
    '99999999999999d',
    '.5s',
    '5',
    '5 s',
    '2 hours',
    '45S',
    '1y',
    '1w',
    '5s\n',
  ])('parseDuration refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(RangeError);
  });
});

describe('formatDuration', () => {
  it.each([
    [-5, '0ms'],
    [0, '0ms'],
    [999, '999ms'],
    [1000, '1s'],
    [59_400, '59s'],
    [60_000, '1m'],
    [3_900_000, '1h 5m'],
    [3_905_000, '1h 5m'],
    [3_605_000, '1h'],
    [86_400_000, '1d'],
    [90_000_000, '1d 1h'],
  ])('formatDuration writes %s ms as %s', (milliseconds, expected) => {
    expect(formatDuration(milliseconds)).toBe(expected);
  });
});
