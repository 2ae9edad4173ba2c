import { isDuration, parseDuration } from '../kernel/duration';
import { NAME_PATTERN } from '../kernel/names';
import { FailureType, faultsToError, type Fault } from '../kernel/failures';
import { parseTime } from '../kernel/time';
import { AuditDomain, RecordKind, type AuditQuery } from './audit-record';
import { DecisionOutcome } from '../kernel/outcome';

export const MAX_LIMIT = 10_000;

/** A query as it is typed in a command or is in a URL: strings, under the names of `AuditQuery`. */
export type AuditQueryOptions = { [option in keyof AuditQuery]?: string | undefined };

const FIRST_MS = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

type Reading<T> = { value: NonNullable<T> } | { expected: string };

/**
 * Options as typed, checked and made exact. `since` and `until` take RFC 3339 or a duration back from now, such as `30d`.
 *
 * @param nowMs epoch milliseconds, UTC
 * @throws GateError ConfigInvalid with every fault, unknown options included
 */
export function parseAuditQuery(options: AuditQueryOptions, nowMs: number): AuditQuery {
  const faults: Fault[] = [];
  const query: AuditQuery = {};
  for (const [name, text] of Object.entries(options)) {
    if (text === undefined) continue;
    const read = Object.hasOwn(READERS, name) ? READERS[name as keyof AuditQuery] : undefined;
    if (read === undefined) {
      faults.push(
        fault(name, `Expected one of ${Object.keys(READERS).join(', ')}, got an option called ${show(name)}`),
      );
      continue;
    }
    const reading: Reading<unknown> =
      typeof text === 'string' ? read(text, nowMs) : { expected: 'to be given at most once' };
    if ('expected' in reading) faults.push(fault(name, `Expected ${name} ${reading.expected}, got ${show(text)}`));
    else Object.assign(query, { [name]: reading.value });
  }
  if (query.since !== undefined && query.until !== undefined && Date.parse(query.since) >= Date.parse(query.until)) {
    faults.push(fault('since', `Expected since to lie before until, got ${query.since} and ${query.until}`));
  }
  faults.push(...placeFaults(query));
  if (faults.length > 0) throw faultsToError(faults);
  return query;
}

/** A query as the options that give it again: what a client puts into a URL. */
export function toAuditQueryOptions(query: AuditQuery): AuditQueryOptions {
  return Object.fromEntries(
    Object.entries(query)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        name,
        typeof value === 'object' ? `${value.timestamp},${value.decisionID}` : String(value),
      ]),
  );
}

const READERS: {
  [option in keyof Required<AuditQuery>]: (text: string, nowMs: number) => Reading<AuditQuery[option]>;
} = {
  domain: oneOf(Object.values(AuditDomain)),
  subject: readSubject,
  part: readSubject,
  deploymentID: readName,
  stage: readName,
  outcome: oneOf(Object.values(DecisionOutcome)),
  kind: oneOf(Object.values(RecordKind)),
  since: readTime,
  until: readTime,
  policySHA: (text) =>
    /^[0-9a-f]{64}$/i.test(text) ? { value: text.toLowerCase() } : { expected: 'to be 64 hexadecimal digits' },
  manifestVersion: (text) => (text === '' ? { expected: 'not to be empty' } : { value: text }),
  after(text) {
    const [, timestamp, decisionID] = /^([^,]+),(.+)$/.exec(text) ?? [];
    return timestamp !== undefined && decisionID !== undefined && isKnownToStores(parseTime(timestamp))
      ? { value: { timestamp, decisionID } }
      : { expected: 'to be the time and the id of a record, with a comma between' };
  },
  reasonCode: (text) => (text === '' ? { expected: 'not to be empty' } : { value: text }),
  limit(text) {
    const limit = /^\d+$/.test(text) ? Number(text) : 0;
    return limit >= 1 && limit <= MAX_LIMIT
      ? { value: limit }
      : { expected: `to be a whole number from 1 to ${MAX_LIMIT}` };
  },
  newestFirst: (text) =>
    text === 'true' || text === 'false' ? { value: text === 'true' } : { expected: 'to be true or false' },
};

/** A subject has two names in the gate's domain; a question that uses both, or the gate's in another domain, is a mistake. */
function placeFaults({ domain, subject, part, deploymentID, stage }: AuditQuery): Fault[] {
  const faults: Fault[] = [];
  const gates = Object.entries({ deploymentID, stage }).filter(([, value]) => value !== undefined);
  for (const [name, value] of gates) {
    if (domain !== undefined && domain !== AuditDomain.gate) {
      faults.push(fault(name, `Expected ${name} with the domain gate alone, got ${show(value)} and ${show(domain)}`));
    }
    const other = name === 'stage' ? part : subject;
    const otherName = name === 'stage' ? 'part' : 'subject';
    if (other !== undefined) faults.push(fault(name, `Expected ${name} or ${otherName}, got both`));
  }
  return faults;
}

function readSubject(text: string): Reading<string> {
  return text.length <= 512 ? { value: text } : { expected: 'to be of at most 512 characters' };
}

function readName(text: string): Reading<string> {
  return new RegExp(NAME_PATTERN).test(text) ? { value: text } : { expected: `to match ${NAME_PATTERN}` };
}

function oneOf<T extends string>(values: readonly T[]) {
  return (text: string): Reading<T> => {
    const value = values.find((candidate) => candidate === text);
    return value === undefined ? { expected: `to be one of ${values.join(', ')}` } : { value };
  };
}

function readTime(text: string, nowMs: number): Reading<string> {
  const timeMs = isDuration(text) ? momentAgo(text, nowMs) : parseTime(text);
  return isKnownToStores(timeMs)
    ? { value: new Date(timeMs).toISOString() }
    : { expected: 'to be a time such as 2026-11-01T00:00:00Z or a duration back from now such as 30d' };
}

/** Undefined for a duration too long to be counted. */
function momentAgo(duration: string, nowMs: number): number | undefined {
  try {
    return nowMs - parseDuration(duration);
  } catch {
    return undefined;
  }
}

/** The years 1 to 9999: beyond them a time is written in a way that no store reads, or sorts, as one. */
function isKnownToStores(timeMs: number | undefined): timeMs is number {
  return timeMs !== undefined && timeMs >= FIRST_MS && timeMs <= LAST_MS;
}

function fault(where: string, message: string): Fault {
  return { type: FailureType.ConfigInvalid, message, where };
}

function show(value: unknown): string {
  return JSON.stringify(value);
}
