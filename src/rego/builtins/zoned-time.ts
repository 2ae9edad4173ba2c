import { BuiltinError } from './builtin';

/** A moment with its reading on the clocks of a zone. */
export interface ZonedTime {
  utcNs: bigint;
  /** IANA name, or `UTC` */
  zone: string;
  offsetSeconds: number;
  year: number;
  /** 1 to 12 */
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  /** 0 is Sunday */
  weekday: number;
}

/** @throws BuiltinError where there is no such zone; Error for `Local`, which differs from machine to machine */
export function inZone(utcNs: bigint, zone: string): ZonedTime {
  const nanosecond = ((utcNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const utcMs = Number((utcNs - nanosecond) / 1_000_000n);
  const offsetSeconds = offsetAt(utcMs, zone);
  const local = new Date(utcMs + offsetSeconds * 1000);
  return {
    utcNs,
    zone,
    offsetSeconds,
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    nanosecond: Number(nanosecond),
    weekday: local.getUTCDay(),
  };
}

/** The moment at which a zone's clocks show `localMs`, counted as if they were UTC's; in a gap as Go's `time.Date`. */
export function atUtcNs(localMs: number, zone: string): bigint {
  const guess = offsetAt(localMs, zone);
  const offset = offsetAt(localMs - guess * 1000, zone);
  return BigInt(localMs - offset * 1000) * 1_000_000n;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function offsetAt(utcMs: number, zone: string): number {
  if (zone === 'UTC') return 0;
  const name = partOf('en-US', zone, 'longOffset', utcMs);
  const [, sign, hours, minutes, seconds] = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name) ?? [];
  if (sign === undefined) return 0;
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds ?? 0);
  return sign === '-' ? -size : size;
}

/**
 * `CET`, `EST`, … No one locale has them all; those that none has are an error and never a guess.
 *
 * @throws Error where the abbreviation is not known
 */
export function abbreviationOf({ zone, utcNs }: ZonedTime): string {
  if (zone === 'UTC') return 'UTC';
  for (const locale of ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA']) {
    const name = partOf(locale, zone, 'short', Number(utcNs / 1_000_000n));
    if (/^[A-Z]{2,5}$/.test(name)) return name;
  }
  throw new Error(`The abbreviation of the time zone ${zone} is not known; use a layout with -0700`);
}

function partOf(locale: string, zone: string, timeZoneName: 'short' | 'longOffset', utcMs: number): string {
  const key = `${locale} ${timeZoneName} ${zone}`;
  let format = formats.get(key);
  if (!format) {
    format = createFormat(locale, zone, timeZoneName);
    formats.set(key, format);
  }
  return format.formatToParts(utcMs).find(({ type }) => type === 'timeZoneName')!.value;
}

function createFormat(locale: string, zone: string, timeZoneName: 'short' | 'longOffset'): Intl.DateTimeFormat {
  if (zone === 'Local') throw new Error('The zone Local differs from machine to machine; name the zone');
  // offsets such as +01:00 are zones to Intl and not to Go
  if (!/^[A-Za-z]/.test(zone)) throw new BuiltinError(`unknown time zone ${zone}`);
  try {
    return new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName });
  } catch (cause) {
    throw new BuiltinError(`unknown time zone ${zone}`, { cause });
  }
}
