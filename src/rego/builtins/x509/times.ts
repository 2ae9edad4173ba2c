import { BuiltinError } from '../builtin';
import { TAG, type DerReader } from './der';

/** A moment as it was written; its zone is kept, as in Go's JSON. */
export interface Time {
  epochMs: number;
  /** RFC 3339 */
  text: string;
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(Z|[+-]\d{4})$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(Z|[+-]\d{4})$/;

/** Either type of time (RFC 5280, 4.1.2.5); that of two digits of a year stands for 1950 to 2049. */
export function readTime(reader: DerReader): Time {
  if (reader.peeks(TAG.utcTime)) {
    return toTime(reader, TAG.utcTime, UTC_TIME, (year) => (year >= 50 ? 1900 : 2000) + year);
  }
  if (reader.peeks(TAG.generalizedTime)) {
    return toTime(reader, TAG.generalizedTime, GENERALIZED_TIME, (year) => year);
  }
  throw new BuiltinError('x509: unsupported time format');
}

function toTime(reader: DerReader, tag: number, pattern: RegExp, yearOf: (year: number) => number): Time {
  const what = 'x509: malformed time';
  const match = pattern.exec(reader.content(tag, what).toString('latin1'));
  if (!match) throw new BuiltinError(what);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? '0'));
  const zone = match[7]!;
  const fullYear = yearOf(year!);
  const local = new Date(0);
  local.setUTCFullYear(fullYear, month! - 1, day);
  local.setUTCHours(hour!, minute, second);
  const isReal = local.getUTCMonth() === month! - 1 && local.getUTCDate() === day && hour! < 24;
  if (!isReal || minute! > 59 || second! > 59) throw new BuiltinError(what);
  const offset = offsetMinutes(zone);
  if (offset === undefined) throw new BuiltinError(what);
  const date = [pad(fullYear, 4), pad(month!), pad(day!)].join('-');
  const time = [hour!, minute!, second!].map((part) => pad(part)).join(':');
  const written = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3)}`;
  return { epochMs: local.getTime() - offset * 60_000, text: `${date}T${time}${written}` };
}

const pad = (part: number, digits = 2) => String(part).padStart(digits, '0');

/** undefined for a zone that Go does not write, such as `+0000` */
function offsetMinutes(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3))];
  if (hours > 23 || minutes > 59 || hours + minutes === 0) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
