import { pointerKeys } from '../../kernel/json-pointer';
import { endOfText, isKey } from './json-text';

/** A place in a text, both from 1; columns count UTF-16 units. */
export interface TextPlace {
  line: number;
  column: number;
}

/** An object or array that is open: only a list has an index, that of its current value. */
interface Open {
  index?: number;
  isOnTheWay: boolean;
}

/** A number, `true`, `false` or `null`. */
const LITERAL = /[^\s,:[\]{}"]+/y;

/**
 * Where a text that is JSON has what a JSON Pointer names, an object's member at its key; the innermost thing around it where
 * the text has nothing there. Without recursion, and the text is read once.
 */
export function placeInJson(text: string, pointer: string): TextPlace {
  const keys = pointerKeys(pointer);
  const open: Open[] = [];
  let offset = Math.max(0, text.search(/\S/));
  let best = 0;
  let isNextOnTheWay = true;
  const step = (key: string, around: Open, at: number): void => {
    isNextOnTheWay = around.isOnTheWay && keys[open.length - 1] === key;
    if (isNextOnTheWay && open.length > best) [best, offset] = [open.length, at];
  };
  for (let at = offset; at < text.length && best < keys.length;) {
    const character = text[at]!;
    const around = open.at(-1);
    if (character === '}' || character === ']') open.pop();
    if (character === ',' && around?.index !== undefined) around.index += 1;
    if (/[\s,:}\]]/.test(character)) {
      at += 1;
      continue;
    }
    const end = character === '"' ? endOfText(text, at) : at + 1;
    if (around?.index !== undefined) step(String(around.index), around, at);
    else if (around !== undefined && character === '"' && isKey(text, end)) {
      step(JSON.parse(text.slice(at, end)) as string, around, at);
    }
    if (character === '{') open.push({ isOnTheWay: isNextOnTheWay });
    else if (character === '[') open.push({ index: 0, isOnTheWay: isNextOnTheWay });
    LITERAL.lastIndex = at;
    at = character === '"' || '{['.includes(character) ? end : at + (LITERAL.exec(text)?.[0].length ?? 1);
  }
  return placeAt(text, offset);
}

/** The place of an offset in a text. */
export function placeAt(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
