import type { PolicyTestResult } from './test-policy';

/** What is said where there is nothing to run. */
export const NO_TESTS = 'no tests: expected rules named test_… in files named …_test.rego';

/** What a run of a policy's tests came to in a line, and the tests that failed or the lines that none covers. */
export function testSummary(
  { tests, coverage, notCovered }: PolicyTestResult,
  threshold: number,
): { summary: string; details: string[] } {
  const failed = tests.filter(({ outcome }) => outcome === 'fail');
  const measured =
    coverage === undefined ? 'coverage not measured' : `coverage ${coverage.toFixed(1)} % (at least ${threshold} %)`;
  return {
    summary: `${tests.length - failed.length} passed, ${failed.length} failed, ${measured}`,
    details: [
      ...(tests.length === 0 ? [NO_TESTS] : []),
      ...failed.map(({ name, where }) => `FAIL ${name} (${where})`),
      ...notCovered.map((place) => `not covered: ${place}`),
    ],
  };
}
