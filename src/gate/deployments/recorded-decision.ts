import type { AuditRecord, RecordedEvaluation } from '../../audit/audit-record';
import { findingOf } from './finding';
import type { Decision, DecisionEvaluation } from '../decisions/decision';
import type { ReleaseRef } from '../../releases/release-ref';
import { shownValue } from './short-record';

/**
 * What the workflow continues with: the record in the store, which is an earlier one when this decision had been
 * recorded before a crash. Limits of the lease that a record does not keep come from the decision just made.
 */
export function toRecordedDecision(
  stored: AuditRecord,
  decision: Decision,
  maxAgeMs: Record<string, number>,
): RecordedDecision {
  const decisionTimeMs = Date.parse(stored.timestamp);
  return {
    decisionId: stored.decisionID,
    decisionTimeMs,
    codes: findingOf(stored).codes,
    decision: {
      outcome: stored.outcome ?? 'error',
      denyReasons: stored.reasons,
      faults: stored.errorDetails,
      evalDurationNs: stored.evalDurationNS ?? 0,
      ...(stored.leaseExpiresAt === undefined ? {} : { leaseExpiresAtMs: Date.parse(stored.leaseExpiresAt) }),
      ...(decision.leaseLimit === undefined ? {} : { leaseLimit: decision.leaseLimit }),
      ...(stored.evaluation === undefined ? {} : { evaluation: shownEvaluation(stored.evaluation) }),
    },
    ...(stored.policySHA === undefined || stored.configRev === undefined
      ? {}
      : {
          release: {
            policySha: stored.policySHA,
            configRev: stored.configRev,
            manifestVersion: stored.manifestVersion ?? '',
          },
        }),
    facts: stored.usedFacts.map((fact) => ({
      id: fact.id,
      value: shownValue(fact),
      ageMs: decisionTimeMs - Date.parse(fact.observedAt),
      ...(maxAgeMs[fact.id] === undefined ? {} : { maxAgeMs: maxAgeMs[fact.id] }),
      source: fact.source,
      ...(fact.lookedAt === undefined ? {} : { lookedAt: fact.lookedAt }),
    })),
  };
}

/** What `explain` shows of it; the budget is the same for all. */
function shownEvaluation({ budget: _budget, ...evaluation }: RecordedEvaluation): DecisionEvaluation {
  return { ...evaluation, secondOpinion: evaluation.secondOpinion as DecisionEvaluation['secondOpinion'] };
}

/** A decision without its bulk: what a workflow keeps and shows. */
export interface RecordedDecision {
  /** id of the record */
  decisionId: string;
  /** epoch milliseconds */
  decisionTimeMs: number;
  decision: Decision;
  /** of its reasons or faults, as a `Finding` has them; absent in what earlier releases recorded */
  codes?: string[];
  /** under which it was decided; absent when none was loaded */
  release?: ReleaseRef;
  /** ages, values and limits for `explain`; empty after an error that found no fact */
  facts: { id: string; value: string; ageMs: number; maxAgeMs?: number; source: string; lookedAt?: boolean }[];
}

/** What a look found that was not followed: it has no record, and so no id. */
export type Look = Omit<RecordedDecision, 'decisionId'>;
