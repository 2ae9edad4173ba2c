import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../src/kernel/json';
import { EvaluationConflictError } from '../../src/rego/builtins/plan-builtin';
import { readArchive } from '../../src/rego/bundle/archive/read-archive';
import { compileOnce } from '../../src/rego/compile-once';
import { loadPolicy, type PlanEvaluation } from '../../src/rego/plan/load-policy';
import { opaFaults, runOpa, WITHOUT_TESTS, type CapabilitiesFile } from '../../src/rego/toolchain/opa';
import { testAgainstOpa, type TestDifference } from '../../src/rego/toolchain/test-against-opa';
import { writeJson } from '../../src/rego/values/json';
import { parseJson } from '../../src/rego/values/parse-json';
import type { RegoValue } from '../../src/rego/values/value';
import { instantiatePolicy } from '../../src/rego/wasm-policy';
import { askOpa, UNDEFINED, type Answer } from './ask-opa';
import { putAt, samplesOf, type Sample } from './samples';
import { refOf, ruleNames, type RuleName } from './tree';
import type { Unit } from './units';
import { varied } from './vary';

/** A rule and a sample for which an evaluator answers something else than OPA. */
export interface Difference {
  evaluator: 'plan' | 'wasm';
  rule: string;
  sample: string;
  opa: string;
  here: string;
}

export interface UnitResult {
  unit: string;
  /** Rego packages: a policy each */
  policies: number;
  converted: number;
  rules: number;
  samples: number;
  /** samples of which one value was changed */
  varied: number;
  /** rules times samples, varied ones among them */
  compared: number;
  /** of these, the ones that have a value in OPA */
  defined: number;
  /** answers of the module; it is asked where it has a vote */
  comparedWasm: number;
  /** tests that were run in the plan's evaluator too */
  comparedTests: number;
  differences: Difference[];
  testDifferences: TestDifference[];
  /** why the unit was not evaluated */
  refused?: string;
  /** why its tests were not */
  testsRefused?: string;
  /** why there is no module */
  noModule?: string;
}

/** How often each sample is varied, and the seed of what is changed. */
export interface Variations {
  count: number;
  seed: number;
}

const DECISION_TIME_NS = BigInt(Date.UTC(2026, 0, 2)) * 1_000_000n;

/** Builds a unit as a policy is built for production, and puts each of its samples to OPA and to both evaluators. */
export async function runUnit(
  root: string,
  unit: Unit,
  capabilities: CapabilitiesFile,
  variations: Variations,
): Promise<UnitResult> {
  const rules = [...unit.policies.values()].flatMap(ruleNames);
  const packages = new Set([...unit.policies.values()].map(({ packagePath }) => packagePath.join('/')));
  const result: UnitResult = {
    ...{
      unit: unit.name,
      policies: packages.size,
      converted: unit.converted,
      rules: rules.length,
      samples: 0,
      varied: 0,
    },
    ...{ compared: 0, defined: 0, comparedWasm: 0, comparedTests: 0, differences: [], testDifferences: [] },
  };
  if (unit.refused !== undefined) return { ...result, refused: unit.refused };
  if (rules.length === 0) return result;
  await writeFile(join(unit.dir, `${ENTRIES}.rego`), entryModule(rules));
  const plan = await build(unit.dir, 'plan', rules, capabilities);
  if ('refused' in plan) return { ...result, ...plan };
  const own = await samplesOf(root, unit);
  const samples = [...own, ...varied(own, variations.count, variations.seed)];
  result.samples = own.length;
  result.varied = samples.length - own.length;
  const wasm = await build(unit.dir, 'wasm', rules, capabilities);
  const module = 'refused' in wasm ? wasm.refused : await compileOnce(wasm.files.get('policy.wasm')!).catch(String);
  if (typeof module === 'string') result.noModule = module;
  if (samples.length > 0) await compare(unit, rules, samples, plan.files, module, result);
  if (unit.tests.size > 0) await compareTests(unit, result);
  return result;
}

/**
 * A rule of ours for each that is asked for: `opa build` takes a function that depends on an entrypoint for a value (seen with
 * 1.22.2: "function used as reference, not called").
 */
function entryModule(rules: readonly RuleName[]): string {
  return [`package ${ENTRIES}`, ...rules.map(({ path }, at) => `r${at} := ${refOf(['data', ...path])}`)].join('\n\n');
}

const ENTRIES = 'planning_engine_entries';
const entrypointOf = (at: number): string => `${ENTRIES}/r${at}`;

type Built = { files: Map<string, Uint8Array> } | { refused: string };

async function build(
  dir: string,
  target: 'plan' | 'wasm',
  rules: readonly RuleName[],
  capabilities: CapabilitiesFile,
): Promise<Built> {
  const output = join(dir, `planning_engine_${target}.tar.gz`);
  const entrypoints = rules.flatMap((_rule, at) => ['-e', entrypointOf(at)]);
  const built = await runOpa(dir, [
    ...['build', '-t', target, ...entrypoints, '-b', '.', ...WITHOUT_TESTS],
    ...['--capabilities', capabilities.path, '-o', output],
  ]);
  if (built.code === 0) return { files: await readArchive(await readFile(output)) };
  return {
    refused: opaFaults(built, capabilities)
      .map(({ message }) => message)
      .join('; '),
  };
}

async function compare(
  unit: Unit,
  rules: readonly RuleName[],
  samples: readonly Sample[],
  files: ReadonlyMap<string, Uint8Array>,
  module: WebAssembly.Module | string,
  result: UnitResult,
): Promise<void> {
  const opa = await askOpa(unit.dir, rules, samples, DECISION_TIME_NS);
  const planText = textOf(files.get('plan.json'));
  const baseText = textOf(files.get('data.json')) || '{}';
  const onBase = loadPolicy(planText, parseJson(baseText));
  for (const [sampleAt, sample] of samples.entries()) {
    const dataText = sample.data.length === 0 ? baseText : replaced(baseText, sample);
    const policy = sample.data.length === 0 ? onBase : loadPolicy(planText, parseJson(dataText));
    const inputText = JSON.stringify(sample.input);
    for (const [ruleAt, { path }] of rules.entries()) {
      const entrypoint = entrypointOf(ruleAt);
      const wanted = opa(ruleAt, sampleAt);
      const differs = (evaluator: Difference['evaluator'], found: Answer): void =>
        void result.differences.push({
          ...{ evaluator, rule: path.join('/'), sample: sample.from },
          ...{ opa: showAnswer(wanted), here: showAnswer(found) },
        });
      const asked = evaluateHere(() =>
        policy.evaluate(parseJson(inputText), { entrypoint, decisionTimeNs: DECISION_TIME_NS }),
      );
      result.compared++;
      if ('text' in wanted && wanted !== UNDEFINED) result.defined++;
      if (!isSame(wanted, asked.answer)) differs('plan', asked.answer);
      if (typeof module === 'string' || asked.evaluation === undefined || asked.evaluation.doubts().length > 0)
        continue;
      const second = evaluateWasm(module, dataText, entrypoint, inputText);
      result.comparedWasm++;
      if (!isSame(wanted, second)) differs('wasm', second);
    }
  }
}

const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('utf8');

function replaced(dataText: string, { data }: Sample): string {
  const base = JSON.parse(dataText) as JsonObject;
  return JSON.stringify(
    data.reduce<JsonObject>((all, { path, value }) => {
      const changed = putAt(all, path, value);
      return isJsonObject(changed) ? changed : all;
    }, base),
  );
}

function evaluateHere(evaluate: () => PlanEvaluation): { answer: Answer; evaluation?: PlanEvaluation } {
  try {
    const evaluation = evaluate();
    return { answer: answerOf(evaluation.result), evaluation };
  } catch (error) {
    if (error instanceof EvaluationConflictError) return { answer: { error: `eval_conflict_error: ${error.message}` } };
    return { answer: { error: `failed: ${String(error)}` } };
  }
}

/** A new instance each time: what a failure leaves in its memory must not reach the next. */
function evaluateWasm(module: WebAssembly.Module, dataText: string, entrypoint: string, inputText: string): Answer {
  try {
    const policy = instantiatePolicy(module, { memoryMiB: 256 });
    policy.setData(dataText);
    return answerOf(policy.evaluateExactly(entrypoint, inputText, DECISION_TIME_NS));
  } catch (error) {
    return { error: `failed: ${String(error)}` };
  }
}

function answerOf(value: RegoValue | undefined): Answer {
  return value === undefined ? UNDEFINED : { text: writeJson(parseJson(writeJson(value))) };
}

/** An error of OPA's has no text in common with ours: that there is one, and of which kind, is what counts. */
function isSame(opa: Answer, here: Answer): boolean {
  if ('text' in opa) return 'text' in here && opa.text === here.text;
  return (
    'error' in here && /conflict|multiple outputs|unique/.test(opa.error) && here.error.startsWith('eval_conflict')
  );
}

const LONGEST = 600;
const showAnswer = (answer: Answer): string =>
  ('text' in answer ? answer.text : `error: ${answer.error}`).slice(0, LONGEST);

async function compareTests(unit: Unit, result: UnitResult): Promise<void> {
  try {
    const { compared, differences } = await testAgainstOpa(unit.dir);
    result.comparedTests = compared;
    result.testDifferences = differences;
  } catch (error) {
    result.testsRefused = error instanceof Error ? error.message : String(error);
  }
}
