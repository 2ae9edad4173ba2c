import { describe, expect, it } from '@jest/globals';
import { CSV_HEAD, toCsvLine } from '../../src/audit/to-csv';
import { aRecord } from './a-record';

describe('a record as CSV', () => {
  it('has as many cells as the head', () => {
    const plain = toCsvLine(aRecord({ usedFacts: [], reasons: [] }));
    expect(plain.split(',')).toHaveLength(CSV_HEAD.split(',').length);
    expect(plain.endsWith('\r\n')).toBe(true);
  });

  it.each([
    ['plain', ',plain,'],
    ['a,b', ',"a,b",'],
    ['say "no"', ',"say ""no""",'],
    ['two\nlines', ',"two\nlines",'],
    ['=HYPERLINK("x")', `,"'=HYPERLINK(""x"")",`],
    ['+1', ",'+1,"],
    ['-1', ",'-1,"],
    ['@SUM', ",'@SUM,"],
    ['\tx', ",'\tx,"],
    ["'quoted", ",''quoted,"],
    ['a=b', ',a=b,'],
  ])('writes the reason %j so that it is one cell and no formula', (reason, written) => {
    expect(toCsvLine(aRecord({ kind: 'override', reason }))).toContain(written);
  });

  it('writes several reasons into one cell, a line each', () => {
    expect(toCsvLine(aRecord({ reasons: ['a: 1', 'b: 2'] }))).toContain(',"a: 1\nb: 2",');
  });
});
