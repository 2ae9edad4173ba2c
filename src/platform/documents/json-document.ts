import type { JsonObject, JsonValue } from '../../kernel/json';
import { displayStep, escapePointer, pointerKeys } from '../../kernel/json-pointer';
import { expectedNumber, isSafeNumber } from '../../kernel/numbers';

/** Deeper than any configuration is, and far from where a recursion would end the process. */
const DEEPEST = 100;

/** One thing that no JSON document of ours may hold; `pointer` is a JSON Pointer (RFC 6901). */
export interface DocumentFault {
  pointer: string;
  expected: string;
  found: string;
}

/**
 * A copy of `value` that holds JSON only, for what comes from a caller or a parser. Keys whose value is undefined are left
 * out, as JSON.stringify does; everything else that JSON cannot say without loss is a fault: numbers that are not finite,
 * whole numbers from 2^53 on (wasm would round them silently), the key `__proto__`, cycles, and objects of classes.
 */
export function toJsonDocument(value: unknown): { document: JsonValue; faults: DocumentFault[] } {
  const faults: DocumentFault[] = [];
  const ancestors: object[] = [];

  function copy(item: unknown, pointer: string): JsonValue {
    if (item === null || typeof item === 'string' || typeof item === 'boolean') return item;
    if (typeof item === 'number') return copyNumber(item, pointer);
    if (typeof item !== 'object') return refuse(pointer, 'a JSON value', describeKind(item));
    if (ancestors.includes(item)) return refuse(pointer, 'a value that does not contain itself', 'a cycle');
    if (ancestors.length >= DEEPEST) return refuse(pointer, `at most ${DEEPEST} levels`, 'more');
    ancestors.push(item);
    const result = Array.isArray(item)
      ? item.map((each: unknown, index) => copy(each, `${pointer}/${index}`))
      : copyObject(item, pointer);
    ancestors.pop();
    return result;
  }

  function copyNumber(item: number, pointer: string): JsonValue {
    if (isSafeNumber(item)) return item;
    return refuse(pointer, expectedNumber(item), String(item));
  }

  function copyObject(item: object, pointer: string): JsonValue {
    // By tag and not by prototype: in a vm context (jest, workflow sandboxes) a plain object is another realm's.
    if (Object.prototype.toString.call(item) !== '[object Object]')
      return refuse(pointer, 'a JSON value', describeKind(item));
    const result: JsonObject = {};
    for (const [key, each] of Object.entries(item)) {
      const at = `${pointer}/${escapePointer(key)}`;
      if (key === '__proto__') refuse(at, 'another key', 'the reserved key __proto__');
      else if (each !== undefined) result[key] = copy(each, at);
    }
    return result;
  }

  function refuse(pointer: string, expected: string, found: string): null {
    faults.push({ pointer, expected, found });
    return null;
  }

  return { document: copy(value, ''), faults };
}

/** `a text`, `an array`, `null`: the kind of a value, which is safe to show even where the value is a secret. */
export function describeKind(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') {
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    if (tag !== 'Object') return `an object of class ${tag}`;
    const keys = Object.keys(value);
    return keys.length === 0 ? 'an empty object' : `an object with the keys ${keys.slice(0, 5).join(', ')}`;
  }
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text';
  return typeof value === 'undefined' ? 'nothing' : `a ${typeof value}`;
}

/** `/stages/0/name` as people write it: `stages[0].name`; the whole document is `the document`. */
export function displayPath(pointer: string): string {
  let path = '';
  for (const key of pointerKeys(pointer)) path = displayStep(path, /^[0-9]+$/.test(key) ? Number(key) : key);
  return path === '' ? 'the document' : path;
}

/** Freezes `value` and all that it holds; returns it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const each of Object.values(value)) deepFreeze(each);
  }
  return value;
}
