import type { JsonValue } from '../../kernel/json';
import { compareStrings } from './compare';
import { ExactNumber } from './number';
import type { RegoObject } from './rego-object';
import { isSet, type RegoValue } from './value';

/** JSON in OPA's form: numbers as they are written, sets as arrays in their order, keys that are no strings as JSON. */
export function writeJson(value: RegoValue): string {
  switch (typeof value) {
    case 'string':
      return quoteJson(value);
    case 'boolean':
    case 'number':
      return String(value);
    default:
  }
  if (value === null) return 'null';
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  if (isSet(value)) return `[${value.items.map(writeJson).join(',')}]`;
  return `{${jsonEntries(value)
    .map(([key, item]) => `${quoteJson(key)}:${writeJson(item)}`)
    .join(',')}}`;
}

/** An object's keys as texts, sorted as texts; of keys with the same text (1 and "1") the last one stays. */
export function jsonEntries(object: RegoObject): readonly (readonly [string, RegoValue])[] {
  const entries = object.entries.map(([key, item]) => [keyText(key), item] as const);
  if (object.keys.every((key) => typeof key === 'string')) return entries;
  return [...new Map(entries)].sort(([a], [b]) => compareStrings(a, b));
}

/** A key as text: a string is itself, any other value its JSON, in which OPA escapes what HTML would read. */
export function keyText(key: RegoValue): string {
  return typeof key === 'string' ? key : escapeHtml(writeJson(key));
}

/** The escapes that Go's `encoding/json` adds by default. */
export function escapeHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A string as JSON, with U+FFFD for half of a surrogate pair, as Go writes it. */
export function quoteJson(text: string): string {
  return JSON.stringify(toWellFormed(text));
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** Half of a surrogate pair has no UTF-8; Go puts the replacement character there, and wasm would abort. */
export function toWellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\uFFFD');
}

/** The JSON of a document for an evaluation, with U+FFFD for half of a surrogate pair, as OPA reads it. */
export function writeDocument(document: JsonValue): string {
  const text = JSON.stringify(document);
  return text.includes('\\ud') ? text.replace(ESCAPES, (escape) => (escape.length > 2 ? '\\ufffd' : escape)) : text;
}

/** JSON.stringify escapes no surrogate but one that is alone. An escaped backslash may stand before the letters `ud`. */
const ESCAPES = /\\(?:ud[89a-f][0-9a-f]{2}|.)/g;
