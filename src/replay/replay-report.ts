import type { DecisionOutcome } from '../kernel/outcome';

/** What became of a recorded decision under the candidate. */
export const ReplayClass = {
  same: 'same',
  /** allowed now, and denied or undecided then */
  newlyAllowed: 'newly-allowed',
  /** denied now, and allowed or undecided then */
  newlyDenied: 'newly-denied',
  /** other reasons, other faults, or no decision any more */
  changed: 'changed',
  /** made by other evaluators than those of this version, and the same but for what the present ones note */
  evaluatorChanged: 'evaluator-changed',
  notReplayable: 'not-replayable',
} as const;
export type ReplayClass = (typeof ReplayClass)[keyof typeof ReplayClass];

/** One decision that did not stay the same. Reasons of an error are its faults. */
export interface ReplayRow {
  decisionID: string;
  deploymentID: string;
  stage: string;
  /** RFC 3339 */
  timestamp: string;
  oldOutcome: DecisionOutcome;
  oldReasons: string[];
  newOutcome: DecisionOutcome;
  newReasons: string[];
  /**
   * on decisions that their own release did not reproduce: the host's built-ins that were called now; absent where the
   * evaluation gave no answer
   */
  builtins?: string[];
  /** where they are others than now: the evaluators that made the decision, with their versions */
  oldEvaluators?: string[];
}

/** The rows that are kept; the counts hold all. */
export type KeptRows = 'newly-allowed' | 'newly-denied' | 'changed' | 'evaluator-changed' | 'not-reproduced';

/** A line of the input that is no audit record; lines count from 1. */
export interface BrokenLine {
  line: number;
  why: string;
}

/** What a replay found; of bounded size however many records there were. */
export interface ReplayReport {
  /** decisions looked at */
  decisions: number;
  /** decisions of earlier releases that were looks at a waiting or paused stage: they count as nothing else */
  rechecks: number;
  /** records of other kinds, and decisions that the filters leave out */
  skipped: number;
  /** decisions of each class */
  counts: Record<ReplayClass, number>;
  /** made by exactly the candidate, and not reproduced by it: its answers depend on more than its input */
  notReproduced: number;
  /** how many decisions gave a reason of each code, then and now, among those replayed */
  reasons: Record<string, { then: number; now: number }>;
  /** why decisions could not be replayed */
  causes: Record<string, number>;
  /** the first decisions of each kind, up to `maxRows` */
  rows: Record<KeptRows, ReplayRow[]>;
  /** how many lines of the input are no audit records */
  brokenLines: number;
  /** the first 20 of them */
  broken: BrokenLine[];
}

const MOST_BROKEN = 20;
/** Codes and causes are the policy's and the facts' words: more than this many different ones count as `other`. */
const MOST_NAMES = 200;

export function emptyReport(): ReplayReport {
  return {
    decisions: 0,
    rechecks: 0,
    skipped: 0,
    counts: {
      same: 0,
      'newly-allowed': 0,
      'newly-denied': 0,
      changed: 0,
      'evaluator-changed': 0,
      'not-replayable': 0,
    },
    notReproduced: 0,
    // Names are the policy's: one may be called `constructor`, or `__proto__`.
    reasons: Object.create(null) as ReplayReport['reasons'],
    causes: Object.create(null) as ReplayReport['causes'],
    rows: { 'newly-allowed': [], 'newly-denied': [], changed: [], 'evaluator-changed': [], 'not-reproduced': [] },
    brokenLines: 0,
    broken: [],
  };
}

export function keepRow(report: ReplayReport, kind: KeptRows, row: ReplayRow, maxRows: number): void {
  const rows = report.rows[kind];
  if (rows.length < maxRows) rows.push(row);
}

export function countCause(report: ReplayReport, cause: string): void {
  report.causes[cause] = (report.causes[cause] ?? 0) + 1;
}

export function countReason(report: ReplayReport, code: string, when: 'then' | 'now'): void {
  const counts = (report.reasons[code] ??= { then: 0, now: 0 });
  counts[when] += 1;
}

export function addBroken(report: ReplayReport, line: number, why: string): void {
  report.brokenLines += 1;
  if (report.broken.length < MOST_BROKEN) report.broken.push({ line, why });
}

/**
 * Adds a batch's report to that of all batches before it, which stays of bounded size.
 *
 * @param mostNames codes and causes beyond so many count as `other`; @default 200
 */
export function mergeReport(into: ReplayReport, batch: ReplayReport, maxRows: number, mostNames = MOST_NAMES): void {
  into.decisions += batch.decisions;
  into.rechecks += batch.rechecks;
  into.skipped += batch.skipped;
  into.notReproduced += batch.notReproduced;
  for (const [found, count] of Object.entries(batch.counts)) into.counts[found as ReplayClass] += count;
  for (const [code, { then, now }] of Object.entries(batch.reasons)) {
    const name = nameIn(into.reasons, code, mostNames);
    const counts = (into.reasons[name] ??= { then: 0, now: 0 });
    counts.then += then;
    counts.now += now;
  }
  for (const [cause, count] of Object.entries(batch.causes)) {
    const name = nameIn(into.causes, cause, mostNames);
    into.causes[name] = (into.causes[name] ?? 0) + count;
  }
  for (const [kind, rows] of Object.entries(batch.rows)) {
    for (const row of rows) keepRow(into, kind as KeptRows, row, maxRows);
  }
  into.broken.push(...batch.broken.slice(0, MOST_BROKEN - into.broken.length));
  into.brokenLines += batch.brokenLines;
}

/**
 * Counts one decision of a batch as a recheck instead, before the batch is merged.
 *
 * @param one the report of this decision alone
 */
export function takeBack(batch: ReplayReport, one: ReplayReport): void {
  batch.decisions -= one.decisions;
  batch.rechecks += one.decisions;
  batch.notReproduced -= one.notReproduced;
  for (const [found, count] of Object.entries(one.counts)) batch.counts[found as ReplayClass] -= count;
  for (const [code, { then, now }] of Object.entries(one.reasons)) {
    const counts = batch.reasons[code];
    if (counts === undefined) continue;
    counts.then -= then;
    counts.now -= now;
    if (counts.then === 0 && counts.now === 0) delete batch.reasons[code];
  }
  for (const [cause, count] of Object.entries(one.causes)) {
    const left = (batch.causes[cause] ?? 0) - count;
    if (left > 0) batch.causes[cause] = left;
    else delete batch.causes[cause];
  }
  for (const [kind, rows] of Object.entries(one.rows)) {
    const gone = new Set(rows.map(({ decisionID }) => decisionID));
    if (gone.size > 0)
      batch.rows[kind as KeptRows] = batch.rows[kind as KeptRows].filter(({ decisionID }) => !gone.has(decisionID));
  }
}

function nameIn(entries: object, wanted: string, mostNames: number): string {
  return Object.hasOwn(entries, wanted) || Object.keys(entries).length < mostNames ? wanted : 'other';
}
