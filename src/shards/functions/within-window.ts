import type { JsonObject } from '../../kernel/json';
import type { ConditionFunction } from '../../rules/conditions/functions';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const CLOCK = /^([01]\d|2[0-3]):([0-5]\d)$|^24:00$/;
const KEYS = ['from', 'to', 'days', 'time_zone'];

/**
 * Whether the evaluation is within a daily window: from `from` on, before `to`. A window whose end is not after its start ends
 * on the next day, and counts to the day on which it begins.
 */
export const withinWindow: ConditionFunction = {
  name: 'within_window',
  description: 'the time is within the daily window from, to, on days, in time_zone',
  argumentFaults,
  evaluate(args, { nowMs }) {
    const { minute, day } = localTime(nowMs, (args.time_zone ?? 'UTC') as string);
    const [from, to] = [minutesOf(args.from as string), minutesOf(args.to as string)];
    const days = args.days as string[] | undefined;
    const isOn = (of: number) => days === undefined || days.includes(DAYS[(of + 7) % 7]!);
    if (from < to) return minute >= from && minute < to && isOn(day);
    return (minute >= from && isOn(day)) || (minute < to && isOn(day - 1));
  },
};

function argumentFaults(args: JsonObject): string[] {
  const faults: string[] = [];
  for (const key of Object.keys(args)) {
    if (!KEYS.includes(key)) faults.push(`expected only the arguments ${KEYS.join(', ')}, got ${key}`);
  }
  for (const key of ['from', 'to']) {
    const value = args[key];
    if (typeof value === 'string' && CLOCK.test(value)) continue;
    faults.push(`expected ${key} to be a time such as "22:00", got ${JSON.stringify(value) ?? 'nothing'}`);
  }
  const { days, time_zone: zone } = args;
  const isDays = Array.isArray(days) && days.length > 0 && days.every((day) => DAYS.includes(day as string));
  if (days !== undefined && !isDays) {
    faults.push(`expected days to be a list of ${DAYS.join(', ')}, got ${JSON.stringify(days)}`);
  }
  if (zone !== undefined && (typeof zone !== 'string' || !isTimeZone(zone))) {
    faults.push(`expected time_zone to be a time zone such as "Europe/Berlin", got ${JSON.stringify(zone)}`);
  }
  return faults;
}

function minutesOf(clock: string): number {
  const [hours, minutes] = clock.split(':').map(Number);
  return hours! * 60 + minutes!;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    formats.set(zone, format);
  }
  return format;
}

function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

function localTime(atMs: number, zone: string): { minute: number; day: number } {
  const parts = formatOf(zone).formatToParts(atMs);
  const part = (type: string) => parts.find((one) => one.type === type)!.value;
  return { minute: minutesOf(`${part('hour')}:${part('minute')}`), day: DAYS.indexOf(part('weekday').toLowerCase()) };
}
