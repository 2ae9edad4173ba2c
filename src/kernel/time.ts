const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** The farthest moment from 1970 that a Date can hold (ECMA-262). */
const FARTHEST_MS = 8.64e15;

/**
 * Epoch milliseconds of an RFC 3339 time with its offset, such as `2026-11-26T10:00:00Z`; digits beyond the millisecond
 * are cut off.
 *
 * @returns undefined for anything else: a date alone, a time without an offset, a day that its month does not have
 *   (Date.parse takes 30 February for 2 March), a leap second, and a value that is not a text
 */
export function parseTime(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (value.length === WRITTEN && value.startsWith(lastDay.prefix)) {
    const ofDayMs = parseWrittenClock(value);
    if (ofDayMs !== undefined) return lastDay.startMs + ofDayMs;
  }
  const [, year, month, day] = RFC_3339.exec(value) ?? [];
  if (year === undefined || Number(day) < 1 || Number(day) > daysIn(Number(year), Number(month))) return undefined;
  const parsed = Date.parse(value.toUpperCase());
  if (Number.isNaN(parsed)) return undefined;
  if (value.length === WRITTEN && value.endsWith('Z')) {
    lastDay = { startMs: dayOf(parsed), prefix: value.slice(0, -CLOCK.length) };
  }
  return parsed;
}

const CLOCK = '00:00:00.000Z';
/** the length of a time as `toTimestamp` writes it */
const WRITTEN = '2026-01-01T'.length + CLOCK.length;
const DAY_MS = 86_400_000;
/** When the day of a moment begins, UTC. */
const dayOf = (atMs: number): number => Math.floor(atMs / DAY_MS) * DAY_MS;

/** The day of the time that was read or written last: those that come one after another mostly lie in one. */
let lastDay = { startMs: Date.UTC(2026, 0, 1), prefix: '2026-01-01T' };

/** Milliseconds of the day of a time that ends with `00:00:00.000Z`; undefined for any other. */
function parseWrittenClock(text: string): number | undefined {
  const at = text.length - CLOCK.length;
  const two = (offset: number, most: number): number => {
    const value = digitAt(text, at + offset) * 10 + digitAt(text, at + offset + 1);
    return value <= most ? value : NaN;
  };
  const isMarked =
    text.charCodeAt(at + 2) === COLON &&
    text.charCodeAt(at + 5) === COLON &&
    text.charCodeAt(at + 8) === POINT &&
    text.charCodeAt(at + 12) === ZULU;
  if (!isMarked) return undefined;
  const seconds = (two(0, 23) * 60 + two(3, 59)) * 60 + two(6, 59);
  const ofDayMs = seconds * 1000 + two(9, 99) * 10 + digitAt(text, at + 11);
  return Number.isNaN(ofDayMs) ? undefined : ofDayMs;
}

/** NaN where there is none */
function digitAt(text: string, at: number): number {
  const digit = text.charCodeAt(at) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : NaN;
}

const ZERO = 48;
const COLON = 58;
const POINT = 46;
const ZULU = 90;

/** Epoch milliseconds of a time that may also be given as such; see `parseTime`. */
export function parseTimeOrEpoch(value: unknown): number | undefined {
  if (typeof value !== 'number') return parseTime(value);
  return Number.isFinite(value) && Math.abs(value) <= FARTHEST_MS ? value : undefined;
}

/** 0 for a month that does not exist. */
function daysIn(year: number, month: number): number {
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
}

const TWO_DIGITS = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));

/**
 * A time in RFC 3339, UTC, with milliseconds: exactly `new Date(atMs).toISOString()`, in a fifth of its time.
 *
 * @param atMs epoch milliseconds
 * @throws RangeError where that is no time
 */
export function toTimestamp(atMs: number): string {
  if (!Number.isInteger(atMs) || Math.abs(atMs) > FARTHEST_MS) return new Date(atMs).toISOString();
  const startMs = dayOf(atMs);
  if (startMs !== lastDay.startMs) {
    lastDay = { startMs, prefix: new Date(atMs).toISOString().slice(0, -CLOCK.length) };
  }
  const ofDayMs = atMs - startMs;
  const seconds = Math.floor(ofDayMs / 1000);
  const minutes = Math.floor(seconds / 60);
  const clock = `${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[seconds % 60]}`;
  const ms = ofDayMs - seconds * 1000;
  return `${lastDay.prefix}${clock}.${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}
