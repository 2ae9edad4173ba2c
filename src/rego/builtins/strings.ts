import { BuiltinError, integerAt, listAt, stringAt, stringsOf, type Builtins } from './builtin';
import { RegoNumber, RegoSet, type RegoValue } from './rego-value';

/** Positions count code points, as in OPA, not UTF-16 units. */
export const stringBuiltins: Builtins = {
  indexof_n: (operands) => {
    const text = [...stringAt(operands, 0)];
    const search = [...stringAt(operands, 1)];
    if (search.length === 0) throw new BuiltinError('empty search character');
    const found: RegoValue[] = [];
    for (let at = 0; at + search.length <= text.length; at++) {
      if (search.every((char, offset) => char === text[at + offset])) found.push(RegoNumber.of(at));
    }
    return found;
  },
  'strings.count': (operands) => {
    const [text, search] = [stringAt(operands, 0), stringAt(operands, 1)];
    return RegoNumber.of(search === '' ? [...text].length + 1 : text.split(search).length - 1);
  },
  'strings.split_n': (operands) => {
    const [text, delimiter, count] = [stringAt(operands, 0), stringAt(operands, 1), integerAt(operands, 2)];
    const parts = delimiter === '' ? [...text] : text.split(delimiter);
    if (count < 0) return parts.slice(Math.max(parts.length + count, 0));
    return parts.slice(0, count);
  },
  'strings.any_prefix_match': (operands) => anyMatch(operands, (text, affix) => text.startsWith(affix)),
  'strings.any_suffix_match': (operands) => anyMatch(operands, (text, affix) => text.endsWith(affix)),
  'glob.quote_meta': (operands) => stringAt(operands, 0).replace(/[*?\\[\]{}]/g, '\\$&'),
};

function anyMatch(operands: readonly RegoValue[], match: (text: string, affix: string) => boolean): boolean {
  const [texts, affixes] = [oneOrMore(operands, 0), oneOrMore(operands, 1)];
  return texts.some((text) => affixes.some((affix) => match(text, affix)));
}

function oneOrMore(operands: readonly RegoValue[], index: number): string[] {
  const operand = operands[index];
  if (typeof operand === 'string') return [operand];
  if (Array.isArray(operand) || operand instanceof RegoSet) return stringsOf(listAt(operands, index));
  throw new BuiltinError(`operand ${index + 1} must be one of {string, set, array}`);
}
