import type { TSchema } from './typebox';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';

/**
 * A TypeBox schema as ajv reports it best. Unions of literals become `enum`; unions of objects that a literal `type` tells
 * apart get a `discriminator`, so that ajv checks (and fills the defaults of) the branch that is meant and no other.
 */
export function toAjvSchema(schema: TSchema): JsonObject {
  // Through JSON, which drops TypeBox's own symbols.
  return convert(JSON.parse(JSON.stringify(schema)) as JsonObject) as JsonObject;
}

function convert(schema: JsonValue): JsonValue {
  if (Array.isArray(schema)) return schema.map(convert);
  if (!isJsonObject(schema)) return schema;
  const { anyOf, ...rest } = schema;
  const converted = Object.fromEntries(
    // A default is data, not a schema.
    Object.entries(rest).map(([key, value]) => [key, key === 'default' ? value : convert(value)]),
  );
  if (!Array.isArray(anyOf)) return converted;
  if (anyOf.every((branch) => isJsonObject(branch) && 'const' in branch)) {
    return { ...converted, enum: anyOf.map((branch) => (branch as { const: JsonValue }).const) };
  }
  const branches = anyOf.map(convert).flatMap(flatten);
  if (branches.every(isTagged)) {
    return { ...converted, type: 'object', discriminator: { propertyName: 'type' }, oneOf: branches };
  }
  return { ...converted, anyOf: branches };
}

/** A union within a union is one longer union. */
function flatten(branch: JsonValue): JsonValue[] {
  return isJsonObject(branch) && Array.isArray(branch.anyOf) ? branch.anyOf : [branch];
}

function isTagged(branch: JsonValue): boolean {
  if (!isJsonObject(branch) || !isJsonObject(branch.properties)) return false;
  const tag = branch.properties.type;
  return isJsonObject(tag) && typeof tag.const === 'string';
}
