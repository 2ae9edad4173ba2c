import { BuiltinError } from './builtin';
import { abbreviationOf, type ZonedTime } from './zoned-time';

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** The elements of Go's layouts (https://pkg.go.dev/time#pkg-constants); what is no element stands for itself. */
const ELEMENT =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|002|01|02|03|04|05|06|__2|_2(?!006)|15|PM|pm|[-Z]070000|[-Z]07:00:00|[-Z]0700|[-Z]07:00|[-Z]07|[.,](?:0+|9+)(?!\d)|1|2|3|4|5/g;

interface Piece {
  literal: string;
  element?: string;
}

function piecesOf(layout: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of layout.matchAll(ELEMENT)) {
    pieces.push({ literal: layout.slice(at, match.index), element: match[0] });
    at = match.index + match[0].length;
  }
  return [...pieces, { literal: layout.slice(at) }];
}

const two = (value: number) => String(value).padStart(2, '0');

/** Go's `time.Time.Format`. */
export function formatTime(time: ZonedTime, layout: string): string {
  return piecesOf(layout)
    .map(({ literal, element }) => literal + (element === undefined ? '' : formatElement(time, element)))
    .join('');
}

function formatElement(time: ZonedTime, element: string): string {
  const hour12 = time.hour % 12 || 12;
  switch (element) {
    case '2006':
      return String(time.year).padStart(4, '0');
    case '06':
      return two(time.year % 100);
    case 'January':
      return MONTHS[time.month - 1]!;
    case 'Jan':
      return MONTHS[time.month - 1]!.slice(0, 3);
    case '01':
      return two(time.month);
    case '1':
      return String(time.month);
    case 'Monday':
      return DAYS[time.weekday]!;
    case 'Mon':
      return DAYS[time.weekday]!.slice(0, 3);
    case '02':
      return two(time.day);
    case '_2':
      return String(time.day).padStart(2, ' ');
    case '2':
      return String(time.day);
    case '002':
      return String(dayOfYear(time)).padStart(3, '0');
    case '__2':
      return String(dayOfYear(time)).padStart(3, ' ');
    case '15':
      return two(time.hour);
    case '03':
      return two(hour12);
    case '3':
      return String(hour12);
    case '04':
      return two(time.minute);
    case '4':
      return String(time.minute);
    case '05':
      return two(time.second);
    case '5':
      return String(time.second);
    case 'PM':
      return time.hour < 12 ? 'AM' : 'PM';
    case 'pm':
      return time.hour < 12 ? 'am' : 'pm';
    case 'MST':
      return abbreviationOf(time);
    default:
      return element.startsWith('.') || element.startsWith(',') ? fraction(time, element) : offset(time, element);
  }
}

function fraction({ nanosecond }: ZonedTime, element: string): string {
  const digits = String(nanosecond)
    .padStart(9, '0')
    .slice(0, element.length - 1)
    .padEnd(element.length - 1, '0');
  if (element[1] === '0') return element[0] + digits;
  const significant = digits.replace(/0+$/, '');
  return significant === '' ? '' : element[0] + significant;
}

function offset({ offsetSeconds }: ZonedTime, element: string): string {
  if (element.startsWith('Z') && offsetSeconds === 0) return 'Z';
  const size = Math.abs(offsetSeconds);
  const parts = [two(Math.floor(size / 3600)), two(Math.floor(size / 60) % 60), two(size % 60)];
  const digits = element.replace(/\D/g, '').length / 2;
  return (offsetSeconds < 0 ? '-' : '+') + parts.slice(0, digits).join(element.includes(':') ? ':' : '');
}

function dayOfYear({ year, month, day }: ZonedTime): number {
  return (new Date(0).setUTCFullYear(year, month - 1, day) - new Date(0).setUTCFullYear(year, 0, 0)) / 86_400_000;
}

/** What a text says; nothing said is midnight of 1 January of the year 0, UTC. */
interface Fields {
  year: number;
  month: number;
  day: number;
  dayOfYear?: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: bigint;
  half?: 'AM' | 'PM';
  offsetSeconds: number;
}

/**
 * Go's `time.Parse`.
 *
 * @returns nanoseconds since the epoch
 * @throws BuiltinError where the text does not fit the layout
 */
export function parseTime(layout: string, text: string): bigint {
  const fields: Fields = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanosecond: 0n, offsetSeconds: 0 };
  const fail = (): never => {
    throw new BuiltinError(`parsing time "${text}" as "${layout}": cannot parse`);
  };
  let rest = text;
  const take = (pattern: RegExp): RegExpExecArray => {
    const match = pattern.exec(rest) ?? fail();
    rest = rest.slice(match[0].length);
    return match;
  };
  const pieces = piecesOf(layout);
  for (const [index, { literal, element }] of pieces.entries()) {
    for (const char of literal) {
      if (char === ' ') rest = rest.replace(/^ +/, '');
      else if (rest.startsWith(char)) rest = rest.slice(char.length);
      else fail();
    }
    if (element === undefined) continue;
    readElement(element, take, fields);
    // a fraction may follow the seconds though the layout has none
    const next = pieces[index + 1]!;
    const hasFraction = next.literal === '' && /^[.,]/.test(next.element ?? '');
    if ((element === '05' || element === '5') && !hasFraction && /^[.,]\d/.test(rest))
      readFraction(take(/^[.,](\d+)/), fields);
  }
  if (rest !== '') fail();
  return toUtcNs(fields, fail);
}

function readElement(element: string, take: (pattern: RegExp) => RegExpExecArray, fields: Fields): void {
  const number = (pattern: RegExp) => Number(take(pattern)[0]);
  switch (element) {
    case '2006':
      fields.year = number(/^\d{4}/);
      break;
    case '06': {
      const year = number(/^\d{2}/);
      fields.year = year >= 69 ? 1900 + year : 2000 + year;
      break;
    }
    case 'January':
      fields.month = 1 + nameIndex(MONTHS, take, (name) => name);
      break;
    case 'Jan':
      fields.month = 1 + nameIndex(MONTHS, take, (name) => name.slice(0, 3));
      break;
    case '01':
      fields.month = number(/^\d{2}/);
      break;
    case '1':
      fields.month = number(/^\d{1,2}/);
      break;
    case 'Monday':
      nameIndex(DAYS, take, (name) => name);
      break;
    case 'Mon':
      nameIndex(DAYS, take, (name) => name.slice(0, 3));
      break;
    case '02':
      fields.day = number(/^\d{2}/);
      break;
    case '_2':
      fields.day = number(/^ ?\d{1,2}/);
      break;
    case '2':
      fields.day = number(/^\d{1,2}/);
      break;
    case '002':
      fields.dayOfYear = number(/^\d{3}/);
      break;
    case '__2':
      fields.dayOfYear = number(/^ {0,2}\d{1,3}/);
      break;
    case '15':
      fields.hour = number(/^\d{1,2}/);
      break;
    case '03':
      fields.hour = number(/^\d{2}/);
      break;
    case '3':
      fields.hour = number(/^\d{1,2}/);
      break;
    case '04':
      fields.minute = number(/^\d{2}/);
      break;
    case '4':
      fields.minute = number(/^\d{1,2}/);
      break;
    case '05':
      fields.second = number(/^\d{2}/);
      break;
    case '5':
      fields.second = number(/^\d{1,2}/);
      break;
    case 'PM':
    case 'pm':
      fields.half = take(element === 'PM' ? /^(?:AM|PM)/ : /^(?:am|pm)/)[0].toUpperCase() as 'AM' | 'PM';
      break;
    case 'MST': {
      const zone = take(/^(?:[A-Z]{3,5}|GMT[+-]\d+)/)[0];
      // Go reads any other name as one it does not know, with an offset of 0, unless the machine's own zone has it
      const hours = /^GMT([+-]\d+)$/.exec(zone)?.[1];
      fields.offsetSeconds = hours === undefined ? 0 : Number(hours) * 3600;
      break;
    }
    default:
      if (/^[.,]/.test(element)) {
        const digits = element.length - 1;
        if (element[1] === '0') readFraction(take(new RegExp(`^[.,](\\d{${digits}})`)), fields);
        else readFraction(take(/^(?:[.,](\d+))?/), fields);
      } else fields.offsetSeconds = readOffset(element, take);
  }
}

function readFraction(match: RegExpExecArray, fields: Fields): void {
  fields.nanosecond = BigInt((match[1] ?? '').slice(0, 9).padEnd(9, '0'));
}

function nameIndex(
  names: string[],
  take: (pattern: RegExp) => RegExpExecArray,
  form: (name: string) => string,
): number {
  const forms = names.map((name) => form(name).toLowerCase());
  return forms.indexOf(take(new RegExp(`^(?:${forms.join('|')})`, 'i'))[0].toLowerCase());
}

function readOffset(element: string, take: (pattern: RegExp) => RegExpExecArray): number {
  const digits = element.replace(/\D/g, '').length / 2;
  const colon = element.includes(':') ? ':' : '';
  const numeric = `([+-])(\\d\\d)${digits > 1 ? `${colon}(\\d\\d)` : ''}${digits > 2 ? `${colon}(\\d\\d)` : ''}`;
  const [, sign, hours, minutes, seconds] = take(new RegExp(`^(?:${element.startsWith('Z') ? 'Z|' : ''}${numeric})`));
  if (sign === undefined) return 0;
  if (Number(hours) > 24 || Number(minutes ?? 0) > 60) throw new BuiltinError('time zone offset out of range');
  const size = Number(hours) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  return sign === '-' ? -size : size;
}

function toUtcNs(fields: Fields, fail: () => never): bigint {
  const { year, minute, second, half } = fields;
  let { month, day, hour } = fields;
  if (half !== undefined && hour > 12) fail();
  if (half === 'PM' && hour < 12) hour += 12;
  if (half === 'AM' && hour === 12) hour = 0;
  if (fields.dayOfYear !== undefined) {
    const date = new Date(new Date(0).setUTCFullYear(year, 0, fields.dayOfYear));
    if (fields.dayOfYear < 1 || date.getUTCFullYear() !== year) fail();
    [month, day] = [date.getUTCMonth() + 1, date.getUTCDate()];
  }
  const start = new Date(0).setUTCFullYear(year, month - 1, day);
  const isDate = month >= 1 && month <= 12 && day >= 1 && new Date(start).getUTCMonth() === month - 1;
  if (!isDate || hour > 23 || minute > 59 || second > 59) fail();
  const ms = start + ((hour * 60 + minute) * 60 + second - fields.offsetSeconds) * 1000;
  return BigInt(ms) * 1_000_000n + fields.nanosecond;
}
