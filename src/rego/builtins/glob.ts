import type { RE2JS } from 're2js';
import { BuiltinError, type Builtins } from './builtin';
import { OperandError, stringAt, wrongItem, wrongType } from './operands';
import { compile } from './regex-matches';
import type { RegoValue } from '../values/value';

export const globBuiltins: Builtins = {
  'glob.match': (operands) => {
    const pattern = stringAt(operands, 0);
    const delimiters = delimitersAt(operands, 1);
    return compileGlob(pattern, delimiters).matcher(stringAt(operands, 2)).find();
  },
  'glob.quote_meta': (operands) => stringAt(operands, 0).replace(/[*?\\[\]{}]/g, '\\$&'),
};

/** null means no delimiter, an empty array the dot. */
function delimitersAt(operands: readonly RegoValue[], index: number): string[] {
  const value = operands[index]!;
  if (value === null) return [];
  if (!Array.isArray(value)) throw wrongType(operands, index, 'array', 'null');
  const delimiters = value.map((item) => {
    if (typeof item !== 'string') throw wrongItem(index, value, item, 'string');
    if ([...item].length !== 1) throw new OperandError(index, 'must be array of strings of one character each');
    return item;
  });
  return delimiters.length === 0 ? ['.'] : delimiters;
}

/** The glob language of `gobwas/glob` as an expression of RE2, which matches in linear time. */
function compileGlob(pattern: string, delimiters: readonly string[]): RE2JS {
  const translated = new Translation([...pattern], delimiters).expression();
  return compile(`^(?:${translated})$`);
}

const ANY = '(?s:.)';
const literal = (char: string) => `\\x{${char.codePointAt(0)!.toString(16)}}`;

class Translation {
  private at = 0;
  /** one character that is no delimiter */
  private readonly single: string;

  constructor(
    private readonly chars: readonly string[],
    delimiters: readonly string[],
  ) {
    this.single = delimiters.length === 0 ? ANY : `[^${delimiters.map(literal).join('')}]`;
  }

  expression(): string {
    let expression = '';
    let depth = 0;
    while (this.at < this.chars.length) {
      const char = this.chars[this.at++]!;
      if (char === '{') depth++;
      if (char === '}' && depth > 0) {
        depth--;
        expression += ')';
      } else expression += char === ',' && depth > 0 ? '|' : this.part(char);
    }
    if (depth > 0) throw new BuiltinError('glob: an alternative that is not closed');
    return expression;
  }

  private part(char: string): string {
    switch (char) {
      case '*':
        return this.stars();
      case '?':
        return this.single;
      case '{':
        return '(?:';
      case '[':
        return this.characterClass();
      case '\\':
        if (this.at === this.chars.length) throw new BuiltinError('glob: nothing to escape');
        return literal(this.chars[this.at++]!);
      default:
        return literal(char);
    }
  }

  /** Two and more go past delimiters. */
  private stars(): string {
    if (this.chars[this.at] !== '*') return `${this.single}*`;
    while (this.chars[this.at] === '*') this.at++;
    return `${ANY}*`;
  }

  private characterClass(): string {
    const negated = this.chars[this.at] === '!';
    if (negated) this.at++;
    const start = this.at;
    let members = '';
    for (; this.at < this.chars.length; this.at++) {
      const char = this.chars[this.at]!;
      if (char === ']' && this.at > start) {
        this.at++;
        return `[${negated ? '^' : ''}${members}]`;
      }
      const isRange = char === '-' && this.at > start && this.chars[this.at + 1] !== ']';
      if (char === '\\') this.at++;
      members += isRange ? '-' : literal(this.chars[this.at] ?? char);
    }
    throw new BuiltinError('glob: a character class that is not closed');
  }
}
