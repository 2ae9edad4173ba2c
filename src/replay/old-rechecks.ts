import type { GateRecord } from '../audit/audit-record';
import { reasonCodesOf } from '../kernel/reason-code';

/**
 * A full decision of an earlier release can be a recheck: a look at a stage that waited or was paused. `unknown` where that
 * depends on the records before this batch.
 */
export type Place = { is: 'decision' } | { is: 'recheck' } | { is: 'unknown'; key: string; found: string };

/** Stands for anything but a decision of an earlier release: what follows it repeats nothing. */
const OTHER = '';
const DECISION: Place = { is: 'decision' };

/**
 * Tells the rechecks of earlier releases from decisions, for the records of one batch in their order. A recheck repeats the
 * finding of the decision before it in its stage, and no one acted in between. Records of this release name the process that
 * evaluated: each of them was followed. Several allows in a row of an earlier release, of a pause that had recovered or of
 * a lease that lapsed, cannot be told apart: the first counts.
 */
export class RecheckFinder {
  private readonly newest = new Map<string, string>();

  /** To be told of every record of the gate, also of those that filters leave out. */
  place(record: GateRecord): Place {
    const { workflowID, deploymentID, stage, kind, evaluation } = record;
    if (workflowID === undefined) return DECISION;
    const key = `${workflowID}\n${deploymentID}\n${stage}`;
    const isDecision = kind === 'decision';
    if (!isDecision || evaluation?.instance !== undefined) {
      // A pause belongs to the decision that began it.
      if (kind !== 'pause') this.newest.set(key, OTHER);
      return DECISION;
    }
    const found = foundBy(record);
    const before = this.newest.get(key);
    this.newest.set(key, found);
    if (before === undefined) return { is: 'unknown', key, found };
    return before === found ? { is: 'recheck' } : DECISION;
  }

  /** What the newest record of each stage found, for the batch after this one. */
  get last(): ReadonlyMap<string, string> {
    return this.newest;
  }
}

/** The outcome with its codes: numbers in a reason are no difference. */
function foundBy(record: GateRecord): string {
  const { outcome = 'error', errorDetails } = record;
  const codes =
    outcome === 'error' ? errorDetails.map(({ type, factId = '' }) => `${type} ${factId}`) : reasonCodesOf(record);
  return JSON.stringify([outcome, ...[...new Set(codes)].sort()]);
}
