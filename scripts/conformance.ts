import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Table from 'cli-table3';
import type { JsonObject } from '../src/kernel/json';
import { createCapabilities } from '../src/rego/capabilities';
import { findTool } from '../src/platform/tools/find-tool';
import { readCases, type ConformanceCase } from './conformance/cases';
import { runCase, type CaseResult } from './conformance/run-case';

/** Fewer cases answered as wanted fail the run. */
const LEAST_PASSED = 1_500;
/** `opa build` is a process of one core and a half; more of them at a time do not go faster on a small machine */
const CONCURRENCY = 2;

const run = promisify(execFile);

/** Runs OPA's own cases through the engine; the JSON of the summary goes to stdout, table and progress to stderr. */
async function main(only?: string): Promise<number> {
  const opa = await findTool('opa');
  const cases = (await readCases(await findCases(opa.version))).filter(({ note }) => note.includes(only ?? ''));
  const folder = await mkdtemp(join(tmpdir(), 'planning-engine-conformance-'));
  try {
    const capabilities = join(folder, 'capabilities.json');
    const { stdout } = await run(opa.path, ['capabilities', '--current'], { maxBuffer: 64 * 1024 * 1024 });
    await writeFile(capabilities, JSON.stringify(createCapabilities(JSON.parse(stdout) as JsonObject)));
    const results = await runAll(cases, { opa: opa.path, capabilities, folder });
    return report(results, only === undefined ? LEAST_PASSED : 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** OPA's Go module, with the cases in it: from a folder that is named, from the module cache, or fetched into it. */
async function findCases(version: string): Promise<string> {
  const named = process.env.PLANNING_ENGINE_OPA_CASES;
  if (named !== undefined) return named;
  const module = `github.com/open-policy-agent/opa@v${version}`;
  const { stdout } = await run('go', ['env', 'GOMODCACHE']);
  const folder = join(stdout.trim(), module, 'v1/test/cases/testdata/v1');
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  );
  if (!isThere) await run('go', ['mod', 'download', module], { cwd: tmpdir() });
  return folder;
}

async function runAll(cases: ConformanceCase[], builder: Parameters<typeof runCase>[2]): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const queue = cases.entries();
  const work = async () => {
    for (const [index, one] of queue) {
      results.push(await runCase(one, index, builder));
      if (results.length % 200 === 0) console.error(`${results.length} of ${cases.length}`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return results.sort((a, b) => a.note.localeCompare(b.note));
}

function report(results: CaseResult[], leastPassed: number): number {
  const of = (outcome: CaseResult['outcome']) => results.filter((result) => result.outcome === outcome);
  const [passed, refused, wrong, failed] = [of('passed'), of('refused'), of('wrong'), of('failed')];
  const table = new Table({ head: ['outcome', 'cases'], style: { head: [], border: [] } });
  table.push(['passed', passed.length], ['refused at build', refused.length]);
  table.push(['wrong', wrong.length], ['failed', failed.length], ['all', results.length]);
  console.error(table.toString());
  const refusedBy: Record<string, number> = {};
  for (const { detail = '' } of refused) refusedBy[detail] = (refusedBy[detail] ?? 0) + 1;
  const counts = {
    all: results.length,
    passed: passed.length,
    refused: refused.length,
    wrong: wrong.length,
    failed: failed.length,
  };
  console.log(JSON.stringify({ ...counts, refusedBy, notAsWanted: [...wrong, ...failed] }, null, 2));
  return passed.length >= leastPassed && wrong.length === 0 && failed.length === 0 ? 0 : 1;
}

main(process.argv[2]).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  },
);
