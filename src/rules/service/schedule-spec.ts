import type { ScheduleSpecDescription } from '@temporalio/client';
import { canonicalJson } from '../../kernel/canonical-json';
import { parseDuration } from '../../kernel/duration';
import type { Trigger } from '../document/rule-policy';
import { cronValues } from '../document/trigger';

type Calendar = NonNullable<ScheduleSpecDescription['calendars']>[number];
type CalendarField = Calendar[Exclude<keyof Calendar, 'comment'>];

const MONTHS = [
  ...['JANUARY', 'FEBRUARY', 'MARCH', 'APRIL', 'MAY', 'JUNE', 'JULY', 'AUGUST', 'SEPTEMBER', 'OCTOBER', 'NOVEMBER'],
  'DECEMBER',
];
const WEEKDAYS = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'];

/**
 * Whether a schedule runs at the times of a trigger, and at no others. Temporal answers a cron line as a calendar of ranges,
 * so calendars are compared by their values.
 */
export function isSameSpec(spec: ScheduleSpecDescription, trigger: Trigger): boolean {
  const { calendars = [], intervals = [], skip = [], startAt, endAt, jitter = 0, timezone } = spec;
  if (skip.length > 0 || startAt !== undefined || endAt !== undefined || jitter > 0) return false;
  if (calendars.length + intervals.length !== 1) return false;
  if ('every' in trigger) {
    const [interval] = intervals;
    return interval?.every === parseDuration(trigger.every) && Number(interval.offset ?? 0) === 0;
  }
  const [calendar] = calendars;
  if (calendar === undefined || (timezone || 'UTC') !== (trigger.timeZone ?? 'UTC')) return false;
  const found = {
    minute: valuesOf(calendar.minute),
    hour: valuesOf(calendar.hour),
    dayOfMonth: valuesOf(calendar.dayOfMonth),
    month: valuesOf(calendar.month, (name) => MONTHS.indexOf(name) + 1),
    dayOfWeek: valuesOf(calendar.dayOfWeek, (name) => WEEKDAYS.indexOf(name)),
  };
  const isAtFullMinutes = valuesOf(calendar.second).every((second) => second === 0);
  return (
    isAtFullMinutes && calendar.year.length === 0 && canonicalJson(found) === canonicalJson(cronValues(trigger.cron))
  );
}

/** The values of some ranges, in ascending order. */
function valuesOf(ranges: CalendarField, numberOf: (name: string) => number = Number): number[] {
  const values = new Set<number>();
  for (const { start, end = start, step = 1 } of ranges) {
    const last = numberOf(String(end));
    for (let value = numberOf(String(start)); value <= last; value += Math.max(1, step)) values.add(value);
  }
  return [...values].sort((one, other) => one - other);
}
