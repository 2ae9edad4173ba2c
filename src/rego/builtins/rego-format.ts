import { isNumber, numberText } from '../values/number';
import { isSet, type RegoValue } from '../values/value';

/** A value as OPA prints it (`ast.Value.String()`): `[1, {"a": "b"}, set()]`. */
export function formatValue(value: RegoValue): string {
  if (typeof value === 'string') return quote(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (isNumber(value)) return numberText(value);
  if (Array.isArray(value)) return `[${value.map(formatValue).join(', ')}]`;
  if (isSet(value)) {
    return value.items.length === 0 ? 'set()' : `{${value.items.map(formatValue).join(', ')}}`;
  }
  return `{${value.entries.map(([key, item]) => `${formatValue(key)}: ${formatValue(item)}`).join(', ')}}`;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Go's `strconv.Quote`, or with `asciiOnly` its `QuoteToASCII`. */
export function quote(text: string, asciiOnly = false): string {
  return `"${escapeText(text, asciiOnly)}"`;
}

/** Go's `strconv.QuoteRune`. */
export function quoteRune(codePoint: number, asciiOnly = false): string {
  const char = String.fromCodePoint(isRune(codePoint) ? codePoint : 0xfffd);
  if (char === "'") return "'\\''";
  return char === '"' ? `'"'` : `'${escapeText(char, asciiOnly)}'`;
}

export function isRune(codePoint: number): boolean {
  return codePoint >= 0 && codePoint <= 0x10ffff && !(codePoint >= 0xd800 && codePoint <= 0xdfff);
}

function escapeText(text: string, asciiOnly: boolean): string {
  let escaped = '';
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const short = SHORT_ESCAPES[char];
    if (short !== undefined) escaped += short;
    else if (isPrintable(char) && !(asciiOnly && code > 0x7e)) escaped += char;
    else if (code < 0x20 || code === 0x7f) escaped += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code < 0x10000) escaped += `\\u${code.toString(16).padStart(4, '0')}`;
    else escaped += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return escaped;
}

export function isPrintable(char: string): boolean {
  return PRINTABLE.test(char);
}
