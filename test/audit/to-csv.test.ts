import { describe, expect, it } from '@jest/globals';
import { CSV_HEAD, toCsvLine } from '../../src/audit/to-csv';
import { aDomainRecord, aRecord } from './a-record';

describe('a record as CSV', () => {
  it('a record as CSV has as many cells as the head', () => {
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
    [' =1', ",' =1,"],
    ['\u00a0\u200b@SUM', ",'\u00a0\u200b@SUM,"],
    ['\u0000=1', ",'\u0000=1,"],
    ['＝1', ",'＝1,"],
    ['＋1', ",'＋1,"],
    ['－1', ",'－1,"],
    ['＠SUM', ",'＠SUM,"],
    [' plain', ', plain,'],
    ["'quoted", ",''quoted,"],
    ['a=b', ',a=b,'],
  ])('a record as CSV writes the reason %j so that it is one cell and no formula', (reason, written) => {
    expect(toCsvLine(aRecord({ kind: 'override', reason }))).toContain(written);
  });

  it('a record as CSV gives every record domain, subject and part, and only the gate’s a deployment and a stage', () => {
    const cellOf = (line: string, name: string) =>
      line.trimEnd().split(',')[CSV_HEAD.trimEnd().split(',').indexOf(name)];
    const names = ['deploymentID', 'stage', 'domain', 'subject', 'part'];
    const ofGate = toCsvLine(aRecord({ usedFacts: [], reasons: [] }));
    expect(names.map((name) => cellOf(ofGate, name))).toEqual([
      'firmware-1.4.0',
      'canary',
      'gate',
      'firmware-1.4.0',
      'canary',
    ]);
    const ofRules = toCsvLine(aDomainRecord({ usedFacts: [], reasons: [] }));
    expect(names.map((name) => cellOf(ofRules, name))).toEqual(['', '', 'rules', 'balance-shards', 'move']);
  });

  it('a record as CSV keeps the details of a record, and the fields of a later version in one cell', () => {
    const details = { count: 3 };
    const line = toCsvLine(aRecord({ kind: 'recheck', schemaVersion: 2, details, ...{ mood: ['a'] } }));
    expect(line.endsWith(',"{""count"":3}",,"{""mood"":[""a""]}"\r\n')).toBe(true);
  });

  it('a record as CSV writes a record of a later version that lacks a list', () => {
    const { reasons: _, usedFacts: __, errorDetails: ___, ...rest } = aRecord({ kind: 'pondered' as never });
    expect(toCsvLine(rest as never)).toContain(',pondered,');
  });

  it('a record as CSV writes several reasons into one cell, a line each', () => {
    expect(toCsvLine(aRecord({ reasons: ['a: 1', 'b: 2'] }))).toContain(',"a: 1\nb: 2",');
  });
});
