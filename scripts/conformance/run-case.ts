import { EvaluationConflictError } from '../../src/rego/builtins/plan-builtin';
import { findNumberKeys } from './number-keys';
import type { CapabilitiesTarget } from '../../src/rego/capabilities';
import { loadPolicy } from '../../src/rego/plan/load-policy';
import { compareValues } from '../../src/rego/values/compare';
import { writeJson } from '../../src/rego/values/json';
import { parseJson } from '../../src/rego/values/parse-json';
import type { RegoValue } from '../../src/rego/values/value';
import { loadWasmPolicy } from '../../src/rego/wasm-policy';
import { buildCase, type Builder } from './build-case';
import type { ConformanceCase, Want } from './cases';

/**
 * What became of a case: answered as wanted; refused when it was built, and because of what; answered otherwise; or no
 * answer at all. The last two must not happen: a policy that builds must do as in OPA.
 */
export interface CaseResult {
  note: string;
  folder: string;
  form: ConformanceCase['form'];
  outcome: 'passed' | 'refused' | 'wrong' | 'failed';
  /** the refused built-in's name where it is one, else what was found */
  detail?: string;
}

/** What an evaluator answered: a value, none, or an error of the kind that OPA reports. */
type Answer = { value: RegoValue | undefined } | { error: 'conflict' | 'builtin' };

const NUMBER_KEY = 'a reference into data with a number as key';
const DECISION_TIME_NS = BigInt(Date.now()) * 1_000_000n;

export async function runCase(
  one: ConformanceCase,
  index: number,
  target: CapabilitiesTarget,
  builder: Builder,
): Promise<CaseResult> {
  const { note, folder, form, want } = one;
  const result = (outcome: CaseResult['outcome'], detail?: string) => ({ note, folder, form, outcome, detail });
  try {
    const refused = target === 'wasm' ? refusedForWasm(one) : undefined;
    if (refused !== undefined) return result('refused', refused);
    const built = await buildCase(one, index, target, builder);
    if ('error' in built) return result('refused', refusal(built.error));
    const answer = target === 'plan' ? askPlan(one, built.file) : await askWasm(one, built.file);
    if (isAsWanted(want, answer)) return result('passed');
    return result('wrong', `wanted ${show(want)}, found ${showAnswer(answer)}`);
  } catch (error) {
    return result('failed', error instanceof Error ? error.message : String(error));
  }
}

/** The static rules for wasm: what it would answer in another way, and what it cannot say. */
function refusedForWasm({ modules, want, input }: ConformanceCase): string | undefined {
  const [numberKey] = modules.flatMap(findNumberKeys);
  if (numberKey) return `${NUMBER_KEY}: ${numberKey.text}`;
  if (want.kind === 'error' && want.isStrict) return 'a built-in error, which the module does not report';
  return input !== undefined && compareValues(parseJson(writeJson(input)), input) !== 0
    ? 'an input that is no JSON'
    : undefined;
}

function askPlan({ entrypoint, data, input, want }: ConformanceCase, plan: Uint8Array): Answer {
  const policy = loadPolicy(Buffer.from(plan).toString('utf8'), data);
  try {
    const { result, notes } = policy.evaluate(input, { entrypoint, decisionTimeNs: DECISION_TIME_NS });
    const isStrict = want.kind === 'error' && want.isStrict;
    if (isStrict && (notes?.builtinErrors.length ?? 0) > 0) return { error: 'builtin' };
    return { value: result };
  } catch (error) {
    if (error instanceof EvaluationConflictError) return { error: 'conflict' };
    throw error;
  }
}

async function askWasm({ entrypoint, data, input, want }: ConformanceCase, wasm: Uint8Array): Promise<Answer> {
  const policy = await loadWasmPolicy(wasm);
  policy.setData(writeJson(data));
  const text = input === undefined ? undefined : writeJson(input);
  try {
    return { value: policy.evaluateExactly(entrypoint, text, DECISION_TIME_NS) };
  } catch (error) {
    // the module aborts where OPA reports a conflict
    if (want.kind === 'error' && /conflict|multiple outputs|unique/.test(String(error))) return { error: 'conflict' };
    throw error;
  }
}

function refusal(error: string): string {
  const names = [...error.matchAll(/undefined function (\S+)/g)].map((match) => match[1]!);
  if (names.length > 0) return [...new Set(names)].sort().join(', ');
  if (error.includes('with keyword target')) return 'a built-in named by `with`';
  return error.replaceAll(/\s+/g, ' ').trim();
}

function isAsWanted(want: Want, answer: Answer): boolean {
  if ('error' in answer) return want.kind === 'error';
  const { value } = answer;
  switch (want.kind) {
    case 'value':
      if (value === undefined) return false;
      return compareValues(asResult(value, want.isSorted), asResult(want.value, want.isSorted)) === 0;
    case 'undefined':
      return value === undefined;
    case 'holds':
      return value !== undefined && value !== false;
    case 'fails':
      return value === undefined || value === false;
    case 'error':
      return false;
  }
}

/** OPA's cases hold their results as JSON: sets as ordered arrays, keys as text; some say that the order is none. */
function asResult(value: RegoValue, isSorted: boolean): RegoValue {
  const json = parseJson(writeJson(value));
  return isSorted && Array.isArray(json) ? json.toSorted(compareValues) : json;
}

function show(want: Want): string {
  return want.kind === 'value' ? writeJson(want.value) : want.kind;
}

function showAnswer(answer: Answer): string {
  if ('error' in answer) return `an error (${answer.error})`;
  return answer.value === undefined ? 'undefined' : writeJson(answer.value);
}
