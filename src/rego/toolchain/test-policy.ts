import { isJsonObject, type JsonObject } from '../../kernel/json';
import { opaFaults, runOpa } from './opa';
import { policyFiles } from './policy-folder';
import { faultsToError } from '../../kernel/failures';

export interface PolicyTest {
  /** `data.gate_test.test_x` */
  name: string;
  where: string;
  outcome: 'pass' | 'fail' | 'skip';
}
export interface PolicyTestResult {
  tests: PolicyTest[];
  /** per cent of the lines of the policy, its tests not counted; 0 to 100. Absent when no test ran or one failed */
  coverage?: number;
  /** `gate.rego:12-14` */
  notCovered: string[];
  /** at least one test, none failed, and the coverage is at least the threshold */
  ok: boolean;
}

/**
 * Runs the Rego tests in `dir`.
 *
 * @param options.threshold lowest coverage in per cent, 0 to 100 @default 0
 * @throws GateError PolicyInvalid when there is no such folder or no Rego in it, and when the files do not compile
 */
export async function testPolicy(dir: string, options: { threshold?: number } = {}): Promise<PolicyTestResult> {
  await policyFiles(dir);
  const run = await runOpa(dir, ['test', '--format', 'json', '-b', '.']);
  const results = parseList(run.stdout);
  // Without any test `opa test` prints nothing and ends with 0; with a broken file it prints no list.
  if (results === undefined && run.code !== 0) throw faultsToError(opaFaults(run));
  const tests = (results ?? []).map(toTest);
  const failed = tests.some((test) => test.outcome === 'fail');
  // `opa test --coverage` prints no coverage when a test failed.
  if (failed || tests.length === 0) return { tests, notCovered: [], ok: false };
  const { coverage, notCovered } = toCoverage(await coverageOf(dir));
  return { tests, coverage, notCovered, ok: coverage >= (options.threshold ?? 0) };
}

async function coverageOf(dir: string): Promise<JsonObject> {
  const { stdout } = await runOpa(dir, ['test', '--coverage', '--format', 'json', '-b', '.']);
  return JSON.parse(stdout) as JsonObject;
}

function toTest(result: JsonObject): PolicyTest {
  const location = isJsonObject(result.location) ? result.location : {};
  return {
    name: `${String(result.package)}.${String(result.name)}`,
    where: `${String(location.file)}:${String(location.row)}`,
    outcome: result.skip === true ? 'skip' : result.fail === true || result.error !== undefined ? 'fail' : 'pass',
  };
}

/** Counted again over the policy's own files: `opa` counts the lines of the tests too, which cover themselves. */
function toCoverage(report: JsonObject): { coverage: number; notCovered: string[] } {
  const files = isJsonObject(report.files) ? Object.entries(report.files) : [];
  let covered = 0;
  let missed = 0;
  const notCovered: string[] = [];
  for (const [file, lines] of files) {
    if (file.endsWith('_test.rego') || !isJsonObject(lines)) continue;
    covered += ranges(lines.covered).reduce((sum, [start, end]) => sum + end - start + 1, 0);
    for (const [start, end] of ranges(lines.not_covered)) {
      missed += end - start + 1;
      notCovered.push(start === end ? `${file}:${start}` : `${file}:${start}-${end}`);
    }
  }
  return { coverage: covered + missed === 0 ? 0 : (100 * covered) / (covered + missed), notCovered };
}

function ranges(value: unknown): [number, number][] {
  const row = (at: unknown): number => (isJsonObject(at) ? Number(at.row) : 0);
  return Array.isArray(value) ? value.filter(isJsonObject).map((range) => [row(range.start), row(range.end)]) : [];
}

function parseList(text: string): JsonObject[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isJsonObject) : undefined;
  } catch {
    return undefined;
  }
}
