import { BuiltinError, type Builtins } from './builtin';
import { stringAt } from './operands';
import type { BuiltinBudget } from './plan-builtin';

/**
 * Whether two patterns match a common text: yashtewari/glob-intersection, which OPA uses, its search included, since it
 * gives up earlier than a full one would.
 */
export const globsMatchBuiltins: Builtins = {
  'regex.globs_match': (operands, { budget }) => {
    const [a, b] = [tokenize(stringAt(operands, 0)), tokenize(stringAt(operands, 1))];
    const trimmed = trim(a, b);
    return trimmed !== undefined && intersect(...trimmed, budget);
  },
};

type Flag = '' | '+' | '*';
/** A character, `.` for any one, or a set of characters. */
interface Token {
  one: string | '.any' | ReadonlySet<string>;
  flag: Flag;
}

const ANY = '.any';

function tokenize(text: string): Token[] {
  const reader = new TokenReader([...text]);
  const tokens: Token[] = [];
  for (let token = reader.next(); token !== undefined; token = reader.next()) {
    const last = tokens.at(-1);
    // t*t+ is t+, t*t* is t*
    if (last && last.flag !== '' && token.flag !== '' && isSame(last, token)) {
      last.flag = last.flag === '+' || token.flag === '+' ? '+' : '*';
    } else tokens.push(token);
  }
  return tokens;
}

class TokenReader {
  private at = 0;
  constructor(private readonly chars: readonly string[]) {}

  next(): Token | undefined {
    const read = this.char();
    if (read === undefined) return undefined;
    const [char, isEscaped] = read;
    if (!isEscaped && (char === ']' || char === '+' || char === '*')) throw invalid(`a ${char} with nothing before it`);
    const one = isEscaped ? char : char === '.' ? ANY : char === '[' ? this.set() : char;
    const flag = this.chars[this.at];
    if (flag !== '+' && flag !== '*') {
      if (flag === '\\' && this.at === this.chars.length - 1) throw invalid('a \\ at the end');
      return { one, flag: '' };
    }
    this.at++;
    return { one, flag };
  }

  private char(): [char: string, isEscaped: boolean] | undefined {
    const char = this.chars[this.at++];
    if (char === undefined) return undefined;
    if (char !== '\\') return [char, false];
    const escaped = this.chars[this.at++];
    if (escaped === undefined) throw invalid('a \\ at the end');
    return [escaped, true];
  }

  private set(): ReadonlySet<string> {
    const set = new Set<string>();
    let before: string | undefined;
    for (let read = this.char(); read !== undefined; read = this.char()) {
      const [char, isEscaped] = read;
      if (!isEscaped && char === ']') return set;
      if (!isEscaped && char === '-') {
        if (before === undefined) throw invalid('a range without a start');
        this.range(before, set);
        before = undefined;
      } else {
        set.add(char);
        before = char;
      }
    }
    throw invalid('a [ without its ]');
  }

  private range(from: string, set: Set<string>): void {
    if (this.at >= this.chars.length - 1) throw invalid('a range without an end');
    const [to, isEscaped] = this.char()!;
    if (!isEscaped && (to === ']' || to === '-')) throw invalid('a range without an end');
    const [first, last] = [from.codePointAt(0)!, to.codePointAt(0)!];
    if (last < first) throw invalid('a range out of order');
    for (let code = first; code <= last; code++) set.add(String.fromCodePoint(code));
  }
}

const invalid = (what: string) => new BuiltinError(`the input provided is invalid: ${what}`);

function isSame(a: Token, b: Token): boolean {
  if (typeof a.one === 'string' || typeof b.one === 'string') return a.one === b.one;
  return a.one.size === b.one.size && [...a.one].every((char) => (b.one as ReadonlySet<string>).has(char));
}

function isMatch(a: Token, b: Token): boolean {
  if (a.one === ANY || b.one === ANY) return true;
  if (typeof a.one === 'string') return typeof b.one === 'string' ? a.one === b.one : b.one.has(a.one);
  return typeof b.one === 'string'
    ? a.one.has(b.one)
    : [...a.one].some((char) => (b.one as ReadonlySet<string>).has(char));
}

/** Without the plain tokens at both ends, one of each side left; undefined where they do not match. */
function trim(a: Token[], b: Token[]): [Token[], Token[]] | undefined {
  const arePlain = (x?: Token, y?: Token) => x !== undefined && y !== undefined && x.flag === '' && y.flag === '';
  let left = 0;
  for (; arePlain(a[left], b[left]); left++) if (!isMatch(a[left]!, b[left]!)) return undefined;
  if (left > 0) left--;
  let [endA, endB] = [a.length - 1, b.length - 1];
  for (; endA >= left && endB >= left && arePlain(a[endA], b[endB]); endA--, endB--) {
    if (!isMatch(a[endA]!, b[endB]!)) return undefined;
  }
  const kept = endA < a.length - 1 ? 2 : 1;
  return [a.slice(left, endA + kept), b.slice(left, endB + kept)];
}

function intersect(a: readonly Token[], b: readonly Token[], budget: BuiltinBudget): boolean {
  for (let i = 0; i < a.length && i < b.length; i++) {
    budget.spend(1);
    if (a[i]!.flag !== '') return intersectFlagged(a.slice(i), b.slice(i), budget);
    if (b[i]!.flag !== '') return intersectFlagged(b.slice(i), a.slice(i), budget);
    if (!isMatch(a[i]!, b[i]!)) return false;
  }
  return a.length === b.length;
}

/** `flagged` begins with a flag. */
function intersectFlagged(flagged: readonly Token[], other: readonly Token[], budget: BuiltinBudget): boolean {
  if (flagged[0]!.flag === '*') return intersectStar(flagged, other, budget);
  if (!isMatch(flagged[0]!, other[0]!)) return false;
  if (intersectStar(flagged, other.slice(1), budget)) return true;
  return other[0]!.flag !== '' && intersect(flagged.slice(1), other, budget);
}

function intersectStar(starred: readonly Token[], other: readonly Token[], budget: BuiltinBudget): boolean {
  const [star, next] = [starred[0]!, starred[1]];
  for (const [index, token] of other.entries()) {
    budget.spend(1);
    if (next && isMatch(token, next) && intersect(starred.slice(1), other.slice(index), budget)) return true;
    if (!isMatch(token, star)) return false;
  }
  return next === undefined;
}
