import type { JsonObject } from '../../kernel/json';
import type { Gate } from '../kinds/gate';
import { standingApprovals, TAKEN_BACK, type GateStatus, type Review } from '../serving/gate-reviews';

export type Verdict = 'approved' | 'rejected';

/** Who decides, and how. */
export interface Decider {
  actor: string;
  /** RFC 3339 */
  timestamp: string;
  reason?: string;
  /** decides anew: what was decided before counts no more */
  again?: boolean;
}

/** What a reviewer's word comes to: a status to be written, nothing new, or why it cannot be said. */
export type Decided =
  | { status: JsonObject; unchanged?: undefined; fault?: undefined }
  | { unchanged: true; status?: undefined; fault?: undefined }
  | { fault: string; status?: undefined; unchanged?: undefined };

/**
 * A gate's status after one reviewer's word. Approvals add up until there are as many as the gate requires; one rejection is
 * enough. The same word of the same reviewer changes nothing; the other word needs `again`.
 */
export function decideGate(
  gate: Gate,
  verdict: Verdict,
  { actor, timestamp, reason, again = false }: Decider,
): Decided {
  const { spec, status = {}, metadata } = gate;
  const { reviewers = [], requiredApprovers = 1 } = spec;
  if (reviewers.length > 0 && !reviewers.includes(actor))
    return { fault: `expected one of its reviewers ${reviewers.join(', ')}, got ${actor}` };
  const generation = metadata.generation ?? 1;
  const history = status.reviewHistory ?? [];
  const isCurrent = status.decidedGeneration === generation && !again;
  const standing = isCurrent ? status.resolution : undefined;
  if (standing !== undefined && standing.outcome !== verdict) {
    const by = (standing.actors ?? []).join(', ');
    return { fault: `it was ${standing.outcome} by ${by} at ${standing.timestamp}; --again decides anew` };
  }
  const said = sayingOf(verdict, { actor, timestamp, ...(reason === undefined ? {} : { reason }) }, generation);
  const isTaken = status.resolution !== undefined && standing === undefined && status.decidedGeneration === generation;
  const taken: Review[] =
    isTaken || (again && standingApprovals(history, generation).length > 0)
      ? [{ reviewer: actor, action: 'comment', timestamp, comment: TAKEN_BACK, targetGeneration: generation }]
      : [];
  const before = standing?.actors ?? (again || verdict === 'rejected' ? [] : standingApprovals(history, generation));
  if (before.includes(actor)) return { unchanged: true };
  const actors = [...before, actor];
  const reviewHistory = [...history, ...taken, said];
  const { resolution: _resolution, decidedGeneration: _decided, ...rest } = status;
  const next: GateStatus =
    verdict === 'approved' && actors.length < requiredApprovers
      ? { ...rest, phase: 'Waiting', reviewHistory }
      : {
          ...rest,
          phase: verdict === 'approved' ? 'Approved' : 'Rejected',
          resolution: {
            ...(reason === undefined ? {} : { comment: reason }),
            ...standing,
            outcome: verdict,
            timestamp: standing?.timestamp ?? timestamp,
            actors,
          },
          decidedGeneration: generation,
          reviewHistory,
        };
  return { status: next as JsonObject };
}

function sayingOf(verdict: Verdict, { actor, timestamp, reason }: Omit<Decider, 'again'>, generation: number): Review {
  return {
    reviewer: actor,
    action: verdict === 'approved' ? 'approve' : 'reject',
    timestamp,
    ...(reason === undefined ? {} : { comment: reason }),
    targetGeneration: generation,
  };
}

/** Where a gate stands, in one sentence without its name: `is Approved by ann, bob`. */
export function standingOf({ spec, status = {}, metadata }: Gate): string {
  const { phase = 'Pending', resolution, reviewHistory = [], decidedGeneration } = status;
  const generation = metadata.generation ?? 1;
  if (resolution !== undefined) {
    const stale = decidedGeneration === generation ? '' : `, as it was in generation ${decidedGeneration}`;
    return `is ${phase} by ${(resolution.actors ?? []).join(', ')}${stale}`;
  }
  const approvals = standingApprovals(reviewHistory, generation);
  if (approvals.length === 0) return `is ${phase}`;
  return `is ${phase}: approved by ${approvals.join(', ')}, ${approvals.length} of ${spec.requiredApprovers ?? 1}`;
}
