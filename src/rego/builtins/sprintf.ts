import { BuiltinError, type Builtins } from './builtin';
import { formatFloat } from './float-format';
import { formatValue, isPrintable, isRune, quote, quoteRune } from './rego-format';
import { arrayAt, stringAt } from './operands';
import { isNumber, numberText } from '../values/number';
import type { RegoValue } from '../values/value';

/** What OPA hands to Go's `fmt.Sprintf`: an int64, a *big.Int, a float64 or a string. */
type Argument =
  | { kind: 'int64' | '*big.Int'; value: bigint }
  | { kind: 'float64'; value: number }
  | { kind: 'string'; value: string };

interface Flags {
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  width?: number;
  precision?: number;
}

/** Go refuses to pad beyond this. */
const WIDEST = 1_000_000;

export const sprintfBuiltins: Builtins = {
  sprintf: (operands) => {
    const format = stringAt(operands, 0);
    return sprintf(format, arrayAt(operands, 1).map(toArgument));
  },
};

function toArgument(value: RegoValue): Argument {
  if (typeof value === 'string') return { kind: 'string', value };
  if (!isNumber(value)) return { kind: 'string', value: formatValue(value) };
  const text = numberText(value);
  // what is written with a point or an exponent is a float64, 1.0 too
  if (!/^-?\d+$/.test(text)) {
    const double = Number(text);
    return Number.isFinite(double) ? { kind: 'float64', value: double } : { kind: 'string', value: text };
  }
  const whole = BigInt(text);
  return { kind: BigInt.asIntN(64, whole) === whole ? 'int64' : '*big.Int', value: whole };
}

/** Go's `fmt.Sprintf`, its ways of saying that verb and argument do not fit included. */
function sprintf(format: string, args: readonly Argument[]): string {
  const chars = [...format];
  let output = '';
  let at = 0;
  let next = 0;
  let reordered = false;

  const number = (): number | undefined => {
    const start = at;
    let value = 0;
    while (at < chars.length && chars[at]! >= '0' && chars[at]! <= '9') value = value * 10 + Number(chars[at++]);
    if (at === start) return undefined;
    return value > WIDEST ? undefined : value;
  };
  /** `[3]`: the argument to take next. false when it is there and bad. */
  const index = (): boolean | undefined => {
    if (chars[at] !== '[') return undefined;
    reordered = true;
    const close = chars.indexOf(']', at);
    if (close < 0) {
      at++;
      return false;
    }
    const text = chars.slice(at + 1, close).join('');
    at = close + 1;
    const wanted = /^\d+$/.test(text) ? Number(text) : 0;
    if (wanted < 1 || wanted > args.length) return false;
    next = wanted - 1;
    return true;
  };
  const starred = (): number | undefined => {
    const argument = args[next];
    if (next < args.length) next++;
    if (argument?.kind !== 'int64' || argument.value > WIDEST || argument.value < -WIDEST) return undefined;
    return Number(argument.value);
  };

  while (at < chars.length) {
    const percent = chars.indexOf('%', at);
    if (percent < 0) {
      output += chars.slice(at).join('');
      break;
    }
    output += chars.slice(at, percent).join('');
    at = percent + 1;
    const flags: Flags = { minus: false, plus: false, sharp: false, space: false, zero: false };
    for (let seen = true; seen;) {
      switch (chars[at]) {
        case '#':
          flags.sharp = true;
          break;
        case '0':
          flags.zero = true;
          break;
        case '+':
          flags.plus = true;
          break;
        case '-':
          flags.minus = true;
          break;
        case ' ':
          flags.space = true;
          break;
        default:
          seen = false;
      }
      if (seen) at++;
    }
    let goodIndex = true;
    let afterIndex = false;
    const takeIndex = (): void => {
      const found = index();
      if (found === undefined) return;
      afterIndex = found;
      if (!found) goodIndex = false;
    };
    takeIndex();
    if (chars[at] === '*') {
      at++;
      const width = starred();
      if (width === undefined) output += '%!(BADWIDTH)';
      else {
        flags.width = Math.abs(width);
        if (width < 0) {
          flags.minus = true;
          flags.zero = false;
        }
      }
      afterIndex = false;
    } else {
      const width = number();
      flags.width = width;
      if (afterIndex && width !== undefined) goodIndex = false;
    }
    if (chars[at] === '.') {
      at++;
      if (afterIndex) goodIndex = false;
      takeIndex();
      if (chars[at] === '*') {
        at++;
        const precision = starred();
        if (precision === undefined || precision < 0) output += '%!(BADPREC)';
        else flags.precision = precision;
        afterIndex = false;
      } else flags.precision = number() ?? 0;
    }
    if (!afterIndex) takeIndex();
    const verb = chars[at++];
    if (verb === undefined) {
      output += '%!(NOVERB)';
      break;
    }
    const argument = args[next];
    if (verb === '%') output += '%';
    else if (!goodIndex) output += `%!${verb}(BADINDEX)`;
    else if (argument === undefined) output += `%!${verb}(MISSING)`;
    else {
      next++;
      output += formatArgument(argument, verb, flags);
    }
  }
  if (!reordered && next < args.length) {
    const extra = args.slice(next).map((argument) => `${argument.kind}=${formatArgument(argument, 'v', noFlags())}`);
    output += `%!(EXTRA ${extra.join(', ')})`;
  }
  return output;
}

const noFlags = (): Flags => ({ minus: false, plus: false, sharp: false, space: false, zero: false });

function formatArgument(argument: Argument, verb: string, flags: Flags): string {
  if (verb === 'T') return formatString(argument.kind, 's', flags)!;
  // a pointer's address would differ from run to run
  if (verb === 'p' && argument.kind === '*big.Int') throw new BuiltinError('%p has no meaning here');
  const formatted =
    argument.kind === 'string'
      ? formatString(argument.value, verb, flags)
      : argument.kind === 'float64'
        ? formatDouble(argument.value, verb, flags)
        : argument.kind === 'int64'
          ? formatInteger(argument.value, verb, flags)
          : formatBig(argument.value, verb, flags);
  if (formatted !== undefined) return formatted;
  if (argument.kind === '*big.Int') return `%!${verb}(big.Int=${argument.value})`;
  return `%!${verb}(${argument.kind}=${formatArgument(argument, 'v', flags)})`;
}

function pad(text: string, flags: Flags, zeroes = flags.zero && !flags.minus): string {
  const missing = (flags.width ?? 0) - [...text].length;
  if (missing <= 0) return text;
  if (flags.minus) return text + ' '.repeat(missing);
  return (zeroes ? '0' : ' ').repeat(missing) + text;
}

function formatString(text: string, verb: string, flags: Flags): string | undefined {
  const cut = flags.precision === undefined ? text : [...text].slice(0, flags.precision).join('');
  switch (verb) {
    case 'v':
      return pad(flags.sharp ? quote(text) : cut, flags);
    case 's':
      return pad(cut, flags);
    case 'q':
      return pad(flags.sharp && canBackquote(cut) ? `\`${cut}\`` : quote(cut, flags.plus), flags);
    case 'x':
    case 'X': {
      let bytes = Buffer.from(text, 'utf8');
      if (flags.precision !== undefined) bytes = bytes.subarray(0, flags.precision);
      const prefix = flags.sharp && bytes.length > 0 ? '0x' : '';
      const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
      const hex = flags.space
        ? pairs.map((pair) => (flags.sharp ? `0x${pair}` : pair)).join(' ')
        : prefix + pairs.join('');
      return pad(verb === 'X' ? hex.toUpperCase() : hex, flags);
    }
    default:
      return undefined;
  }
}

function canBackquote(text: string): boolean {
  return [...text].every((char) => char === '\t' || (char >= ' ' && !'`\x7f\ufeff'.includes(char)));
}

const RADIX: Readonly<Record<string, number>> = { d: 10, v: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

function formatInteger(value: bigint, verb: string, flags: Flags): string | undefined {
  switch (verb) {
    case 'c':
      return pad(String.fromCodePoint(isRune(Number(value)) ? Number(value) : 0xfffd), flags);
    case 'q':
      return pad(quoteRune(Number(value), flags.plus), flags);
    case 'U': {
      // a negative number shows as the uint64 that has its bits
      const hex = BigInt.asUintN(64, value).toString(16).toUpperCase();
      const code = `U+${hex.padStart(Math.max(4, flags.precision ?? 0), '0')}`;
      const char = isRune(Number(value)) ? String.fromCodePoint(Number(value)) : '';
      return pad(flags.sharp && isPrintable(char) ? `${code} '${char}'` : code, flags, false);
    }
    default:
      return wholeNumber(value, verb, flags);
  }
}

function formatBig(value: bigint, verb: string, flags: Flags): string | undefined {
  return wholeNumber(value, verb === 's' ? 'd' : verb, flags);
}

function wholeNumber(value: bigint, verb: string, flags: Flags): string | undefined {
  const radix = RADIX[verb];
  if (radix === undefined) return undefined;
  const negative = value < 0n;
  let digits = (negative ? -value : value).toString(radix);
  if (verb === 'X') digits = digits.toUpperCase();
  const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  if (flags.precision !== undefined) {
    if (flags.precision === 0 && value === 0n) return ' '.repeat(flags.width ?? 0);
    digits = digits.padStart(flags.precision, '0');
  } else if (flags.zero && !flags.minus && flags.width !== undefined) {
    digits = digits.padStart(flags.width - sign.length, '0');
  }
  return pad(sign + radixPrefix(verb, digits, flags) + digits, flags, false);
}

function radixPrefix(verb: string, digits: string, flags: Flags): string {
  if (verb === 'O') return '0o';
  if (!flags.sharp) return '';
  if (verb === 'b') return '0b';
  if (verb === 'o') return digits.startsWith('0') ? '' : '0';
  return verb === 'x' || verb === 'X' ? `0${verb}` : '';
}

function formatDouble(value: number, verb: string, flags: Flags): string | undefined {
  let text: string;
  switch (verb) {
    case 'v':
      text = formatFloat(value, 'g', flags.precision);
      break;
    case 'e':
    case 'E':
      text = formatFloat(value, 'e', flags.precision ?? 6);
      break;
    case 'f':
    case 'F':
      text = formatFloat(value, 'f', flags.precision ?? 6);
      break;
    case 'g':
    case 'G':
      text = formatFloat(value, 'g', flags.precision);
      break;
    case 'b':
    case 'x':
    case 'X':
      // binary and hexadecimal floats: not worth carrying, and a wrong answer would be worse than none
      throw new Error(`sprintf with %${verb} of a number that is no integer is not supported`);
    default:
      return undefined;
  }
  if (flags.sharp && verb !== 'v' && !text.includes('.')) {
    throw new Error(`sprintf with %#${verb} of a number that is no integer is not supported`);
  }
  if (verb === 'E' || verb === 'G') text = text.toUpperCase();
  const sign = text.startsWith('-') ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  const digits = text.replace('-', (_, offset: number) => (offset === 0 ? '' : '-'));
  if (flags.zero && !flags.minus && flags.width !== undefined)
    return sign + digits.padStart(flags.width - sign.length, '0');
  return pad(sign + digits, flags, false);
}
