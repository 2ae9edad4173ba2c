import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { JsonObject } from '../src/kernel/json';
import { createCapabilities, type CapabilitiesTarget } from '../src/rego/capabilities';
import { findTool } from '../src/platform/tools/find-tool';
import type { Builder } from './conformance/build-case';
import { readCases, type ConformanceCase } from './conformance/cases';
import { reportOf, reportTable, type EvaluatorReport } from './conformance/report';
import { runCase, type CaseResult } from './conformance/run-case';

/** Fewer cases of plain form answered as wanted fail the run. */
const LEAST_PASSED = { plan: 1_730, wasm: 1_680 } as const;
/** `opa build` is a process of one core and a half; more of them at a time do not go faster on a small machine */
const CONCURRENCY = 2;

const run = promisify(execFile);

/**
 * Runs OPA's own cases through both evaluators; the report goes to stdout as JSON, table and progress to stderr.
 *
 * @param only a part of the names of the cases to run
 */
async function main(only?: string): Promise<number> {
  const opa = await findTool('opa');
  const cases = (await readCases(await findCases(opa.version))).filter(({ note }) => note.includes(only ?? ''));
  const folder = await mkdtemp(join(tmpdir(), 'planning-engine-conformance-'));
  try {
    const { stdout } = await run(opa.path, ['capabilities', '--current'], { maxBuffer: 64 * 1024 * 1024 });
    const current = JSON.parse(stdout) as JsonObject;
    const capabilities = { plan: join(folder, 'plan.json'), wasm: join(folder, 'wasm.json') };
    const reports: Partial<Record<CapabilitiesTarget, EvaluatorReport>> = {};
    for (const target of targets()) {
      await writeFile(capabilities[target], JSON.stringify(createCapabilities(current, target)));
      reports[target] = reportOf(await runAll(cases, target, { opa: opa.path, capabilities, folder }));
    }
    console.error(reportTable(reports));
    console.log(JSON.stringify({ opa: opa.version, ...reports }, null, 2));
    const isGood = targets().every((target) => isAsExpected(reports[target]!, target, only === undefined));
    return isGood ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Both, or the one that CONFORMANCE_EVALUATOR names. */
function targets(): CapabilitiesTarget[] {
  const named = process.env.CONFORMANCE_EVALUATOR;
  return named === 'plan' || named === 'wasm' ? [named] : ['plan', 'wasm'];
}

function isAsExpected({ byForm, counts }: EvaluatorReport, target: CapabilitiesTarget, isWhole: boolean): boolean {
  const { plain } = byForm;
  const enough = !isWhole || (plain?.passed ?? 0) >= LEAST_PASSED[target];
  const strayed = target === 'plan' ? counts : plain;
  return enough && (strayed?.wrong ?? 0) === 0 && (strayed?.failed ?? 0) === 0;
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

async function runAll(cases: ConformanceCase[], target: CapabilitiesTarget, builder: Builder): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const queue = cases.entries();
  const work = async () => {
    for (const [index, one] of queue) {
      results.push(await runCase(one, index, target, builder));
      if (results.length % 200 === 0) console.error(`${target}: ${results.length} of ${cases.length}`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return results.sort((a, b) => (a.note < b.note ? -1 : 1));
}

main(process.argv[2]).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  },
);
