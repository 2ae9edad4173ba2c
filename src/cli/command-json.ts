import { snakeCase } from '../kernel/snake-case';
import { isJsonObject, type JsonValue } from '../kernel/json';
import { parseJsonText } from '../platform/documents/json-text';

/** A document that a command prints as it is: its keys are not the command's own. */
class Quoted {
  constructor(readonly document: unknown) {}
}

/**
 * Marks a document that keeps its keys in a command's result: an audit record, a manifest, a configuration, the value of a
 * fact, or an object whose keys are data.
 */
export function quoted(document: unknown): unknown {
  return new Quoted(document);
}

/** A command's result as a program reads it: every key is snake_case, but those of `quoted` documents. */
export function toCommandJson(value: unknown): JsonValue {
  if (value instanceof Quoted) return value.document as JsonValue;
  if (Array.isArray(value)) return value.map(toCommandJson);
  if (!isJsonObject(value as JsonValue)) return value as JsonValue;
  return Object.fromEntries(
    Object.entries(value as object)
      .filter(([, child]) => child !== undefined)
      .map(([key, child]) => [snakeCase(key), toCommandJson(child)]),
  );
}

/** The value of a fact that is told as JSON text: a number is a number again. A long one was cut: then `shown` is its beginning. */
export function factValue(text: string): { value: unknown } | { shown: string } {
  try {
    return { value: quoted(parseJsonText(text)) };
  } catch {
    return { shown: text };
  }
}
