import { isJsonObject, type JsonObject, type JsonSchema, type JsonValue } from '../../kernel/json';
import { unescapePointer } from '../../kernel/json-pointer';
import { isSafeNumber } from '../../kernel/numbers';
import { typesOf } from '../../rego/analysis/input-schema';
import { canonicalJson } from '../../kernel/canonical-json';

/** What values are made of beside the schema. */
export interface Material {
  /** a rule may change its mind at each: limits, and numbers that the policies write out */
  numbers: readonly number[];
  /** that the policies write out */
  texts: readonly string[];
}

const MOST_DEPTH = 8;
/** As many as can be tried at most. */
const MOST_OF_ONE = 10_000;

/**
 * Values of what `schema` describes, the calmest first: numbers just under, at and just over each of the material's and
 * at the schema's own ends; both booleans; each of an enumeration; each text that the policies name and one that they do
 * not; lists and objects with one entry and with two, and empty where that is normal, each entry varied in its turn.
 *
 * Not all need to fit the schema (a pattern is not read, say): who uses them checks.
 *
 * @param root what a `$ref` such as `#/$defs/region` refers to
 */
export function candidatesOf(
  schema: JsonSchema,
  material: Material,
  root: JsonSchema = schema,
  depth = 0,
): JsonValue[] {
  if (depth > MOST_DEPTH) return [];
  const below = (child: JsonValue | undefined): JsonValue[] =>
    isJsonObject(child) ? candidatesOf(child, material, root, depth + 1) : candidatesOf({}, material, root, depth + 1);
  if (typeof schema.$ref === 'string') {
    const target = resolveRef(root, schema.$ref);
    return target === undefined ? [] : candidatesOf(target, material, root, depth + 1);
  }
  if ('const' in schema) return [schema.const!];
  if (Array.isArray(schema.enum)) return schema.enum;
  const given = [...listOf(schema.examples), ...('default' in schema ? [schema.default!] : [])];
  const choices = [...listOf(schema.anyOf), ...listOf(schema.oneOf), ...listOf(schema.allOf)];
  const types = typesOf(schema);
  const kinds = types.length > 0 ? types : choices.length > 0 ? [] : impliedTypes(schema);
  const made = kinds.flatMap((type) => {
    switch (type) {
      case 'integer':
      case 'number':
        return numbersOf(schema, material, type === 'integer');
      case 'boolean':
        return [false, true];
      case 'string':
        return textsOf(schema, material);
      case 'array':
        return listsOf(schema, below(schema.items));
      case 'object':
        return objectsOf(schema, below);
      default:
        return [null];
    }
  });
  return unique([...given, ...made, ...choices.flatMap(below)]).slice(0, MOST_OF_ONE);
}

function numbersOf(schema: JsonObject, { numbers }: Material, isInteger: boolean): number[] {
  const ends = [schema.minimum, schema.maximum, schema.exclusiveMinimum, schema.exclusiveMaximum];
  const given = ends.filter((end): end is number => typeof end === 'number');
  const around = [...given, ...numbers].flatMap((value) => {
    const whole = [value - 1, value, value + 1].map((near) => (isInteger ? Math.round(near) : near));
    const step = Math.max(1, Math.abs(value)) / 1000;
    return isInteger ? [Math.floor(value), Math.ceil(value), ...whole] : [...whole, value - step, value + step];
  });
  const [least, most] = [schema.minimum ?? -Infinity, schema.maximum ?? Infinity] as [number, number];
  return [0, ...around].filter((value) => value >= least && value <= most && isSafeNumber(value));
}

const FORMATS: Readonly<Record<string, readonly string[]>> = {
  'date-time': ['2026-01-01T00:00:00Z', '2030-01-01T00:00:00Z'],
  date: ['2026-01-01', '2030-01-01'],
  time: ['00:00:00Z', '12:00:00Z'],
  email: ['someone@example.com'],
  uri: ['https://example.com/'],
  uuid: ['00000000-0000-4000-8000-000000000000'],
  ipv4: ['192.0.2.1'],
  ipv6: ['2001:db8::1'],
};

function textsOf(schema: JsonObject, { texts }: Material): string[] {
  const formatted = typeof schema.format === 'string' ? (FORMATS[schema.format] ?? []) : [];
  return [...formatted, ...texts, 'another'];
}

/** The elements that a list needs beyond two are the calmest one again. */
function listsOf(schema: JsonObject, elements: JsonValue[]): JsonValue[] {
  const least = typeof schema.minItems === 'number' ? schema.minItems : 1;
  const [calm] = elements;
  const empty = schema.minItems === 0 ? [[]] : [];
  if (calm === undefined) return empty;
  const filled = (first: JsonValue[]): JsonValue[] => [
    ...first,
    ...Array(Math.max(0, least - first.length)).fill(calm),
  ];
  return [...elements.map((one) => filled([one])), ...elements.map((one) => filled([calm, one])), ...empty];
}

function objectsOf(schema: JsonObject, below: (child: JsonValue | undefined) => JsonValue[]): JsonValue[] {
  const named = Object.entries(isJsonObject(schema.properties) ? schema.properties : {});
  const choices = named.map(([key, child]) => [key, below(child)] as const);
  const calm = Object.fromEntries(choices.flatMap(([key, [first]]) => (first === undefined ? [] : [[key, first]])));
  const varied = choices.flatMap(([key, values]) => values.map((value): JsonObject => ({ ...calm, [key]: value })));
  const isOpen = named.length === 0 ? schema.additionalProperties !== false : isJsonObject(schema.additionalProperties);
  const entries = isOpen ? below(schema.additionalProperties) : [];
  const [first] = entries;
  const filled = first === undefined ? [] : entries.flatMap((one): JsonObject[] => [{ ...calm, one }]);
  const twice = first === undefined ? [] : entries.map((two): JsonObject => ({ ...calm, one: first, two }));
  const least = named.length > 0 || schema.minProperties === 0 || !isOpen ? [calm] : [];
  return isOpen && named.length === 0 ? [...filled, ...twice, ...least] : [...least, ...varied, ...filled, ...twice];
}

/** A schema without `type` may be of any, unless its keywords tell. */
function impliedTypes(schema: JsonObject): string[] {
  if ('properties' in schema || 'additionalProperties' in schema) return ['object'];
  if ('items' in schema) return ['array'];
  return ['number', 'boolean', 'string'];
}

function resolveRef(root: JsonSchema, ref: string): JsonObject | undefined {
  if (!ref.startsWith('#')) return undefined;
  const keys = ref.slice(1).split('/').slice(1);
  const found = keys.reduce<JsonValue | undefined>(
    (value, key) => (isJsonObject(value) ? value[unescapePointer(decodeURIComponent(key))] : undefined),
    root,
  );
  return isJsonObject(found) ? found : undefined;
}

const listOf = (value: JsonValue | undefined): JsonValue[] => (Array.isArray(value) ? value : []);

export function unique(values: readonly JsonValue[]): JsonValue[] {
  return [...new Map(values.map((value) => [canonicalJson(value), value])).values()];
}
