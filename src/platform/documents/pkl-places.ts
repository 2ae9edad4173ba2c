import { pointerKeys } from '../../kernel/json-pointer';
import { placeAt, type TextPlace } from './json-places';

/** A member of an object, by the keys that lead to it, and where its text begins. */
interface Member {
  path: readonly string[];
  offset: number;
}

/** An object that is open. */
interface Body {
  path: readonly string[];
  /** of the next element of a listing */
  index: number;
}

/** Blanks and comments, texts (three quotes, raw ones), names in backticks or without, and whatever else is one character. */
const TOKEN =
  /(?<gap>[^\S\n]+|\/\/[^\n]*|\/\*[^]*?\*\/)|(?<text>(?<raw>#+)"[^]*?"\k<raw>|"""(?:\\[^]|[^\\])*?"""|"(?:\\[^]|[^"\\\n])*")|(?<name>`[^`\n]*`|[\p{L}_$][\p{L}\p{N}_$]*)|[^]/gu;

/** What begins a statement of PKL and is no member of the object around it. */
const NO_MEMBERS = new Set(['amends', 'extends', 'import', 'module', 'class', 'typealias', 'function']);
const MODIFIERS = new Set(['local', 'hidden', 'fixed', 'const', 'abstract', 'open', 'external']);

/**
 * Where the text of a PKL file sets what a JSON Pointer names in the document that it renders; the innermost thing around it
 * that the text sets, and at last the beginning. PKL says where in a file something is only for faults that it finds itself.
 *
 * It reads names and braces, not the language: what a file computes or inherits has the place of what is around it.
 */
export function placeInPkl(text: string, pointer: string): TextPlace {
  const keys = pointerKeys(pointer);
  let best: Member = { path: [], offset: 0 };
  for (const member of membersOf(text)) {
    const { path } = member;
    if (path.length > best.path.length && path.every((key, index) => key === keys[index])) best = member;
  }
  return placeAt(text, best.offset);
}

function membersOf(text: string): Member[] {
  const members: Member[] = [];
  const open: Body[] = [{ path: [], index: 0 }];
  let path: readonly string[] = [];
  // The words of a statement up to the first that says what it is.
  let isStart = true;
  let key: { text: string; offset: number; isQuoted: boolean } | undefined;
  let isInBrackets = false;
  const set = (name: string, offset: number): void => {
    path = [...open.at(-1)!.path, name];
    members.push({ path, offset });
  };
  for (const { 0: token, index: offset, groups = {} } of text.matchAll(TOKEN)) {
    if (groups.gap !== undefined) continue;
    const body = open.at(-1)!;
    if (token === '\n' || token === ';') {
      isStart = true;
      key = undefined;
    } else if (token === '{') {
      if (key !== undefined && !key.isQuoted) set(key.text, key.offset);
      open.push({ path, index: 0 });
      isStart = true;
      key = undefined;
    } else if (token === '}') {
      if (open.length > 1) open.pop();
      path = open.at(-1)!.path;
      isStart = false;
    } else if (key !== undefined && (token === '=' || token === ':') && !isInBrackets) {
      if (!key.isQuoted) set(key.text, key.offset);
      key = undefined;
    } else if (isStart && token === '[') {
      isInBrackets = true;
      isStart = false;
      key = { text: '', offset, isQuoted: true };
    } else if (isInBrackets) {
      if (groups.text !== undefined) set(valueOf(token), key!.offset);
      isInBrackets = token !== ']';
    } else if (isStart && MODIFIERS.has(token)) {
      continue;
    } else if (isStart && (token === 'when' || token === 'for')) {
      // A generator: what its braces hold belongs to the object around it.
      path = body.path;
      isStart = false;
    } else if (isStart && groups.name !== undefined && token !== 'new') {
      isStart = false;
      if (NO_MEMBERS.has(token)) path = [...body.path, `${token} of PKL`];
      else key = { text: token.replaceAll('`', ''), offset, isQuoted: false };
    } else if (isStart) {
      set(String(body.index), offset);
      body.index += 1;
      isStart = false;
    } else if (token !== '(' && token !== ')') key = key?.isQuoted === true ? key : undefined;
  }
  return members;
}

/** The text between its quotes; what it computes cannot be a key. */
function valueOf(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted.replace(/^#*"+|"+#*$/g, '');
  }
}
