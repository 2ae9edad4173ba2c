import { type MaskRule, DEPLOYMENT_PARTS, pathOf } from '../../kernel/mask-rule';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { childOf, parsePointer, toPointer, valueAt } from '../../kernel/json-pointer';

/** Everything that can be masked: what is not known to be fit to show is not shown. */
export const MASK_ALL: readonly MaskRule[] = ['/input'];

/**
 * The rules that find something in `input`, each with a pointer of its own: one to the whole input or to the whole
 * deployment becomes one to each fact and to the attributes. A rule about a fact that could not be had is kept, because
 * what is said about the fact may hold its value; so is one about the result.
 *
 * @param absent ids of facts that could not be had
 * @returns ordered by pointer, each once; of two about one pointer the one that makes it null counts, else the first
 */
export function resolveMask(rules: readonly MaskRule[], input: JsonObject, absent: readonly string[] = []): MaskRule[] {
  const found = new Map<string, MaskRule>();
  for (const rule of rules) {
    for (const keys of widened(parsePointer(pathOf(rule)) ?? [], input, absent)) {
      const path = toPointer(keys);
      const isMissing = keys[0] === 'input' && absent.includes(keys[1] ?? '');
      if (!(keys[0] === 'result' || isMissing || valueAt(input, keys.slice(1)) !== undefined)) continue;
      if (typeof rule === 'string') found.set(path, path);
      else if (!found.has(path)) found.set(path, { path, value: rule.value });
    }
  }
  return [...found.keys()].sort().map((path) => found.get(path)!);
}

function widened(keys: readonly string[], input: JsonObject, absent: readonly string[]): string[][] {
  const [root, first, second] = keys;
  if (root === 'result') return [[...keys]];
  if (root !== 'input' || first === 'decision_time') return [];
  if (first === undefined) {
    return [...new Set([...Object.keys(input), ...absent])].flatMap((id) => widened(['input', id], input, absent));
  }
  if (first !== 'deployment') return [[...keys]];
  if (second === undefined) return DEPLOYMENT_PARTS.map((part) => ['input', 'deployment', part]);
  return DEPLOYMENT_PARTS.includes(second) ? [[...keys]] : [];
}

/** A copy of `document` with `value` in the place that `keys` name, where there is one. */
export function replaced(document: JsonValue, keys: readonly string[], value: JsonValue): JsonValue {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  const child = childOf(document, key);
  if (child === undefined) return document;
  const changed = replaced(child, rest, value);
  if (Array.isArray(document)) return document.map((item, index) => (index === Number(key) ? changed : item));
  return Object.fromEntries(Object.entries(document as JsonObject).map(([k, v]) => [k, k === key ? changed : v]));
}

/** The texts and numbers within masked values, as text: what must not show up in a code or in a source's address. */
export function scalarTexts(value: JsonValue | undefined): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (typeof value === 'number') return [String(value)];
  if (Array.isArray(value)) return value.flatMap(scalarTexts);
  return isJsonObject(value) ? Object.values(value).flatMap(scalarTexts) : [];
}

/** The keys of objects within a masked value. */
export function keyTexts(value: JsonValue | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(keyTexts);
  return isJsonObject(value) ? Object.entries(value).flatMap(([key, child]) => [key, ...keyTexts(child)]) : [];
}
