import { isJsonObject, type JsonValue } from '../../kernel/json';

/** JSON with keys in order, so that equal values have equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isJsonObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

export interface Difference {
  /** `stages[1].action.url` */
  path: string;
  /** as JSON, or `absent` */
  before: string;
  after: string;
}

/** Where two values differ, leaf by leaf, in the order of the paths; empty when they are equal. */
export function differences(before: unknown, after: unknown): Difference[] {
  return compare(before as JsonValue, after as JsonValue, '');
}

function compare(before: JsonValue | undefined, after: JsonValue | undefined, path: string): Difference[] {
  if (Array.isArray(before) && Array.isArray(after)) {
    const indexes = Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index);
    return indexes.flatMap((index) => compare(before[index], after[index], `${path}[${index}]`));
  }
  if (isJsonObject(before) && isJsonObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => compare(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  if (canonicalJson(before) === canonicalJson(after)) return [];
  return [{ path: path === '' ? '(all)' : path, before: show(before), after: show(after) }];
}

function show(value: JsonValue | undefined): string {
  return value === undefined ? 'absent' : canonicalJson(value);
}
