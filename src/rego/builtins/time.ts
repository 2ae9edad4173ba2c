import { BuiltinError, type Builtins } from './builtin';
import { integerAt, stringAt } from './operands';
import { formatTime, parseTime } from './time-layout';
import { atUtcNs, inZone, type ZonedTime } from './zoned-time';
import { fromBigInt, isNumber, toDouble, toInt64, type RegoNumber } from '../values/number';
import type { RegoValue } from '../values/value';

const LAYOUTS: Readonly<Record<string, string>> = {
  ANSIC: 'Mon Jan _2 15:04:05 2006',
  UnixDate: 'Mon Jan _2 15:04:05 MST 2006',
  RubyDate: 'Mon Jan 02 15:04:05 -0700 2006',
  RFC822: '02 Jan 06 15:04 MST',
  RFC822Z: '02 Jan 06 15:04 -0700',
  RFC850: 'Monday, 02-Jan-06 15:04:05 MST',
  RFC1123: 'Mon, 02 Jan 2006 15:04:05 MST',
  RFC1123Z: 'Mon, 02 Jan 2006 15:04:05 -0700',
  RFC3339: '2006-01-02T15:04:05Z07:00',
  RFC3339Nano: '2006-01-02T15:04:05.999999999Z07:00',
};
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Nanoseconds since the epoch, UTC, for a number; `[ns, zone, layout]` for a list. */
export const timeBuiltins: Builtins = {
  'time.now_ns': (_, { decisionTimeNs }) => fromBigInt(decisionTimeNs),
  'time.parse_ns': (operands) => {
    const layout = stringAt(operands, 0);
    return toNumber(parseTime(layoutOf(layout), stringAt(operands, 1)));
  },
  'time.parse_rfc3339_ns': (operands) => toNumber(parseTime(LAYOUTS.RFC3339!, stringAt(operands, 0))),
  'time.parse_duration_ns': (operands) => toNumber(parseDuration(stringAt(operands, 0))),
  'time.format': (operands) => {
    const { time, layout } = timeAt(operands, 0);
    return formatTime(time, layoutOf(layout || 'RFC3339Nano'));
  },
  'time.date': (operands) => {
    const { year, month, day } = timeAt(operands, 0).time;
    return [year, month, day];
  },
  'time.clock': (operands) => {
    const { hour, minute, second } = timeAt(operands, 0).time;
    return [hour, minute, second];
  },
  'time.weekday': (operands) => WEEKDAYS[timeAt(operands, 0).time.weekday]!,
  'time.add_date': (operands) => {
    const { time } = timeAt(operands, 0);
    const [years, months, days] = [integerAt(operands, 1), integerAt(operands, 2), integerAt(operands, 3)];
    // as in Go, 31 January and a month is 3 March: what overflows a month goes into the next
    const day = dayOf(time.year + years, time.month - 1 + months, time.day + days);
    const moved = day + (time.hour * 3600 + time.minute * 60 + time.second) * 1000;
    if (Number.isNaN(moved)) throw new BuiltinError('time outside of valid range');
    return toNumber(atUtcNs(moved, time.zone) + BigInt(time.nanosecond));
  },
  'time.diff': (operands) => {
    const a = timeAt(operands, 0).time;
    const b = inZone(timeAt(operands, 1).time.utcNs, a.zone);
    return a.utcNs > b.utcNs ? difference(b, a) : difference(a, b);
  },
};

/** Unlike `Date.UTC`, which takes the years 0 to 99 for the 20th century's. */
const dayOf = (year: number, month: number, day: number) => new Date(0).setUTCFullYear(year, month, day);

const layoutOf = (name: string) => (Object.hasOwn(LAYOUTS, name) ? LAYOUTS[name]! : name);

function toNumber(ns: bigint): RegoNumber {
  if (BigInt.asIntN(64, ns) !== ns) throw new BuiltinError('time outside of valid range');
  return fromBigInt(ns);
}

function timeAt(operands: readonly RegoValue[], index: number): { time: ZonedTime; layout: string } {
  const operand = operands[index]!;
  const [moment, zone = '', layout = ''] = Array.isArray(operand) ? operand : [operand];
  if (!isNumber(moment)) throw new BuiltinError('operand 1 must be a number or [number, zone]');
  if (typeof zone !== 'string' || typeof layout !== 'string') throw new BuiltinError('zone and layout must be strings');
  const double = toDouble(moment);
  const ns = toInt64(moment) ?? (Number.isInteger(double) ? BigInt(double) : undefined);
  if (ns === undefined || BigInt.asIntN(64, ns) !== ns) throw new BuiltinError('timestamp too big');
  return { time: inZone(ns, zone === '' ? 'UTC' : zone), layout };
}

/** Years, months, days, hours, minutes and seconds from `a` to the later `b`, as the calendar counts them. */
function difference(a: ZonedTime, b: ZonedTime): number[] {
  let [year, month, day] = [b.year - a.year, b.month - a.month, b.day - a.day];
  let [hour, minute, second] = [b.hour - a.hour, b.minute - a.minute, b.second - a.second];
  if (second < 0) [second, minute] = [second + 60, minute - 1];
  if (minute < 0) [minute, hour] = [minute + 60, hour - 1];
  if (hour < 0) [hour, day] = [hour + 24, day - 1];
  if (day < 0) {
    const daysInMonth = 32 - new Date(dayOf(a.year, a.month - 1, 32)).getUTCDate();
    [day, month] = [day + daysInMonth, month - 1];
  }
  if (month < 0) [month, year] = [month + 12, year - 1];
  return [year, month, day, hour, minute, second];
}

const UNIT_NS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 7n * 86_400_000_000_000n,
  y: 365n * 86_400_000_000_000n,
};

/** Go's durations, with days, weeks and years of 365 days. */
function parseDuration(text: string): bigint {
  const [, sign, rest = ''] = /^([+-]?)(.*)$/s.exec(text)!;
  if (rest === '0' && text !== '') return 0n;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d|w|y))+$/.test(rest)) {
    throw new BuiltinError(`time: invalid duration "${text}"`);
  }
  let total = 0n;
  for (const [, whole, fraction = '', unit] of rest.matchAll(/(\d*)\.?(\d*)([a-zµμ]+)/g)) {
    const scale = UNIT_NS[unit!]!;
    total += BigInt(whole || 0) * scale + (BigInt(fraction || 0) * scale) / 10n ** BigInt(fraction.length);
  }
  return sign === '-' ? -total : total;
}
