import type { JsonObject, JsonValue } from '../../kernel/json';
import { valueAt } from '../../kernel/json-pointer';
import { schemaAt, typesOf } from '../../rego/analysis/input-schema';
import { pathText, type ValuePath } from '../../rego/plan/absence/paths';
import { createTracer, type TracedAnswer } from '../../rego/evaluation/trace';
import type { Release } from '../release';
import { changedAt, generateInputs } from './generated-inputs';

/** An input that is allowed although a value that its evaluation looked up is absent, or of a type that its schema forbids. */
export interface FuzzFinding {
  path: string;
  change: 'removed' | 'null' | 'type';
  /** what was put in its place, where `change` is `type` */
  to?: JsonValue;
  /** before the change */
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

export interface FuzzOptions {
  /** how long the search may take; it ends earlier when nothing is left to try */
  durationMs: number;
  /** what keeps an input from being evaluated under a configuration; empty where nothing does */
  faultsUnder(configDocument: JsonObject): (input: JsonObject) => readonly unknown[];
  /** makes the evaluator of the policy under a configuration */
  tracerFor?: typeof createTracer;
}

const MOST_INPUTS = 500;
const MOST_FINDINGS = 20;

/**
 * Takes away from allowed inputs, one at a time, each key and index that their evaluation looked up, puts null in its place, or a
 * value of each type that its schema forbids, in the input and in the configuration. None may be allowed then, unless the policy
 * declares an absent path optional.
 */
export async function fuzzPolicy(
  release: Release,
  { durationMs, faultsUnder, tracerFor = createTracer }: FuzzOptions,
): Promise<FuzzResult> {
  const endMs = Date.now() + durationMs;
  const { policy, configDocument, loadedAtMs: decisionTimeMs } = release;
  const result: FuzzResult = { allowedInputs: 0, tried: 0, declared: 0, isComplete: true, findings: [] };
  const trace = await tracerFor(policy, configDocument);
  if (trace === undefined) return result;
  const evaluate = (input: JsonObject): TracedAnswer | undefined => answerOf(() => trace(input, decisionTimeMs));
  const known = new Map<string, Under>();
  const { inputs } = await generateInputs(release, evaluate, { count: MOST_INPUTS, decisionTimeMs });
  for (const input of inputs) {
    const answer = evaluate(input);
    if (answer === undefined || !isAllowed(answer)) continue;
    result.allowedInputs++;
    for (const path of changeable(answer)) {
      for (const { change, to } of changesOf(path)) {
        if (change === 'removed' && !canBeRemoved(input, configDocument, path)) continue;
        if (Date.now() > endMs || result.findings.length >= MOST_FINDINGS) return { ...result, isComplete: false };
        result.tried++;
        const changed = await (change === 'type' ? decideChanged(input, path, to) : evaluateChanged(input, path, to));
        if (changed === undefined || !isAllowed(changed)) continue;
        if (change !== 'type' && isDeclared(changed, path)) result.declared++;
        else result.findings.push({ path: pathText(path), change, ...(change === 'type' ? { to: to! } : {}), input });
      }
    }
  }
  return result;

  function changesOf(path: ValuePath): { change: FuzzFinding['change']; to: JsonValue | undefined }[] {
    const types = forbiddenValues(policy, path).map((to) => ({ change: 'type' as const, to }));
    return [{ change: 'removed', to: undefined }, { change: 'null', to: null }, ...types];
  }

  /** Types are checked before the evaluation, as a decision does; what is absent is noticed by the evaluation itself. */
  async function decideChanged(input: JsonObject, path: ValuePath, to: JsonValue | undefined) {
    const [changed, document] = changedBoth(input, path, to);
    const { faultsOf } = under(document);
    return faultsOf(changed).length > 0 ? undefined : evaluateChanged(input, path, to);
  }

  async function evaluateChanged(
    input: JsonObject,
    path: ValuePath,
    to: JsonValue | undefined,
  ): Promise<TracedAnswer | undefined> {
    const [changed, document] = changedBoth(input, path, to);
    const tracer = await under(document).tracer();
    return answerOf(() => tracer!(changed, decisionTimeMs));
  }

  /** The same few configurations come with every input: what is made of them is kept. */
  function under(document: JsonObject): Under {
    const key = document === configDocument ? '' : JSON.stringify(document);
    const found = known.get(key);
    if (found !== undefined) return found;
    let tracer: ReturnType<typeof createTracer> | undefined;
    let faultsOf: Under['faultsOf'] | undefined;
    const made: Under = {
      tracer: () => (tracer ??= tracerFor(policy, document)),
      faultsOf: (input) => (faultsOf ??= faultsUnder(document))(input),
    };
    known.set(key, made);
    return made;
  }

  function changedBoth(
    input: JsonObject,
    [root, first, ...rest]: ValuePath,
    to: JsonValue | undefined,
  ): [JsonObject, JsonObject] {
    return root === 'input'
      ? [changedAt(input, [first!, ...rest], to) as JsonObject, configDocument]
      : [input, changedAt(configDocument, rest, to) as JsonObject];
  }
}

/** What is made of one configuration, when it is first asked for. */
interface Under {
  tracer(): ReturnType<typeof createTracer>;
  faultsOf(input: JsonObject): readonly unknown[];
}

/** One value of each JSON type; null is a change of its own. */
const ONE_OF_EACH: readonly (readonly [type: string, value: JsonValue])[] = [
  ['string', 'other'],
  ['boolean', true],
  ['integer', 1],
  ['number', 1.5],
  ['array', []],
  ['object', {}],
];

/** Values of the types that the schema at a path forbids; none where it says nothing. */
function forbiddenValues(policy: Release['policy'], path: ValuePath): JsonValue[] {
  const schema = schemaOf(policy, path);
  const types = schema === undefined ? [] : typesOf(schema);
  if (types.length === 0) return [];
  const isForbidden = (type: string): boolean =>
    !types.includes(type) && !(type === 'integer' && types.includes('number'));
  return ONE_OF_EACH.filter(([type]) => isForbidden(type)).map(([, value]) => value);
}

function schemaOf(
  { inputSchema, attributesSchema = {}, stageAttributesSchema = {}, parametersSchema = {} }: Release['policy'],
  [root, first, second, ...rest]: ValuePath,
): JsonObject | undefined {
  if (root === 'data') {
    // a limit is a number, whatever the schemas say
    if (second === 'limits') return rest.length > 0 ? { type: 'number' } : { type: 'object' };
    return second === 'parameters' ? schemaAt(parametersSchema, rest) : undefined;
  }
  if (first !== 'deployment')
    return schemaAt(inputSchema, [first!, ...(second === undefined ? [] : [second]), ...rest]);
  if (second === 'attributes') return schemaAt(attributesSchema, rest);
  return second === 'stage_attributes' ? schemaAt(stageAttributesSchema, rest) : undefined;
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
