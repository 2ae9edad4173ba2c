import type { JsonObject, JsonValue } from '../../kernel/json';
import { isJsonObject } from '../../kernel/json';
import { canonicalJson } from '../../kernel/canonical-json';
import type { TracedAnswer } from '../../rego/evaluation/trace';
import { parseSources } from '../../rego/toolchain/parse-sources';
import { domainsOf, findCalm, generateCases, inputOf } from '../diff/cases';
import { readSource } from '../diff/rules';
import type { Release } from '../release';

/** The whole input of a decision. */
export interface GeneratedInputs {
  /** the one that all others vary; allowed where one that is could be found */
  calm: JsonObject;
  /** each once, the calm one first */
  inputs: JsonObject[];
}

/** The same for everyone, so that a refusal can be repeated. */
const SEED = 1;

/**
 * Inputs on which a policy may change its mind: every number just under, at and just over each limit, each number that a
 * rule writes out and each bound of the schema, and the calm input without one of its keys or with null in its place.
 *
 * @param evaluate the plan's answer; undefined where it gives none
 * @param count at most so many; a third is kept for absent and null keys
 */
export async function generateInputs(
  release: Release,
  evaluate: (input: JsonObject) => TracedAnswer | undefined,
  { count, decisionTimeMs }: { count: number; decisionTimeMs: number },
): Promise<GeneratedInputs> {
  const source = readSource(await parseSources(release.policy.sources));
  const domains = domainsOf([{ release, source }]);
  const whole = (values: JsonObject): JsonObject => wholeInput(values, decisionTimeMs);
  const best = await findCalm(domains, (made) => Promise.resolve(scoreOf(evaluate(whole(inputOf(domains, made))))));
  const calm = whole(inputOf(domains, best));
  const lacking = withoutEach(calm).slice(0, Math.floor(count / 3));
  const cases = generateCases(domains, best, count - lacking.length, SEED);
  const all = [...cases.map((made) => whole(inputOf(domains, made))), ...lacking];
  return { calm, inputs: [...new Map(all.map((input) => [canonicalJson(input), input])).values()] };
}

/** What the gate itself puts into every input, beside the values that were made. */
function wholeInput({ deployment, ...facts }: JsonObject, decisionTimeMs: number): JsonObject {
  const given = isJsonObject(deployment) ? deployment : {};
  return {
    ...facts,
    deployment: { id: 'generated', stage: 'generated', stage_index: 0, attributes: {}, stage_attributes: {}, ...given },
    decision_time: new Date(decisionTimeMs).toISOString(),
  };
}

/** The input without each of its keys and positions in turn, and with null in the place of each. */
function withoutEach(input: JsonObject): JsonObject[] {
  return pathsIn(input)
    .filter((path) => path[0] !== 'decision_time' && (path[0] !== 'deployment' || path.length > 2))
    .flatMap((path) => [changedAt(input, path, undefined), changedAt(input, path, null)] as JsonObject[]);
}

function pathsIn(value: JsonValue, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [
    [...path, key],
    ...pathsIn(child as JsonValue, [...path, key]),
  ]);
}

/** A copy with another value at a path, or without it. */
export function changedAt(value: JsonValue, path: readonly string[], to: JsonValue | undefined): JsonValue {
  const [key, ...rest] = path;
  if (key === undefined || typeof value !== 'object' || value === null) return value;
  const isLast = rest.length === 0;
  if (Array.isArray(value)) {
    const at = Number(key);
    if (isLast && to === undefined) return value.toSpliced(at, 1);
    return value.map((child, index) => (index !== at ? child : isLast ? to! : changedAt(child, rest, to)));
  }
  const entries = Object.entries(value).flatMap(([name, child]): [string, JsonValue][] => {
    if (name !== key) return [[name, child]];
    if (!isLast) return [[name, changedAt(child, rest, to)]];
    return to === undefined ? [] : [[name, to]];
  });
  return Object.fromEntries(entries);
}

/** How far an answer is from an allow: notes are further than any denial, no answer furthest. */
function scoreOf(answer: TracedAnswer | undefined): number {
  const response = answer?.response;
  if (!isJsonObject(response)) return 10_000;
  if (answer!.hasNotes) return 1_000;
  const reasons = Array.isArray(response.deny_reasons) ? response.deny_reasons.length : 0;
  return response.allow === true ? 0 : 1 + reasons;
}
