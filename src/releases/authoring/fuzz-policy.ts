import type { JsonObject, JsonValue } from '../../kernel/json';
import { valueAt } from '../../kernel/json-pointer';
import { pathText, type ValuePath } from '../../rego/plan/absence/paths';
import { createTracer, type TracedAnswer } from '../../rego/evaluation/trace';
import type { Release } from '../release';
import { changedAt, generateInputs } from './generated-inputs';

/** An input that is allowed although something is absent that an evaluation of an allowed input looked up. */
export interface FuzzFinding {
  path: string;
  change: 'removed' | 'null';
  input: JsonObject;
}

export interface FuzzResult {
  /** inputs that were allowed, from which something was then taken */
  allowedInputs: number;
  /** changes that were evaluated */
  tried: number;
  /** of these, the ones that are allowed because the policy declares the path optional */
  declared: number;
  /** whether all changes were tried before the time was over */
  isComplete: boolean;
  findings: FuzzFinding[];
}

const MOST_INPUTS = 500;
const MOST_FINDINGS = 20;

/**
 * Takes away from allowed inputs, one at a time, each key and index that their evaluation looked up, or puts null in its
 * place, in the input and in the configuration. None may be allowed then unless the policy declares the path optional.
 *
 * @param durationMs how long the search may take; it ends earlier when nothing is left to try
 * @param tracerFor makes the evaluator of the policy under a configuration
 */
export async function fuzzPolicy(
  release: Release,
  { durationMs }: { durationMs: number },
  tracerFor: typeof createTracer = createTracer,
): Promise<FuzzResult> {
  const endMs = Date.now() + durationMs;
  const { policy, configDocument, loadedAtMs: decisionTimeMs } = release;
  const result: FuzzResult = { allowedInputs: 0, tried: 0, declared: 0, isComplete: true, findings: [] };
  const trace = await tracerFor(policy, configDocument);
  if (trace === undefined) return result;
  const evaluate = (input: JsonObject): TracedAnswer | undefined => answerOf(() => trace(input, decisionTimeMs));
  const { inputs } = await generateInputs(release, evaluate, { count: MOST_INPUTS, decisionTimeMs });
  for (const input of inputs) {
    const answer = evaluate(input);
    if (answer === undefined || !isAllowed(answer)) continue;
    result.allowedInputs++;
    for (const path of changeable(answer)) {
      for (const change of ['removed', 'null'] as const) {
        if (change === 'removed' && !canBeRemoved(input, configDocument, path)) continue;
        if (Date.now() > endMs || result.findings.length >= MOST_FINDINGS) return { ...result, isComplete: false };
        const to = change === 'null' ? null : undefined;
        const changed = await evaluateChanged(input, path, to);
        result.tried++;
        if (changed === undefined || !isAllowed(changed)) continue;
        if (isDeclared(changed, path)) result.declared++;
        else result.findings.push({ path: pathText(path), change, input });
      }
    }
  }
  return result;

  async function evaluateChanged(
    input: JsonObject,
    [root, first, ...rest]: ValuePath,
    to: JsonValue | undefined,
  ): Promise<TracedAnswer | undefined> {
    if (root === 'input') return evaluate(changedAt(input, [first!, ...rest], to) as JsonObject);
    const changed = await tracerFor(policy, changedAt(configDocument, rest, to) as JsonObject);
    return answerOf(() => changed!(input, decisionTimeMs));
  }
}

/** What was found in the facts, the attributes and the configuration: the gate itself gives the rest. */
function changeable({ lookups }: TracedAnswer): ValuePath[] {
  const paths = lookups.filter(({ value }) => value !== undefined && value !== null).map(({ path }) => path);
  const isGiven = ([root, first, , name]: ValuePath): boolean =>
    root === 'input' ? first !== 'decision_time' && (first !== 'deployment' || name !== undefined) : first === 'config';
  const byText = new Map(paths.filter(isGiven).map((path) => [pathText(path), path]));
  return [...byText.values()];
}

/** Without an element, those behind it in a list take its place: only the last one leaves nothing. */
function canBeRemoved(input: JsonObject, configDocument: JsonObject, path: ValuePath): boolean {
  const parent = valueAt({ input, data: { config: configDocument } }, path.slice(0, -1));
  return !Array.isArray(parent) || Number(path.at(-1)) === parent.length - 1;
}

function isAllowed({ response, hasNotes }: TracedAnswer): boolean {
  return (
    !hasNotes &&
    typeof response === 'object' &&
    response !== null &&
    !Array.isArray(response) &&
    response.allow === true
  );
}

function isDeclared({ account }: TracedAnswer, path: ValuePath): boolean {
  return (account.notes?.tolerated ?? []).some(
    (note) => note.path !== undefined && pathText(note.path) === pathText(path),
  );
}

function answerOf(evaluate: () => TracedAnswer): TracedAnswer | undefined {
  try {
    return evaluate();
  } catch {
    return undefined;
  }
}
