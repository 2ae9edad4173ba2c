/** A value that survives `JSON.parse(JSON.stringify(value))` unchanged. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
/** A JSON object: keys and JSON values, nothing else. */
export interface JsonObject {
  [key: string]: JsonValue;
}

/** A JSON Schema document, draft 2020-12; opaque here, interpreted by ajv at the edges. */
export type JsonSchema = JsonObject;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
