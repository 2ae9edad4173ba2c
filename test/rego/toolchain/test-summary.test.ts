import { describe, expect, it } from '@jest/globals';
import { testSummary } from '../../../src/rego/toolchain/test-summary';

describe("the summary of a policy's tests", () => {
  const test = (name: string, outcome: 'pass' | 'fail' | 'skip') => ({ name, where: 'gate_test.rego:5', outcome });

  it("the summary of a policy's tests says how much is covered, and which lines are not", () => {
    const result = { tests: [test('a', 'pass')], coverage: 66.666, notCovered: ['gate.rego:10'], ok: false };
    expect(testSummary(result, 80)).toEqual({
      summary: '1 passed, 0 failed, coverage 66.7 % (at least 80 %)',
      details: ['not covered: gate.rego:10'],
    });
  });

  it("the summary of a policy's tests names each test that failed, where nothing was measured", () => {
    const result = { tests: [test('a', 'pass'), test('b', 'fail')], notCovered: [], ok: false };
    expect(testSummary(result, 80)).toEqual({
      summary: '1 passed, 1 failed, coverage not measured',
      details: ['FAIL b (gate_test.rego:5)'],
    });
  });

  it("the summary of a policy's tests says what is looked for, where there are none", () => {
    expect(testSummary({ tests: [], notCovered: [], ok: false }, 80)).toEqual({
      summary: '0 passed, 0 failed, coverage not measured',
      details: ['no tests: expected rules named test_… in files named …_test.rego'],
    });
  });
});
