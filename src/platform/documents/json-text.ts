import { parse as parseLossless } from 'lossless-json';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { displayStep } from '../../kernel/json-pointer';
import { expectedNumber, isSafeNumber } from '../../kernel/numbers';

/** One thing for which a JSON text is refused. `sentence` begins in lower case and quotes no text, which may be secret. */
export interface TextFault {
  sentence: string;
  /** from 1, as is `column`; absent where they are not known */
  line?: number;
  column?: number;
}

/** More faults than this help no one: the text was not written by hand, or is not what the user meant to give. */
const MOST_FAULTS = 100;

/** Far deeper than any document is, and far from where a recursion over its value would end the process. */
const MOST_LEVELS = 1000;
const TOO_DEEP = `expected at most ${MOST_LEVELS} levels, got more`;

export const TWICE = 'the same key is twice in one object';

/** Thrown by `parseJsonText` with every fault, up to 100. */
export class JsonTextError extends Error {
  override readonly name = 'JsonTextError';
  constructor(
    /** whether the text is JSON at all: then it holds a duplicate key, a number that would be rounded, or too many levels */
    readonly isJson: boolean,
    readonly faults: readonly TextFault[],
  ) {
    super(faults.map(({ sentence }) => sentence).join('; '));
  }
}

/**
 * The value of a JSON text that a user or a source hands in: RFC 8259 and nothing else, every number as it is written, no
 * key twice in one object, at most 1000 levels. The time it takes grows with the text's length, whatever the text holds.
 *
 * @throws JsonTextError
 */
export function parseJsonText(text: string): JsonValue {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    throw new JsonTextError(false, [jsonSyntaxFault(text)]);
  }
  // A good text is never taken apart by hand: it is enough to count its keys, and to look at each number once.
  const members = countMembers(value);
  if (members === undefined || members !== countKeys(text)) throw new JsonTextError(true, findFaults(text));
  return value;
}

/**
 * Why a text is no JSON, and where.
 *
 * V8 does not always say where, and quotes the text, where a secret could be; lossless-json does neither.
 */
export function jsonSyntaxFault(text: string): TextFault {
  const sentence = 'expected JSON, but it cannot be parsed';
  try {
    parseLossless(text);
  } catch (error) {
    const { message } = error as Error;
    const position = /at position (\d+)$/.exec(message)?.[1];
    if (position !== undefined) {
      const before = text.slice(0, Number(position)).split('\n');
      const column = before.at(-1)!.length + 1;
      return { sentence: `${sentence}: ${message.replace(/ at position \d+$/, '')}`, line: before.length, column };
    }
  }
  return { sentence };
}

/**
 * How many members all objects have; undefined when a number is not safe, or a level is too deep. Without recursion, and a
 * leaf is looked at where it is: a list of them would be as long as the document.
 */
function countMembers(value: JsonValue): number | undefined {
  let count = 0;
  let level: (readonly JsonValue[] | JsonObject)[] = [[value]];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MOST_LEVELS) return undefined;
    const below: typeof level = [];
    const isGood = (child: JsonValue | undefined): boolean => {
      if (typeof child === 'number') return isSafeNumber(child);
      if (typeof child === 'object' && child !== null) below.push(child);
      return true;
    };
    for (const each of level) {
      if (isList(each)) {
        for (const child of each) if (!isGood(child)) return undefined;
      } else {
        // In place of Object.values, which takes twice the time for an object of thousands of keys.
        for (const key in each) {
          if (!isGood(each[key])) return undefined;
          count += 1;
        }
      }
    }
    level = below;
  }
  return count;
}

/** Array.isArray, which also tells the type checker of lists that must not be changed. */
const isList = (value: readonly JsonValue[] | JsonObject): value is readonly JsonValue[] => Array.isArray(value);

/** In JSON a text before a colon is a key, and only that is: there are as many as members, unless one is there twice. */
function countKeys(text: string): number {
  let keys = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at)) {
    at = endOfText(text, at);
    if (isKey(text, at)) keys += 1;
  }
  return keys;
}

/** The offset behind the text whose opening quote is at `from`, in a text that is JSON. */
export function endOfText(text: string, from: number): number {
  const quote = text.indexOf('"', from + 1);
  if (!isEscaped(text, quote)) return quote + 1;
  // Where one quote is escaped there are often many, and a look at each character takes less time than a search for each.
  let at = quote + 1;
  for (let code = text.charCodeAt(at); code !== QUOTE; code = text.charCodeAt(at)) at += code === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** Of backslashes in a row each other one is escaped itself. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === BACKSLASH) before -= 1;
  return (at - before) % 2 === 0;
}

/** Whether the text that ends before `end` is the key of a member. */
export function isKey(text: string, end: number): boolean {
  let at = end;
  while (text.charCodeAt(at) <= SPACE) at += 1;
  return text.charCodeAt(at) === COLON;
}

const SPACE = 32;
const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;
const NUMBER = /-?\d[\d.eE+-]*/y;

/** An object or array that is open at some offset: the keys met in it, and the key or index of the current value. */
interface Open {
  keys?: Set<string>;
  step: string | number;
}

/** Every duplicate key and unsafe number of a text that is JSON, with their lines, up to where it is too deep. */
function findFaults(text: string): TextFault[] {
  const faults: TextFault[] = [];
  const open: Open[] = [];
  let line = 1;
  let lineStart = 0;
  for (let at = 0; at < text.length && faults.length < MOST_FAULTS;) {
    const character = text[at]!;
    const around = open.at(-1);
    const column = at - lineStart + 1;
    if (open.length > MOST_LEVELS) return [...faults, { sentence: TOO_DEEP, line, column }];
    if (character === '"') {
      const end = endOfText(text, at);
      if (around?.keys && isKey(text, end)) {
        const key = JSON.parse(text.slice(at, end)) as string;
        if (around.keys.has(key)) faults.push({ sentence: TWICE, line, column });
        around.keys.add(key);
        around.step = key;
      }
      at = end;
    } else if (/[-\d]/.test(character)) {
      NUMBER.lastIndex = at;
      const [digits] = NUMBER.exec(text)!;
      if (!isSafeNumber(Number(digits))) faults.push({ sentence: numberSentence(open, digits), line, column });
      at += digits.length;
    } else {
      if (character === '{') open.push({ keys: new Set(), step: '' });
      else if (character === '[') open.push({ step: 0 });
      else if (character === '}' || character === ']') open.pop();
      else if (character === ',' && typeof around?.step === 'number') around.step += 1;
      else if (character === '\n') {
        line += 1;
        lineStart = at + 1;
      }
      at += 1;
    }
  }
  return faults;
}

function numberSentence(open: readonly Open[], digits: string): string {
  const path = open.map(({ step }) => step);
  return unsafeNumber(path, digits, Number(digits));
}

/** The sentence about a number at a path of keys and indexes, quoted as it is written. */
export function unsafeNumber(path: readonly (string | number)[], written: string, value: number): string {
  const shown = path.reduce<string>(displayStep, '');
  const digits = written.length > MOST_DIGITS ? `${written.slice(0, MOST_DIGITS)}…` : written;
  return `expected ${shown === '' ? 'the document' : shown} to be ${expectedNumber(value)}, got ${digits}`;
}

const MOST_DIGITS = 40;
