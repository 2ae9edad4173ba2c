import { formatDuration, parseDuration } from '../../kernel/duration';
import type { RuleFault } from '../conditions/read-condition';
import type { Trigger } from './rule-policy';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
/** More often, one run would begin before the state that the last one made is observed. */
const SHORTEST_MS = 10 * SECOND_MS;
const LONGEST_MS = 366 * 24 * 60 * MINUTE_MS;

interface CronField {
  name: string;
  from: number;
  to: number;
  /** in place of numbers, from `from` on */
  names: readonly string[];
}

const FIELDS: readonly CronField[] = [
  { name: 'minute', from: 0, to: 59, names: [] },
  { name: 'hour', from: 0, to: 23, names: [] },
  { name: 'day of month', from: 1, to: 31, names: [] },
  {
    name: 'month',
    from: 1,
    to: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'day of week', from: 0, to: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];
const DAY = 2;
const MONTH = 3;

/** How many days a month has at most. */
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const ITEM = /^(?:(\*)|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:\/([0-9]{1,2}))?$/;

/** What is wrong with a trigger whose shape is right, with the pointers of a policy. */
export function triggerFaults(trigger: Trigger | undefined): RuleFault[] {
  if (trigger === undefined) return [];
  if ('every' in trigger) return everyFaults(trigger.every);
  return [...cronFaults(trigger.cron), ...zoneFaults(trigger.timeZone)];
}

/** A time that never passes between two runs: what is due may be caught up within it. */
export function shortestIntervalMs(trigger: Trigger): number {
  if ('every' in trigger) return parseDuration(trigger.every);
  const { minute } = cronValues(trigger.cron);
  const gaps = minute.map((at, index) => (minute[index + 1] ?? minute[0]! + 60) - at);
  return Math.min(...gaps) * MINUTE_MS;
}

/** The values of each field of a valid cron line, in ascending order. */
export function cronValues(cron: string): Record<'minute' | 'hour' | 'dayOfMonth' | 'month' | 'dayOfWeek', number[]> {
  const texts = fieldsOf(cron);
  const [minute, hour, dayOfMonth, month, dayOfWeek] = FIELDS.map((field, index) => {
    const values = readField(texts[index] ?? '', field);
    if (typeof values === 'string') throw new TypeError(values);
    return values;
  });
  return { minute: minute!, hour: hour!, dayOfMonth: dayOfMonth!, month: month!, dayOfWeek: dayOfWeek! };
}

/** `every 15m`, `at 0 6 * * mon-fri (Europe/Berlin)`: for people. */
export function triggerText(trigger: Trigger): string {
  return 'every' in trigger ? `every ${trigger.every}` : `at ${trigger.cron} (${trigger.timeZone ?? 'UTC'})`;
}

function everyFaults(every: string): RuleFault[] {
  const expected = `expected an interval from ${formatDuration(SHORTEST_MS)} to ${formatDuration(LONGEST_MS)}`;
  let everyMs: number;
  try {
    everyMs = parseDuration(every);
  } catch {
    return [{ pointer: '/trigger/every', sentence: `${expected}, got ${every}` }];
  }
  if (everyMs >= SHORTEST_MS && everyMs <= LONGEST_MS) {
    // A schedule counts whole seconds.
    if (everyMs % SECOND_MS === 0) return [];
    return [{ pointer: '/trigger/every', sentence: `expected whole seconds, got ${every}` }];
  }
  return [{ pointer: '/trigger/every', sentence: `${expected}, got ${every}` }];
}

function cronFaults(cron: string): RuleFault[] {
  const at = (sentence: string): RuleFault => ({ pointer: '/trigger/cron', sentence });
  const texts = fieldsOf(cron);
  if (texts.length !== FIELDS.length) {
    return [at(`expected minute, hour, day of month, month and day of week such as */15 * * * *, got ${quoted(cron)}`)];
  }
  const read = FIELDS.map((field, index) => readField(texts[index]!, field));
  const faults = read.filter((one) => typeof one === 'string');
  if (faults.length > 0) return faults.map(at);
  const [days, months] = [read[DAY] as number[], read[MONTH] as number[]];
  const isEver = months.some((month) => DAYS[month - 1]! >= days[0]!);
  return isEver ? [] : [at(`expected a time that comes, but no such month has a day ${days[0]}, got ${quoted(cron)}`)];
}

function fieldsOf(cron: string): string[] {
  return cron.trim().split(/\s+/);
}

/** The values of a field in ascending order, or what is wrong with it. */
function readField(text: string, field: CronField): number[] | string {
  const values = new Set<number>();
  for (const item of text.toLowerCase().split(',')) {
    const [, star, first, last, step] = ITEM.exec(item) ?? [];
    const from = star === undefined ? toNumber(first, field) : field.from;
    const open = star !== undefined || (last === undefined && step !== undefined);
    const to = open ? field.to : last === undefined ? from : toNumber(last, field);
    const by = step === undefined ? 1 : Number(step);
    if (from === undefined || to === undefined || from > to || by === 0) {
      const range = `from ${field.from} to ${field.to}${field.names.length === 0 ? '' : ` or ${field.names[0]}`}`;
      return `expected a ${field.name} ${range}, as 5, 1-5, */5 or 1,5, got ${quoted(item)}`;
    }
    for (let value = from; value <= to; value += by) values.add(value);
  }
  return [...values].sort((one, other) => one - other);
}

function toNumber(text: string | undefined, { from, to, names }: CronField): number | undefined {
  if (text === undefined) return undefined;
  const named = names.indexOf(text);
  const value = named >= 0 ? from + named : Number(text);
  return value >= from && value <= to ? value : undefined;
}

function zoneFaults(timeZone: string | undefined): RuleFault[] {
  if (timeZone === undefined || timeZone === 'UTC') return [];
  const at = (sentence: string): RuleFault[] => [{ pointer: '/trigger/timeZone', sentence }];
  const expected = 'expected a time zone such as Europe/Berlin';
  // An offset is none: Temporal knows zones by their names in the IANA database, to the letter.
  if (!/^[A-Za-z]/.test(timeZone)) return at(`${expected}, got ${quoted(timeZone)}`);
  try {
    const { timeZone: known } = new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions();
    if (known === timeZone || known.toLowerCase() !== timeZone.toLowerCase()) return [];
    return at(`${expected}; did you mean ${known}? got ${quoted(timeZone)}`);
  } catch {
    return at(`${expected}, got ${quoted(timeZone)}`);
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
