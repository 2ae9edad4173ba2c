import { isJsonObject, type JsonValue } from './json';

/** One key of a JSON Pointer as RFC 6901 escapes it. */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The key that one part of a JSON Pointer names. */
export function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** The JSON Pointer of a path of keys; `''` for no keys, which is the whole document. */
export function toPointer(keys: readonly (string | number)[]): string {
  return keys.map((key) => `/${escapePointer(String(key))}`).join('');
}

/**
 * The keys of a pointer that is known to be one, such as those that ajv reports and this program writes. For a pointer
 * that a user wrote see `parsePointer`.
 */
export function pointerKeys(pointer: string): string[] {
  return pointer.split('/').slice(1).map(unescapePointer);
}

/** The keys of a JSON Pointer (RFC 6901); undefined when `text` is not one: no leading `/`, or a `~` that escapes nothing. */
export function parsePointer(text: string): string[] | undefined {
  return /^(?:\/(?:[^~/]|~[01])*)*$/.test(text) ? pointerKeys(text) : undefined;
}

/** What `document` holds at a JSON Pointer; undefined where it holds nothing, or the text is not a pointer. */
export function atPointer(document: JsonValue | undefined, pointer: string): JsonValue | undefined {
  const keys = parsePointer(pointer);
  return keys && valueAt(document, keys);
}

/** A path as people write it, one key longer: `stages`, `stages[0]`, `stages[0].name`, `limits["a b"]`. */
export function displayStep(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

/**
 * The JSON Pointer of a path as `displayStep` writes it; of as much of the path as `document` has. An empty path is the whole.
 */
export function pointerOfPath(document: JsonValue, path: string): string {
  let [pointer, shown] = ['', ''];
  let value: JsonValue | undefined = document;
  while (shown !== path) {
    const keys = Array.isArray(value) ? [...value.keys()] : isJsonObject(value) ? Object.keys(value) : [];
    const next = keys.find((key) => {
      const step = displayStep(shown, key);
      return path.startsWith(step) && ['', '.', '['].includes(path.charAt(step.length));
    });
    if (next === undefined) break;
    [pointer, shown] = [`${pointer}/${escapePointer(String(next))}`, displayStep(shown, next)];
    value = childOf(value, String(next));
  }
  return pointer;
}

/**
 * What `value` holds under one key: an object's own member, or a list's element. RFC 6901 writes an index without leading
 * zeros, so `01` names no element.
 */
export function childOf(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (Array.isArray(value)) return /^(?:0|[1-9][0-9]*)$/.test(key) ? value[Number(key)] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** What `document` holds at the end of a path of keys; undefined where a step of it is missing. */
export function valueAt(document: JsonValue | undefined, keys: readonly string[]): JsonValue | undefined {
  let value = document;
  for (const key of keys) {
    if (value === undefined) return undefined;
    value = childOf(value, key);
  }
  return value;
}
