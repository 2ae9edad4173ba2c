import { isJsonObject, type JsonValue } from '../../kernel/json';

/** One place where two documents differ; a side is absent where the document has nothing there. */
export interface ValueChange {
  /** `limits.maxPending`; empty for the whole document */
  path: string;
  a?: JsonValue;
  b?: JsonValue;
}

/**
 * Where two documents differ, in the order of their paths. Objects are compared by key, whatever their order; lists as
 * wholes, since an element has no name.
 */
export function compareValues(a: JsonValue | undefined, b: JsonValue | undefined, path = ''): ValueChange[] {
  if (isJsonObject(a) && isJsonObject(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
    return keys.flatMap((key) => compareValues(own(a, key), own(b, key), step(path, key)));
  }
  if (canonicalText(a) === canonicalText(b)) return [];
  return [{ path, ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) }];
}

/** JSON with the keys of every object in order: the same text for the same value. */
export function canonicalText(value: unknown): string {
  return (
    JSON.stringify(value, (_key, child: unknown) =>
      isJsonObject(child)
        ? Object.fromEntries(Object.entries(child).sort(([one], [other]) => (one < other ? -1 : 1)))
        : child,
    ) ?? ''
  );
}

const own = (object: Record<string, JsonValue>, key: string): JsonValue | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

function step(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}
