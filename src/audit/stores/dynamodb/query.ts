import { AuditDomain, type AuditQuery } from '../../audit-record';
import { scopeOf } from '../../place';
import { partitionKey, sortKey, subjectKey } from './item';

/** The indexes of the table beside its own key, each with the table's sort key. */
export const DEPLOYMENT_INDEX = 'byDeployment';
export const DAY_INDEX = 'byDay';

const DAY_MS = 86_400_000;
/** TTL deletes some days late; and a retention that was shortened since does not shorten what was written before. */
const LATE_DAYS = 7;
const LEAST_LOOK_BACK_DAYS = 400;
/** A question about ever more is a question about this long ago. */
const MOST_LOOK_BACK_DAYS = 3660;
/** Other machines' clocks may be ahead. */
const AHEAD_MS = DAY_MS;

/** A run of sort keys, both ends included except for `except`, the record that a page continues after. */
export interface SortKeyRange {
  from?: string;
  to?: string;
  except?: string;
}

/** Where all answers to a question are, when that is one place: the table's own key, or an index. */
export interface Partition {
  index?: string;
  attribute: string;
  value: string;
}

/** A part of DynamoDB's expressions, with what it names. */
export interface Expression {
  text: string;
  names: Record<string, string>;
  values: Record<string, { S: string }>;
}

/** The narrowest place: one part's records, one subject's; undefined when days must be walked. */
export function partitionOf(query: AuditQuery): Partition | undefined {
  const { domain, subject, part } = scopeOf(query);
  if (domain === undefined || subject === undefined) return undefined;
  if (part !== undefined) return { attribute: 'pk', value: partitionKey({ domain, subject, part }) };
  return { index: DEPLOYMENT_INDEX, attribute: 'deploymentID', value: subjectKey({ domain, subject }) };
}

export function dayPartition(day: string): Partition {
  return { index: DAY_INDEX, attribute: 'day', value: day };
}

/**
 * The sort keys that can answer. A sort key is longer than the time that it begins with, so the time itself is before it:
 * `to` includes no record of that moment, `from` all.
 */
export function sortKeyRange({ since, until, after, newestFirst = true }: AuditQuery): SortKeyRange {
  const range: SortKeyRange = {};
  if (since !== undefined) range.from = toMillisecond(since);
  if (until !== undefined) range.to = toMillisecond(until);
  if (after === undefined) return range;
  const place = sortKey(after);
  range.except = place;
  if (newestFirst) range.to = range.to === undefined || place < range.to ? place : range.to;
  else range.from = range.from === undefined || place > range.from ? place : range.from;
  return range;
}

/** Records have whole milliseconds: what lies within one begins with the next. */
function toMillisecond(time: string): string {
  const within = /\.\d{3}\d*[1-9]/.test(time) ? 1 : 0;
  return new Date(Date.parse(time) + within).toISOString();
}

/** Nothing lies in a range whose end is before its beginning; DynamoDB refuses to be asked for it. */
export function isEmptyRange({ from, to }: SortKeyRange): boolean {
  return from !== undefined && to !== undefined && from > to;
}

/**
 * The days, UTC, that can hold an answer, in the order of the question. Without `since` they go back as far as records are
 * kept and not less than 400 days; with it, as far as it says and not more than ten years.
 *
 * @param nowMs epoch milliseconds, UTC
 */
export function daysOf(query: AuditQuery, range: SortKeyRange, retentionMs: number, nowMs: number): string[] {
  const keptDays = Math.min(Math.max(Math.ceil(retentionMs / DAY_MS), LEAST_LOOK_BACK_DAYS), MOST_LOOK_BACK_DAYS);
  const lookBackDays = query.since === undefined ? keptDays + LATE_DAYS : MOST_LOOK_BACK_DAYS;
  const oldest = Math.max(dayNumber(nowMs - lookBackDays * DAY_MS), dayNumber(timeOf(range.from) ?? -Infinity));
  const newest = Math.min(dayNumber(nowMs + AHEAD_MS), dayNumber(timeOf(range.to) ?? Infinity));
  const days: string[] = [];
  for (let day = newest; day >= oldest; day -= 1) days.push(new Date(day * DAY_MS).toISOString().slice(0, 10));
  return (query.newestFirst ?? true) ? days : days.reverse();
}

function timeOf(place: string | undefined): number | undefined {
  return place === undefined ? undefined : Date.parse(place.slice(0, 24));
}

function dayNumber(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS);
}

/** `sk` between the ends of the range; undefined when it has none. */
export function rangeExpression({ from, to }: SortKeyRange): Expression | undefined {
  const values = {
    ...(from === undefined ? {} : { ':from': { S: from } }),
    ...(to === undefined ? {} : { ':to': { S: to } }),
  };
  const names = { '#sk': 'sk' };
  if (from !== undefined && to !== undefined) return { text: '#sk BETWEEN :from AND :to', names, values };
  if (from !== undefined) return { text: '#sk >= :from', names, values };
  return to === undefined ? undefined : { text: '#sk <= :to', names, values };
}

const FILTERS = ['outcome', 'kind', 'policySHA', 'manifestVersion'] as const;

/** What an answer must have beside its place; undefined when nothing. `decisionID` alone is asked for by `get`. */
export function filterExpression(query: AuditQuery & { decisionID?: string }): Expression | undefined {
  const wanted: Record<string, string> = {};
  const { domain, subject, part } = scopeOf(query);
  // Where a subject is named, the place of its records says it already, and a filter cannot name a part of the key.
  if (subject === undefined && part !== undefined) wanted.stage = part;
  for (const name of FILTERS) if (query[name] !== undefined) wanted[name] = query[name];
  if (query.decisionID !== undefined) wanted.decisionID = query.decisionID;
  const names: Record<string, string> = {};
  const values: Record<string, { S: string }> = {};
  const parts = Object.entries(wanted).map(([name, value]) => {
    names[`#${name}`] = name;
    values[`:${name}`] = { S: value };
    return `#${name} = :${name}`;
  });
  if (subject === undefined && domain !== undefined) {
    names['#pk'] = 'pk';
    values[':domain'] = { S: domain === AuditDomain.gate ? ':' : `${domain}:` };
    parts.push(domain === AuditDomain.gate ? 'NOT contains(#pk, :domain)' : 'begins_with(#pk, :domain)');
  }
  if (query.reasonCode !== undefined) {
    names['#reasonCodes'] = 'reasonCodes';
    values[':reasonCode'] = { S: query.reasonCode };
    parts.push('contains(#reasonCodes, :reasonCode)');
  }
  return parts.length === 0 ? undefined : { text: parts.join(' AND '), names, values };
}
