import { BuiltinError, type Builtins } from './builtin';
import { integerAt, itemsOf, objectAt, OperandError, stringAt, stringsAt, wrongType } from './operands';
import type { BuiltinBudget } from './plan-builtin';
import { countOf, replaceAll } from './replacer';
import { isAscii, toLower, toUpper } from './text-case';
import type { RegoValue } from '../values/value';

/** Positions count code points, as in OPA, not UTF-16 units. */
export const stringBuiltins: Builtins = {
  concat: (operands, { budget }) => {
    const [joint, parts] = [stringAt(operands, 0), stringsAt(operands, 1)];
    budget.characters(parts.reduce((length, part) => length + part.length + joint.length, 0));
    return parts.join(joint);
  },
  contains: (operands) => stringAt(operands, 0).includes(stringAt(operands, 1)),
  startswith: (operands) => stringAt(operands, 0).startsWith(stringAt(operands, 1)),
  endswith: (operands) => stringAt(operands, 0).endsWith(stringAt(operands, 1)),
  indexof: (operands) => {
    const [text, search] = [stringAt(operands, 0), searchAt(operands, 1)];
    const at = text.indexOf(search);
    return at <= 0 || isAscii(text) ? at : [...text.slice(0, at)].length;
  },
  indexof_n: (operands, { budget }) => {
    const [text, search] = [stringAt(operands, 0), searchAt(operands, 1)];
    const found: number[] = [];
    let [codePoints, last] = [0, 0];
    for (let at = text.indexOf(search); at >= 0; at = text.indexOf(search, at + 1)) {
      budget.spend(1);
      codePoints += [...text.slice(last, at)].length;
      last = at;
      found.push(codePoints);
    }
    budget.elements(found.length);
    return found;
  },
  substring: (operands) => {
    const [text, start, length] = [stringAt(operands, 0), integerAt(operands, 1), integerAt(operands, 2)];
    if (start < 0) throw new BuiltinError('negative offset');
    const end = length < 0 ? undefined : start + length;
    return isAscii(text) ? text.slice(start, end) : [...text].slice(start, end).join('');
  },
  lower: (operands) => toLower(stringAt(operands, 0)),
  upper: (operands) => toUpper(stringAt(operands, 0)),
  split: (operands, { budget }) => split(stringAt(operands, 0), stringAt(operands, 1), budget),
  replace: (operands, { budget }) => {
    const [text, from, to] = [stringAt(operands, 0), stringAt(operands, 1), stringAt(operands, 2)];
    return replaceAll(text, [[from, to]], budget);
  },
  'strings.replace_n': (operands, { budget }) => {
    const [patterns, text] = [objectAt(operands, 0), stringAt(operands, 1)];
    const pairs = patterns.entries.map(([from, to]) => {
      if (typeof from !== 'string') throw new OperandError(0, 'non-string key found in pattern object');
      if (typeof to !== 'string') throw new OperandError(0, 'non-string value found in pattern object');
      return [from, to] as const;
    });
    return pairs.length === 0 ? text : replaceAll(text, pairs, budget);
  },
  'strings.reverse': (operands) => [...stringAt(operands, 0)].reverse().join(''),
  'strings.count': (operands) => {
    const [text, search] = [stringAt(operands, 0), stringAt(operands, 1)];
    return search === '' ? [...text].length + 1 : countOf(text, search);
  },
  'strings.split_n': (operands, { budget }) => {
    const [text, delimiter, count] = [stringAt(operands, 0), stringAt(operands, 1), integerAt(operands, 2)];
    const parts = split(text, delimiter, budget);
    return count < 0 ? parts.slice(Math.max(parts.length + count, 0)) : parts.slice(0, count);
  },
  'strings.any_prefix_match': (operands) => anyMatch(operands, (text, affix) => text.startsWith(affix)),
  'strings.any_suffix_match': (operands) => anyMatch(operands, (text, affix) => text.endsWith(affix)),
  trim: (operands) => {
    const [text, cutset] = [stringAt(operands, 0), stringAt(operands, 1)];
    return trimEnd(trimStart(text, cutset), cutset);
  },
  trim_left: (operands) => trimStart(stringAt(operands, 0), stringAt(operands, 1)),
  trim_right: (operands) => trimEnd(stringAt(operands, 0), stringAt(operands, 1)),
  trim_prefix: (operands) => {
    const [text, prefix] = [stringAt(operands, 0), stringAt(operands, 1)];
    return text.startsWith(prefix) ? text.slice(prefix.length) : text;
  },
  trim_suffix: (operands) => {
    const [text, suffix] = [stringAt(operands, 0), stringAt(operands, 1)];
    return text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text;
  },
  trim_space: (operands) => trimEnd(trimStart(stringAt(operands, 0), SPACE), SPACE),
};

/** Unicode's White_Space, which Go's `TrimSpace` takes; JavaScript's `trim` also takes U+FEFF and not U+0085. */
const SPACE =
  '\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';

function searchAt(operands: readonly RegoValue[], index: number): string {
  stringAt(operands, 0);
  const search = stringAt(operands, index);
  if (search === '') throw new BuiltinError('empty search character');
  return search;
}

function split(text: string, delimiter: string, budget: BuiltinBudget): string[] {
  budget.spend(text.length >> 3);
  budget.elements(delimiter === '' ? text.length : countOf(text, delimiter) + 1);
  return delimiter === '' ? [...text] : text.split(delimiter);
}

function trimStart(text: string, cutset: string): string {
  const cut = new Set(cutset);
  let at = 0;
  for (const char of text) {
    if (!cut.has(char)) break;
    at += char.length;
  }
  return text.slice(at);
}

function trimEnd(text: string, cutset: string): string {
  const cut = new Set(cutset);
  const chars = [...text];
  let end = chars.length;
  while (end > 0 && cut.has(chars[end - 1]!)) end--;
  return end === chars.length ? text : chars.slice(0, end).join('');
}

function anyMatch(operands: readonly RegoValue[], match: (text: string, affix: string) => boolean): boolean {
  const [texts, affixes] = [oneOrMore(operands, 0), oneOrMore(operands, 1)];
  return texts.some((text) => affixes.some((affix) => match(text, affix)));
}

function oneOrMore(operands: readonly RegoValue[], index: number): string[] {
  const operand = operands[index]!;
  if (typeof operand === 'string') return [operand];
  if (itemsOf(operand) === undefined) throw wrongType(operands, index, 'string', 'set', 'array');
  return stringsAt(operands, index);
}
