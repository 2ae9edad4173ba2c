import { describe, expect, test } from '@jest/globals';
import { RE2JS } from 're2js';
import { patternFault } from '../../src/kernel/pattern-fault';

describe('a text that is no regular expression', () => {
  test.each([
    ['(', 'missing closing ), at ('],
    ['[z-a]', 'invalid character class range, at z-a'],
    ['*', 'missing argument to repetition operator, at *'],
    ['a{1001}', 'invalid repeat count, at {1001}'],
    ['a\\', 'trailing backslash at end of expression'],
    ['(?=a)', 'RE2 has no look-around and no back-references, so no (?='],
    ['(?<!a)b', 'RE2 has no look-around and no back-references, so no (?<!'],
    ['(a)\\1', 'RE2 has no look-around and no back-references, so no \\1'],
  ])('%s is told with what is wrong', (text, why) => {
    let fault: string | undefined;
    try {
      RE2JS.compile(text);
    } catch (error) {
      fault = patternFault(text, error);
    }
    expect(fault).toBe(`expected a regular expression of RE2, got ${JSON.stringify(text)}: ${why}`);
  });
});
