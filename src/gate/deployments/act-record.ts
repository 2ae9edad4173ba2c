import type { GateRecord, RecordKind } from '../../audit/audit-record';
import type { Fault } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { ReleaseRef } from '../../releases/release-ref';

/** The actor of the system's own records. */
export const GATE_ACTOR = 'gate';

export interface Act {
  id: string;
  kind: Exclude<RecordKind, 'decision'>;
  deploymentId: string;
  stage: string;
  atMs: number;
  actor: string;
  reason: string;
  refersTo?: string;
  faults?: readonly Fault[];
  release?: ReleaseRef;
  workflowId: string;
  runId: string;
  leaseExpiresAtMs?: number;
  /** of `recheck`, `acted` and `ended`, which are records of version 2 */
  details?: JsonObject;
}

/** The record of what an operator or the gate itself did, apart from deciding. Only an override has an outcome: it allows. */
export function actRecord(act: Act): GateRecord {
  return {
    schemaVersion: act.details === undefined ? 1 : 2,
    decisionID: act.id,
    kind: act.kind,
    deploymentID: act.deploymentId,
    stage: act.stage,
    timestamp: new Date(act.atMs).toISOString(),
    ...(act.kind === 'override' ? { outcome: 'allow' as const } : {}),
    reasons: [],
    errorDetails: [...(act.faults ?? [])],
    usedFacts: [],
    ...(act.release
      ? {
          policySHA: act.release.policySha,
          configRev: act.release.configRev,
          manifestVersion: act.release.manifestVersion,
        }
      : {}),
    workflowID: act.workflowId,
    runID: act.runId,
    actor: act.actor,
    reason: act.reason,
    ...(act.refersTo === undefined ? {} : { refersTo: act.refersTo }),
    ...(act.details === undefined ? {} : { details: act.details }),
    ...(act.leaseExpiresAtMs === undefined ? {} : { leaseExpiresAt: new Date(act.leaseExpiresAtMs).toISOString() }),
  };
}
