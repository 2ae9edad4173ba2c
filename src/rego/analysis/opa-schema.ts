import { isJsonObject, type JsonObject, type JsonSchema, type JsonValue } from '../../kernel/json';

/** A key that no policy names: it stands for those that are known only when the policy runs. */
const ANY_KEY = 'any key';

/**
 * input.json as `opa check --schema` understands it, so that a field which no element has is an error. OPA takes no
 * notice of a schema in `additionalProperties` (tried with 1.22: whatever is read below counts as known), so a map is
 * given as an object whose properties are the keys that the policy could name; each has the schema of the map's values.
 * `deployment` and `decision_time` are added, as the gate adds them to the input.
 *
 * @param keys the texts in the policy's source, any of which may be a key
 */
export function toOpaSchema(inputSchema: JsonSchema, keys: readonly string[]): JsonObject {
  const facts = withKeys(inputSchema, [...new Set([ANY_KEY, ...keys])]);
  return {
    ...facts,
    type: 'object',
    properties: {
      ...(isJsonObject(facts.properties) ? facts.properties : {}),
      deployment: {
        type: 'object',
        properties: {
          id: { type: 'string' },
          stage: { type: 'string' },
          stage_index: { type: 'integer' },
          attributes: {},
          stage_attributes: {},
        },
        additionalProperties: false,
      },
      decision_time: { type: 'string' },
    },
  };
}

function withKeys(schema: JsonObject, keys: readonly string[]): JsonObject {
  const { properties, additionalProperties, items } = schema;
  const changed: JsonObject = { ...schema };
  if (isJsonObject(items)) changed.items = withKeys(items, keys);
  if (isJsonObject(properties)) changed.properties = mapValues(properties, (inner) => withKeys(inner, keys));
  // JSON Schema lets an object be open where OPA takes one that does not say so for closed
  if (isJsonObject(properties) && additionalProperties === undefined) changed.additionalProperties = true;
  if (isJsonObject(additionalProperties)) {
    const values = withKeys(additionalProperties, keys);
    const declared = isJsonObject(changed.properties) ? changed.properties : {};
    changed.properties = { ...Object.fromEntries(keys.map((key) => [key, values])), ...declared };
    changed.additionalProperties = true;
  }
  return changed;
}

const mapValues = (object: JsonObject, change: (value: JsonObject) => JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, (isJsonObject(value) ? change(value) : value) as JsonValue]),
  );
