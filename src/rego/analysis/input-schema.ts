import { isJsonObject, type JsonObject, type JsonSchema } from '../../kernel/json';

/** The facts that input.json describes, by id; empty when it describes none. */
export function factSchemas(inputSchema: JsonSchema): Record<string, JsonObject> {
  const { properties } = inputSchema;
  if (!isJsonObject(properties)) return {};
  return Object.fromEntries(
    Object.entries(properties).map(([id, schema]) => [id, isJsonObject(schema) ? schema : {}] as const),
  );
}

/** The part of `schema` that describes the value at `path`; undefined where it says nothing about it. */
export function schemaAt(schema: JsonSchema, path: readonly string[]): JsonObject | undefined {
  let current: JsonObject = schema;
  for (const key of path) {
    const { properties, additionalProperties, items } = current;
    const next =
      (isJsonObject(properties) ? properties[key] : undefined) ??
      (isJsonObject(additionalProperties) ? additionalProperties : undefined) ??
      (/^[0-9]+$/.test(key) && isJsonObject(items) ? items : undefined);
    if (!isJsonObject(next)) return undefined;
    current = next;
  }
  return current;
}

/** The JSON types that a schema admits by its `type`; empty when it does not say. */
export function typesOf(schema: JsonObject): string[] {
  const { type } = schema;
  if (typeof type === 'string') return [type];
  return Array.isArray(type) ? type.filter((name): name is string => typeof name === 'string') : [];
}

/**
 * Whether an empty collection is a fault there: it may be a collection, and neither `minItems: 0` nor
 * `minProperties: 0` says that empty is a normal state.
 */
export function mustNotBeEmpty(schema: JsonObject | undefined): boolean {
  if (schema === undefined) return true;
  const types = typesOf(schema);
  const mayBeCollection = types.length === 0 || types.includes('array') || types.includes('object');
  return mayBeCollection && schema.minItems !== 0 && schema.minProperties !== 0;
}
