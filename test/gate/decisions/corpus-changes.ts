import type { JsonObject, JsonSchema, JsonValue } from '../../../src/kernel/json';
import { valueAt } from '../../../src/kernel/json-pointer';
import { changedAt } from '../../../src/releases/authoring/generated-inputs';
import { schemaAt } from '../../../src/rego/analysis/input-schema';
import { compileValueSchema } from '../../../src/rego/analysis/value-schema';
import type { createTracer } from '../../../src/rego/evaluation/trace';
import type { ValuePath } from '../../../src/rego/plan/absence/paths';
import type { World } from './corpus-policies';

/** One thing taken from, or put into, what a decision is made from. */
export interface Change {
  kind: 'removed' | 'null' | 'mistyped';
  /** `input.health.canary`, `data.config.limits.most`, `data.roles.owner` as their steps */
  path: ValuePath;
  /** absent where the value is removed */
  to?: JsonValue;
}

const OTHER_VALUES: readonly JsonValue[] = [true, 0, -1, 1.5, '', 'text', '7', [], {}, ['text'], { key: 1 }];

/** Every single change that must not leave an allow. @param trace the evaluator of the world's release */
export function changesOf(world: World, trace: Trace): Change[] {
  return [...absences(world, trace), ...mistypes(world)];
}

type Trace = NonNullable<Awaited<ReturnType<typeof createTracer>>>;

/** Each key and index that the evaluation looked up and found, but for what the gate itself gives. */
function absences(world: World, trace: Trace): Change[] {
  const { input } = world;
  const { lookups } = trace(input, Date.parse(input.decision_time as string));
  const paths = new Map(lookups.map(({ path }) => [JSON.stringify(path), path]));
  return [...paths.values()].flatMap((path): Change[] => {
    const [root, first, , name] = path;
    const isOwn = root === 'input' && (first === 'decision_time' || (first === 'deployment' && name === undefined));
    const value = valueAt(documentOf(world), path);
    if (isOwn || path.length < 2 || value === undefined || value === null) return [];
    return [
      { kind: 'null', path, to: null },
      ...(isRemovable(world, path) ? [{ kind: 'removed' as const, path }] : []),
    ];
  });
}

/** Without an element of a list, those behind it take its place: only the last one leaves nothing. */
function isRemovable(world: World, path: ValuePath): boolean {
  const parent = valueAt(documentOf(world), path.slice(0, -1));
  return !Array.isArray(parent) || Number(path.at(-1)) === parent.length - 1;
}

/** Each place in a fact, an attribute or a parameter, with each value that its schema forbids. */
function mistypes({ release, input }: World): Change[] {
  const { policy, configDocument } = release;
  const { deployment, decision_time: _time, ...facts } = input;
  const { attributes } = deployment as { attributes: JsonObject };
  return [
    ...mistypesWithin(facts, policy.inputSchema, ['input']),
    ...mistypesWithin(attributes, policy.attributesSchema, ['input', 'deployment', 'attributes']),
    ...mistypesWithin(configDocument.parameters ?? {}, policy.parametersSchema, ['data', 'config', 'parameters']),
  ];
}

function mistypesWithin(value: JsonValue, schema: JsonSchema | undefined, root: ValuePath): Change[] {
  if (schema === undefined) return [];
  return placesIn(value).flatMap((place) => {
    const described = schemaAt(schema, place);
    if (described === undefined) return [];
    return forbiddenBy(described).map((to): Change => ({ kind: 'mistyped', path: [...root, ...place], to }));
  });
}

const forbidden = new Map<string, readonly JsonValue[]>();

function forbiddenBy(schema: JsonObject): readonly JsonValue[] {
  const key = JSON.stringify(schema);
  let values = forbidden.get(key);
  if (values === undefined) {
    const check = compileValueSchema(schema, '');
    values = OTHER_VALUES.filter((other) => check(other).length > 0);
    forbidden.set(key, values);
  }
  return values;
}

function placesIn(value: JsonValue): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [
    [key],
    ...placesIn(child as JsonValue).map((place) => [key, ...place]),
  ]);
}

/** The world after a change. */
export function changed({ release, input }: World, { path: [root, ...path], to }: Change): World {
  if (root === 'input') return { release, input: changedAt(input, path, to) as JsonObject };
  const { policy, configDocument } = release;
  if (path[0] === 'config') {
    return {
      input,
      release: { ...release, configDocument: changedAt(configDocument, path.slice(1), to) as JsonObject },
    };
  }
  const data = changedAt(policy.data, path, to) as JsonObject;
  return { input, release: { ...release, policy: { ...policy, data, dataText: JSON.stringify(data) } } };
}

const documentOf = ({ release, input }: World): JsonObject => ({
  input,
  data: { ...release.policy.data, config: release.configDocument },
});
