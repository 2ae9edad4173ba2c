import { canonicalJson } from '../../kernel/canonical-json';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';

/** A schema that is shorter than this is not worth a name. */
const SHORTEST = 400;

/**
 * A JSON Schema whose parts that occur more than once are definitions, named for the setting that they are first found under.
 * Only parts of properties, items and branches are taken.
 */
export function withSharedParts(schema: JsonObject): JsonObject {
  const definitions = { ...(schema.definitions as JsonObject) };
  const counts = new Map<string, number>();
  const names = new Map<string, string>();

  function count(part: JsonValue): void {
    if (Array.isArray(part)) part.forEach(count);
    else if (isJsonObject(part)) {
      const text = canonicalJson(part);
      counts.set(text, (counts.get(text) ?? 0) + 1);
      // What is in a part that occurs again has been counted with the first.
      if (counts.get(text) === 1) Object.values(part).forEach(count);
    }
  }

  function shared(part: JsonValue, key: string): JsonValue {
    if (Array.isArray(part)) return part.map((each) => shared(each, key));
    if (!isJsonObject(part)) return part;
    const text = canonicalJson(part);
    const isSchema = ['type', 'anyOf', 'oneOf'].some((word) => Object.hasOwn(part, word));
    if (!isSchema || text.length < SHORTEST || counts.get(text) === 1) return inside(part);
    let name = names.get(text);
    if (name === undefined) {
      name = key;
      for (let at = 2; Object.hasOwn(definitions, name); at += 1) name = `${key}_${at}`;
      names.set(text, name);
      definitions[name] = {};
      definitions[name] = inside(part);
    }
    return { $ref: `#/definitions/${name}` };
  }

  function inside(part: JsonObject): JsonObject {
    return Object.fromEntries(
      Object.entries(part).map(([key, child]) => {
        if (key !== 'properties' || !isJsonObject(child)) return [key, shared(child, 'part')];
        const properties = Object.entries(child).map(([name, each]) => [name, shared(each, name)]);
        return [key, Object.fromEntries(properties) as JsonObject];
      }),
    );
  }

  count(schema);
  const root = Object.entries(definitions).map(([name, part]) => [name, inside(part as JsonObject)] as const);
  return { ...schema, definitions: { ...definitions, ...Object.fromEntries(root) } };
}
