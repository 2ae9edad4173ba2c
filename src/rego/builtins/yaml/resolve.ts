import { BuiltinError } from '../builtin';
import { decodeStandard } from '../base64';
import { decodeUtf8 } from '../utf8';

/** The tags of YAML's core types, as go-yaml writes them. */
export type CoreTag =
  '!!null' | '!!bool' | '!!str' | '!!int' | '!!float' | '!!timestamp' | '!!seq' | '!!map' | '!!binary' | '!!merge';

/** A scalar's meaning: an integer is a bigint, a fraction a number; a moment is kept as RFC 3339. */
export type ScalarValue = null | boolean | bigint | number | string | Moment;

export class Moment {
  constructor(readonly text: string) {}
}

const WORDS = new Map<string, readonly [CoreTag, ScalarValue]>([
  ...['true', 'True', 'TRUE'].map((word) => [word, ['!!bool', true]] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, ['!!bool', false]] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, ['!!null', null]] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, ['!!float', NaN]] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, ['!!float', Infinity]] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, ['!!float', -Infinity]] as const),
  ['<<', ['!!merge', '<<']],
]);

const RESOLVABLE = ['', '!!str', '!!bool', '!!int', '!!float', '!!null', '!!timestamp'];

/**
 * go-yaml's `resolve`: what a scalar's text means under a tag; an empty tag is none.
 *
 * @throws BuiltinError where the text is not of the type that the tag names
 */
export function resolveScalar(tag: string, text: string): readonly [tag: string, value: ScalarValue] {
  if (tag === '!!binary') return [tag, decodeUtf8(decodeStandard(text))];
  if (!RESOLVABLE.includes(tag)) return [tag, text];
  const [found, value] = tag === '!!str' ? (['!!str', text] as const) : meaningOf(tag, text);
  if (tag === '' || tag === found || tag === '!!str') return [found, value];
  if (tag === '!!float' && typeof value === 'bigint' && BigInt.asIntN(64, value) === value) {
    return ['!!float', Number(value)];
  }
  throw new BuiltinError(`yaml: cannot decode ${found} \`${text}\` as a ${tag}`);
}

function meaningOf(tag: string, text: string): readonly [CoreTag, ScalarValue] {
  const isHinted = text === '' || /^[-+0-9yYnNtTfFoO~.]/.test(text);
  // `<` is no hint: a merge key is one by its place alone
  const word = isHinted ? WORDS.get(text) : undefined;
  if (word) return word;
  if (text.startsWith('.')) {
    const value = parseFloat64(text);
    return value === undefined ? ['!!str', text] : ['!!float', value];
  }
  if (!/^[-+0-9]/.test(text)) return ['!!str', text];
  const moment = tag === '' || tag === '!!timestamp' ? parseMoment(text) : undefined;
  if (moment !== undefined) return ['!!timestamp', new Moment(moment)];
  const plain = text.replaceAll('_', '');
  const integer = parseInteger(plain);
  if (integer !== undefined) return ['!!int', integer];
  const fraction = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(plain)
    ? parseFloat64(plain)
    : undefined;
  if (fraction !== undefined) return ['!!float', fraction];
  const odd = parseSignedPrefix(plain);
  return odd === undefined ? ['!!str', text] : ['!!int', odd];
}

/** Go's `strconv.ParseFloat` of decimal digits: what is too large is no number. */
function parseFloat64(text: string): number | undefined {
  if (!/^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

const BASES: readonly [pattern: RegExp, prefix: string][] = [
  [/^0[xX]([0-9a-fA-F]+)$/, '0x'],
  [/^0[bB]([01]+)$/, '0b'],
  [/^0[oO]?([0-7]+)$/, '0o'],
  [/^(0|[1-9][0-9]*)$/, ''],
];

/** Go's `strconv.ParseInt(text, 0, 64)`, or `ParseUint` where that is too small. */
function parseInteger(text: string): bigint | undefined {
  const [, sign = '', digits = ''] = /^([-+]?)(.*)$/s.exec(text)!;
  const size = magnitude(digits);
  if (size === undefined) return undefined;
  return inRange(sign === '-' ? -size : size, sign === '');
}

function magnitude(digits: string): bigint | undefined {
  for (const [pattern, prefix] of BASES) {
    const match = pattern.exec(digits);
    if (match) return BigInt(prefix + match[1]!);
  }
  return undefined;
}

function inRange(value: bigint, mayBeUnsigned: boolean): bigint | undefined {
  const fits = BigInt.asIntN(64, value) === value || (mayBeUnsigned && BigInt.asUintN(64, value) === value);
  return fits ? value : undefined;
}

/** What go-yaml admits besides: a sign between prefix and digits, as in `0b-1`. */
function parseSignedPrefix(text: string): bigint | undefined {
  const [, prefix, sign, digits] = /^(0[bo])([-+])([0-7]+)$/.exec(text) ?? [];
  if (prefix === undefined || (prefix === '0b' && !/^[01]+$/.test(digits!))) return undefined;
  const size = BigInt(prefix + digits!);
  return inRange(sign === '-' ? -size : size, false);
}

const MOMENT =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt])(\d{1,2}):(\d{1,2}):(\d{1,2})([.,]\d+)?(Z|[-+]\d\d:\d\d)| (\d{1,2}):(\d{1,2}):(\d{1,2})([.,]\d+)?)?$/;

/** One of go-yaml's forms of a moment, as RFC 3339 with as many digits as it needs. */
function parseMoment(text: string): string | undefined {
  const match = MOMENT.exec(text);
  if (!match) return undefined;
  const [year, month, day] = [match[1], match[2], match[3]].map(Number) as [number, number, number];
  const clock = match[4] === undefined ? match.slice(10, 14) : match.slice(5, 9);
  const [hour, minute, second] = clock.slice(0, 3).map((part) => Number(part ?? '0')) as [number, number, number];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDate = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isDate || hour > 23 || minute > 59 || second > 59) return undefined;
  const zone = match[9] ?? 'Z';
  if (zone !== 'Z' && (Number(zone.slice(1, 3)) > 24 || Number(zone.slice(4)) > 59)) return undefined;
  const fraction = (clock[3] ?? '').slice(1, 10).replace(/0+$/, '');
  const pad = (part: number) => String(part).padStart(2, '0');
  const time = `${pad(hour)}:${pad(minute)}:${pad(second)}${fraction === '' ? '' : `.${fraction}`}`;
  return `${match[1]}-${pad(month)}-${pad(day)}T${time}${zone === '+00:00' || zone === '-00:00' ? 'Z' : zone}`;
}
