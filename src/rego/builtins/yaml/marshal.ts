import { BuiltinError } from '../builtin';
import { formatFloat } from '../float-format';
import type { BuiltinBudget } from '../plan-builtin';
import { compareStrings } from '../../values/compare';
import { jsonEntries, toWellFormed } from '../../values/json';
import { isNumber, numberText, toDouble, toInt64, type RegoNumber } from '../../values/number';
import { isObject, isSet, type RegoValue } from '../../values/value';
import { resolveScalar } from './resolve';

/** OPA's `yaml.marshal`: block style, two spaces deep, keys in go-yaml's natural order. */
export function marshalYaml(value: RegoValue, budget: BuiltinBudget): string {
  const writer = new Writer(budget);
  writer.node(value, 0, true);
  return writer.text();
}

const INDENT = 2;
/** a longer key is written after `? ` */
const LONGEST_SIMPLE_KEY = 128;
/** of a key's JSON, which go-yaml reads first */
const LONGEST_KEY = 1024;

class Writer {
  private readonly parts: string[] = [];
  private length = 0;

  constructor(private readonly budget: BuiltinBudget) {}

  text(): string {
    return this.parts.join('');
  }

  private add(part: string): void {
    this.parts.push(part);
    this.length += part.length;
    this.budget.spend(1);
    this.budget.characters(this.length);
  }

  /** @param isAtStart the line is empty or holds only indentation, dashes and question marks */
  node(value: RegoValue, indent: number, isAtStart: boolean): void {
    const items = isSet(value) ? value.items : Array.isArray(value) ? value : undefined;
    if (items && items.length > 0) return this.sequence(items, indent, isAtStart);
    if (isObject(value) && value.size > 0) return this.mapping(jsonEntries(value), indent, isAtStart);
    const scalar = items ? '[]' : isObject(value) ? '{}' : scalarText(value as Scalar, indent, false);
    this.add(`${isAtStart ? '' : ' '}${scalar}${endsLine(scalar) ? '' : '\n'}`);
  }

  private sequence(items: readonly RegoValue[], indent: number, isAtStart: boolean): void {
    if (!isAtStart) this.add('\n');
    for (const [index, item] of items.entries()) {
      this.add(`${index > 0 || !isAtStart ? ' '.repeat(indent) : ''}- `);
      this.node(item, indent + INDENT, true);
    }
  }

  private mapping(entries: readonly (readonly [string, RegoValue])[], indent: number, isAtStart: boolean): void {
    if (!isAtStart) this.add('\n');
    const sorted = entries.map(([key, item]) => [keyAsRead(key), item] as const).sort(([a], [b]) => compareKeys(a, b));
    for (const [index, [key, item]] of sorted.entries()) {
      this.budget.spend(key.length >> 3);
      const isSimple = !BREAKS.test(key) && Buffer.byteLength(key) <= LONGEST_SIMPLE_KEY;
      const start = index > 0 || !isAtStart ? ' '.repeat(indent) : '';
      if (isSimple) {
        this.add(`${start}${scalarText(key, indent, true)}:`);
        this.node(item, indent + INDENT, false);
      } else {
        const text = scalarText(key, indent + INDENT, false);
        this.add(`${start}? ${text}${endsLine(text) ? '' : '\n'}${' '.repeat(indent)}: `);
        this.node(item, indent + INDENT, true);
      }
    }
  }
}

type Scalar = null | boolean | RegoNumber | string;

// what go-yaml takes for the end of a line
const BREAKS = /[\r\n\u0085\u2028\u2029]/;
const endsLine = (text: string) => /[\r\n\u0085\u2028\u2029]$/.test(text);

/** Without the break at its end, but for a text in block style that keeps one. */
function scalarText(value: Scalar, indent: number, isKey: boolean): string {
  if (typeof value === 'string') return stringText(asRead(value), indent, isKey);
  return isNumber(value) ? numberAsRead(value) : String(value);
}

/** As go-yaml reads the number from JSON, and writes it again. */
function numberAsRead(value: RegoNumber): string {
  const text = numberText(value);
  const integer = /^-?\d+$/.test(text) ? BigInt(text) : undefined;
  if (integer !== undefined && (toInt64(value) !== undefined || BigInt.asUintN(64, integer) === integer)) {
    return integer.toString();
  }
  const double = toDouble(value);
  // a number beyond 64 bits of a float is a text for go-yaml
  if (!Number.isFinite(double)) return text;
  return formatFloat(double, 'g');
}

/**
 * A text as go-yaml reads it from JSON: characters that its reader refuses are errors, and NEL is folded like the end of a
 * line.
 */
function asRead(text: string): string {
  const whole = toWellFormed(text);

  if (/[\x7f-\x84\x86-\x9f\ufffe\uffff]/.test(whole)) {
    throw new BuiltinError('yaml: control characters are not allowed');
  }
  return whole.replace(/[ \t]*\u0085(?:[ \t]*\u0085)*[ \t]*/g, (breaks) => {
    const count = breaks.split('\u0085').length - 1;
    return count === 1 ? ' ' : '\n'.repeat(count - 1);
  });
}

/** A key has to end on its line, and not too far away. */
function keyAsRead(key: string): string {
  if (key.includes('\u0085') || quotedLength(key) > LONGEST_KEY) {
    throw new BuiltinError('yaml: did not find expected key');
  }
  return asRead(key);
}

/** The characters of the key in JSON as Go writes it. */
function quotedLength(key: string): number {
  const json = JSON.stringify(key).replace(/[<>&\u2028\u2029]/g, '\\u0000');
  return [...json].length;
}

function stringText(text: string, indent: number, isKey: boolean): string {
  const facts = analyze(text);
  const style = styleOf(text, facts, isKey);
  if (style === 'plain') return text;
  if (style === 'single') return `'${indented(text.replaceAll("'", "''"), indent)}'`;
  return style === 'literal' ? literal(text, indent) : doubleQuoted(text);
}

const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const OLD_BOOLEAN = /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/;

function isPlainText(text: string): boolean {
  return resolveScalar('', text)[0] === '!!str' && !BASE_60.test(text) && !OLD_BOOLEAN.test(text);
}

type Style = 'plain' | 'single' | 'double' | 'literal';

function styleOf(text: string, facts: Facts, isKey: boolean): Style {
  if (text.includes('\n')) return facts.isBlockAllowed && !isKey ? 'literal' : 'double';
  if (!isPlainText(text) || (isKey && facts.isMultiline)) return 'double';
  if (facts.isPlainAllowed && !(text === '' && isKey)) return 'plain';
  return facts.isSingleAllowed ? 'single' : 'double';
}

interface Facts {
  isMultiline: boolean;
  isPlainAllowed: boolean;
  isSingleAllowed: boolean;
  isBlockAllowed: boolean;
}

/** go-yaml's `yaml_emitter_analyze_scalar`, in block style. */
function analyze(text: string): Facts {
  const isSpecial = UNPRINTABLE.test(text.replaceAll('\t', ''));
  const hasTab = text.includes('\t');
  const spaceBreak = / [\r\n\u0085\u2028\u2029]/.test(text);
  const breakSpace = /[\r\n\u0085\u2028\u2029] /.test(text);
  const isMultiline = BREAKS.test(text);
  const edge = /^[ \r\n\u0085\u2028\u2029]|[ \r\n\u0085\u2028\u2029]$/.test(text);
  const isIndicated =
    /^(?:---|\.\.\.)/.test(text) ||
    /^[#,[\]{}&*!|>'"%@`]/.test(text) ||
    /^[-?](?:[ \t\r\n\u0085\u2028\u2029]|$)/.test(text) ||
    /:(?:[ \t\r\n\u0085\u2028\u2029]|$)/.test(text) ||
    /[ \t\r\n\u0085\u2028\u2029]#/.test(text);
  return {
    isMultiline,
    isPlainAllowed: !edge && !breakSpace && !spaceBreak && !hasTab && !isSpecial && !isMultiline && !isIndicated,
    isSingleAllowed: !breakSpace && !spaceBreak && !hasTab && !isSpecial,
    isBlockAllowed: text !== '' && !text.endsWith(' ') && !spaceBreak && !isSpecial,
  };
}

// go-yaml takes characters beyond the basic plane for unprintable
// eslint-disable-next-line no-control-regex -- these are meant
const UNPRINTABLE = /[\x00-\x09\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff]|[\ud800-\udfff]/;
const ESCAPED = /[\ud800-\udbff][\udc00-\udfff]|["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g; // eslint-disable-line no-control-regex

const NAMED: Readonly<Record<number, string>> = {
  ...{ 0: '0', 7: 'a', 8: 'b', 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r', 27: 'e', 34: '"', 92: '\\' },
  ...{ 0x85: 'N', 0x2028: 'L', 0x2029: 'P' },
};

function doubleQuoted(text: string): string {
  // after a byte-order mark at its start go-yaml escapes all of a text
  const escaped = text.replace(text.startsWith('\ufeff') ? /[^]/gu : ESCAPED, (char) => {
    const code = char.codePointAt(0)!;
    const named = NAMED[code];
    if (named !== undefined) return `\\${named}`;
    const hex = code.toString(16).toUpperCase();
    if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
    return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
  });
  return `"${escaped}"`;
}

function literal(text: string, indent: number): string {
  const hint = /^[ \r\n\u0085\u2028\u2029]/.test(text) ? String(INDENT) : '';
  const chomp = !/[\r\n\u0085\u2028\u2029]$/.test(text)
    ? '-'
    : /^[\r\n\u0085\u2028\u2029]$|[\r\n\u0085\u2028\u2029]{2}$/.test(text)
      ? '+'
      : '';
  return `|${hint}${chomp}\n${indented(`\n${text}`, indent).slice(1)}`;
}

/** Spaces before each line that holds something, but the first. */
function indented(text: string, indent: number): string {
  const inner = ' '.repeat(Math.max(indent, INDENT));
  return text.replace(/([\r\n\u0085\u2028\u2029])(?=[^\r\n\u0085\u2028\u2029])/g, `$1${inner}`);
}

const isDigit = (char: string) => /^\p{Nd}$/u.test(char);
const isLetter = (char: string) => /^\p{L}$/u.test(char);

/** go-yaml's order of keys: numbers inside them count as numbers. */
function compareKeys(a: string, b: string): number {
  return isBefore([...a], [...b]) ? -1 : isBefore([...b], [...a]) ? 1 : compareStrings(a, b);
}

function isBefore(a: readonly string[], b: readonly string[]): boolean {
  let afterDigit = false;
  for (let at = 0; at < a.length && at < b.length; at++) {
    const [x, y] = [a[at]!, b[at]!];
    if (x === y) {
      afterDigit = isDigit(x);
      continue;
    }
    const [xLetter, yLetter] = [isLetter(x), isLetter(y)];
    if (xLetter && yLetter) return compareStrings(x, y) < 0;
    if (xLetter || yLetter) return afterDigit ? xLetter : yLetter;
    const start = (x === '0' || y === '0') && hasDigitBefore(a, at) ? 1n : 0n;
    const [first, second] = [numberFrom(a, at, start), numberFrom(b, at, start)];
    if (first.value !== second.value) return first.value < second.value;
    if (first.end !== second.end) return first.end < second.end;
    return compareStrings(x, y) < 0;
  }
  return a.length < b.length;
}

/** Whether the digits before a position hold one other than 0. */
function hasDigitBefore(text: readonly string[], at: number): boolean {
  for (let before = at - 1; before >= 0 && isDigit(text[before]!); before--) if (text[before] !== '0') return true;
  return false;
}

function numberFrom(text: readonly string[], at: number, start: bigint): { value: bigint; end: number } {
  let value = start;
  let end = at;
  for (; end < text.length && isDigit(text[end]!); end++) {
    value = BigInt.asIntN(64, value * 10n + BigInt(text[end]!.codePointAt(0)! - 48));
  }
  return { value, end };
}
