import { describe, expect, it } from '@jest/globals';
import { findNumberKeys } from '../../../src/rego/analysis/number-keys';

describe('numbers as keys into data', () => {
  it.each([['data[2]'], ['data.nested[2]'], ['data.a.b[ -1 ]'], ['data["a"].b[0]']])(
    '%s is found, with its line',
    (text) => {
      expect(findNumberKeys(`package p\nr := ${text}\n`)).toEqual([{ line: 2, text }]);
    },
  );

  it.each(['data.a["2"]', 'data.a[i]', 'list[2]', 'input.a[2]', 'metadata.a[2]', 'data.a.b'])('%s is not', (text) => {
    expect(findNumberKeys(`r := ${text}`)).toEqual([]);
  });
});
