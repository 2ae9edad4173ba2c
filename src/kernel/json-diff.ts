import { canonicalJson } from './canonical-json';
import { isJsonObject, type JsonValue } from './json';
import { childOf, displayStep } from './json-pointer';

/** One place where two documents differ; a side is absent where the document holds nothing there. */
export interface JsonChange {
  /** `stages[1].action.url`; empty for the whole document */
  path: string;
  a?: JsonValue;
  b?: JsonValue;
}

export interface JsonDiffOptions {
  /**
   * `whole` compares a list as one value: an element has no name, and one put in front would change all the others.
   * `elements` compares the first with the first, and so on, for lists whose order is their meaning.
   */
  lists: 'whole' | 'elements';
}

/** Where two JSON values differ, leaf by leaf, in the order of their paths. The order of keys does not count. */
export function diffJson(
  a: JsonValue | undefined,
  b: JsonValue | undefined,
  options: JsonDiffOptions,
  path = '',
): JsonChange[] {
  const below = (key: string | number): JsonChange[] =>
    diffJson(childOf(a, String(key)), childOf(b, String(key)), options, displayStep(path, key));
  if (isJsonObject(a) && isJsonObject(b)) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort().flatMap(below);
  }
  if (options.lists === 'elements' && Array.isArray(a) && Array.isArray(b)) {
    return Array.from({ length: Math.max(a.length, b.length) }, (_, index) => index).flatMap(below);
  }
  if (canonicalJson(a) === canonicalJson(b)) return [];
  return [{ path, ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) }];
}
