import type { AuditRecord, GateRecord } from '../../audit/audit-record';
import { isGateRecord } from '../../audit/place';
import type { Pause as BasicPause } from '../../kernel/pause';
import { actRecord } from './act-record';
import type { DeploymentSpec } from './deployment-spec';
import { isFinal, type DeploymentStatus, type GateState, type Pause } from './deployment-state';
import { endedAct } from './end-records';

/** A workflow run of a deployment that Temporal ended without telling it. */
export interface ClosedRun {
  deploymentId: string;
  workflowId: string;
  runId: string;
  /** of its workers, which have its audit store */
  taskQueue: string;
  end: 'terminated' | 'timed-out';
  /** epoch milliseconds */
  closedAtMs: number;
  /** the stage that was shown last */
  stage?: string;
}

/** What is left to know of a deployment whose workflow is closed and does not answer. */
export interface ClosedRemains {
  deploymentId: string;
  state: GateState;
  stage?: string;
  spec?: Pick<DeploymentSpec, 'stages'>;
  pause?: Pause;
}

/** The status of such a deployment: what each stage did is unknown. */
export function remainingStatus({ deploymentId, state, stage = '', spec, pause }: ClosedRemains): DeploymentStatus {
  const names = (spec?.stages ?? []).map(({ name }) => name);
  const stages = names.map((name) => ({ name, state: 'unknown' as const }));
  const stageIndex = Math.max(0, names.indexOf(stage));
  return { deploymentId, state, stage, stageIndex, stages, ...(pause ? { pause } : {}) };
}

/** What is known of a deployment whose run was ended in Temporal: as it was then, and how it ended. */
export function closedStatus(known: DeploymentStatus, end: GateState, endReason: string): DeploymentStatus {
  if (isFinal(known.state) && known.state !== end) return known;
  const { hold: _over, ...rest } = known;
  return { ...rest, state: end, endReason };
}

/**
 * The pause that no record resolves.
 *
 * @param records of one deployment, in any order
 */
export function openPause(records: readonly AuditRecord[]): Pause | undefined {
  const resolved = new Set(records.flatMap((record) => (record.kind === 'resolved' ? [record.refersTo] : [])));
  const open = records
    .filter(isGateRecord)
    .filter(({ kind, decisionID }) => kind === 'pause' && !resolved.has(decisionID))
    .sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1))
    .at(-1);
  if (open === undefined) return undefined;
  const pause: BasicPause = {
    id: open.decisionID,
    reason: typeof open.details?.pausedOn === 'string' ? open.details.pausedOn : (open.reason ?? 'unknown'),
    faults: open.errorDetails,
    startedAtMs: Date.parse(open.timestamp),
    remindersSent: 1,
    nextReminderAtMs: Infinity,
    recovered: false,
  };
  return { ...pause, decisionId: open.refersTo ?? '' };
}

/** Stands for a stage that nothing tells: no store takes an empty one. */
const UNKNOWN_STAGE = 'unknown';

/**
 * The record of such an end. Its id is the one that the workflow itself would have given it: where it wrote the record before
 * it was ended, that one stays.
 */
export function closedRecord(run: ClosedRun, status: DeploymentStatus): GateRecord {
  const { deploymentId, workflowId, runId, end, closedAtMs } = run;
  const stage = status.stage || run.stage || UNKNOWN_STAGE;
  const reason = status.endReason ?? end;
  const ended = { end, by: 'temporal', reason };
  const release = status.lastDecision?.release;
  return actRecord({
    ...endedAct({ deploymentId, stage, runId }, ended, status.stages, closedAtMs),
    deploymentId,
    stage,
    workflowId,
    runId,
    ...(release ? { release } : {}),
  });
}
