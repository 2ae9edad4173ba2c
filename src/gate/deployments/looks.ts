import type { GateRecord } from '../../audit/audit-record';
import { faultText } from '../../kernel/fault-text';
import type { DecisionOutcome } from '../../kernel/outcome';
import { findingOf, type Finding } from './finding';

/** Looks at a stage that all found the same. Times are RFC 3339 in UTC. */
export interface Looks {
  /** how many; null when that could not be read */
  count: number | null;
  /** absent before the first look */
  firstAt?: string;
  /** absent before the first look */
  lastAt?: string;
}

/**
 * What a recheck keeps in Temporal between its looks, as its heartbeat details: people see it under Pending Activities.
 * It holds no more than a record does, and at most 2 KB of reasons and faults.
 */
export interface LookDetails extends Looks {
  /** how many */
  count: number;
  /** of the newest look, like all that follows; absent before the first one */
  outcome?: DecisionOutcome;
  /** as a `Finding` has them, the first ones where there are many; like reasons and faults */
  codes?: string[];
  /** why it was denied */
  reasons?: string[];
  /** why no decision could be made; a sentence each */
  faults?: string[];
  /** version of the manifest that it was made under */
  release?: string;
}

/** How often a stage is looked at. */
export interface LookIntervals {
  /** at first */
  everyMs: number;
  /** it doubles up to this */
  atMostMs: number;
}

const SHOWN_BYTES = 2_048;
/** The interval doubles once for so many looks that found the same. */
const LOOKS_BEFORE_DOUBLING = 10;
const MOST_DOUBLINGS = 30;

/** How long after a look the next one is due: the interval doubles with every ten looks that found the same, up to `atMostMs`. */
export function nextLookInMs({ everyMs, atMostMs }: LookIntervals, count: number): number {
  const doublings = Math.min(Math.floor(count / LOOKS_BEFORE_DOUBLING), MOST_DOUBLINGS);
  return Math.max(everyMs, Math.min(atMostMs, everyMs * 2 ** doublings));
}

/** The details after one more look that found the same as those before. */
export function countLook(
  before: Looks,
  record: Pick<GateRecord, 'timestamp' | 'outcome' | 'reasons' | 'errorDetails' | 'masked' | 'manifestVersion'>,
): LookDetails {
  const { outcome, codes }: Finding = findingOf(record);
  let left = SHOWN_BYTES;
  const fitting = (texts: readonly string[]): string[] => {
    const kept: string[] = [];
    for (const text of texts) {
      const bytes = JSON.stringify(text).length;
      if (bytes > left) return [...kept, `… and ${texts.length - kept.length} more`];
      left -= bytes;
      kept.push(text);
    }
    return kept;
  };
  return {
    count: (before.count ?? 0) + 1,
    firstAt: before.firstAt ?? record.timestamp,
    lastAt: record.timestamp,
    outcome,
    codes: fitting(codes),
    ...(record.reasons.length === 0 ? {} : { reasons: fitting(record.reasons) }),
    ...(record.errorDetails.length === 0 ? {} : { faults: fitting(record.errorDetails.map(faultText)) }),
    ...(record.manifestVersion === undefined ? {} : { release: record.manifestVersion }),
  };
}

/** What heartbeat details say, when they are a recheck's: an operator can reset them, and a later release may add to them. */
export function toLookDetails(details: unknown): LookDetails | undefined {
  if (typeof details !== 'object' || details === null) return undefined;
  const { count } = details as { count?: unknown };
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? (details as LookDetails) : undefined;
}
