import { CancellationScope, condition, isCancellation, uuid4, workflowInfo } from '@temporalio/workflow';
import type { GateDefaults } from '../../activities/gate-activities';
import type { AuditRecord } from '../../audit/audit-record';
import { actRecord, GATE_ACTOR, type Act } from '../../gate/deployments/act-record';
import { beginPause, pauseAlert, type ReminderIntervals } from '../../gate/deployments/pause';
import type { Pause } from '../../gate/deployments/deployment-state';
import { FailureType } from '../../kernel/failures';
import { toFault } from './activity-errors';
import { localActivities, remoteActivities, untilRecorded } from './activity-proxies';
import type { Gate } from './gate';

/** What a decision or an act is recorded under while this stage runs. */
export interface RecordingOptions {
  activities: GateDefaults['activities'];
  reminders: ReminderIntervals;
}

/** Records everything before anything acts; while the store is down the deployment is paused and goes on by itself. */
export class AuditTrail {
  constructor(
    private readonly gate: Gate,
    private readonly options: RecordingOptions,
  ) {}

  /**
   * Stores a decision and returns the record that stands under its id. Its id and time come from the snapshot, so it can
   * be recorded within the workflow task: a task that runs again writes the same.
   */
  async recordDecision(record: AuditRecord): Promise<AuditRecord> {
    const summary = decisionSummary(record);
    try {
      return await localActivities(summary).recordDecision(record);
    } catch (error) {
      if (isCancellation(error)) throw error;
      return await this.recordAfterOutage(record, summary, error);
    }
  }

  /**
   * Stores an operator's act or one of the gate's own. Its time comes from the workflow task, which may run again at
   * another time, so it passes through history.
   */
  async recordAct(act: Omit<Act, 'deploymentId' | 'stage' | 'workflowId' | 'runId' | 'release'>): Promise<void> {
    const { workflowId, runId } = workflowInfo();
    const { deploymentId, stage, lastDecision } = this.gate.status();
    const release = lastDecision?.release;
    const record = actRecord({ ...act, deploymentId, stage, workflowId, runId, ...(release ? { release } : {}) });
    const { activities } = this.options;
    await CancellationScope.nonCancellable(async () => {
      // The records about an outage itself wait as part of it.
      if (this.gate.progress.auditOutage) return untilRecorded(activities, act.kind).recordDecision(record);
      try {
        return await remoteActivities(activities, 'recordDecision', act.kind).recordDecision(record);
      } catch (error) {
        return await this.recordAfterOutage(record, act.kind, error);
      }
    });
  }

  private async recordAfterOutage(record: AuditRecord, summary: string, cause: unknown): Promise<AuditRecord> {
    const { activities, reminders } = this.options;
    const faults = [{ ...toFault(cause, FailureType.AuditWriteFailed), type: FailureType.AuditWriteFailed }];
    const begun = beginPause(uuid4(), Date.now(), faults, record.decisionID, reminders);
    this.gate.apply({ type: 'outage-begun', outage: begun });
    this.gate.showAttributes();
    this.sendAlert(begun);

    let stored: AuditRecord | undefined;
    const storing = untilRecorded(activities, summary)
      .recordDecision(record)
      .then((answer) => (stored = answer));
    // Awaited below; a rejection (only a cancellation) must not be reported as unhandled before that.
    storing.catch(() => undefined);
    let outage = begun;
    while (stored === undefined) {
      const untilReminderMs = Math.max(1, outage.nextReminderAtMs - Date.now());
      await Promise.race([storing, condition(() => stored !== undefined, untilReminderMs)]);
      if (stored !== undefined || Date.now() < outage.nextReminderAtMs) continue;
      this.gate.apply({ type: 'outage-reminded', atMs: Date.now(), intervals: reminders });
      outage = this.gate.progress.auditOutage ?? outage;
      this.sendAlert(outage);
    }

    const pause = { id: outage.id, kind: 'pause', atMs: outage.startedAtMs, reason: outage.reason } as const;
    await this.recordAct({ ...pause, actor: GATE_ACTOR, refersTo: record.decisionID, faults });
    const endsAtMs = Date.now();
    const resolved = { id: uuid4(), kind: 'resolved', atMs: endsAtMs, reason: 'the audit store is back' } as const;
    await this.recordAct({ ...resolved, actor: GATE_ACTOR, refersTo: outage.id });
    this.gate.apply({ type: 'outage-ended' });
    this.sendAlert(outage, endsAtMs);
    return stored;
  }

  private sendAlert(outage: Pause, endsAtMs?: number): void {
    this.gate.alerts.send(pauseAlert(outage, this.gate.status(), endsAtMs), this.options.activities);
  }
}

/** One line for the Temporal UI: the outcome with its reasons. */
function decisionSummary(record: AuditRecord): string {
  const faults = record.errorDetails.map((fault) => `${fault.type}: ${fault.message}`);
  const why = record.reasons.length > 0 ? record.reasons : faults;
  const text = [record.outcome ?? 'error', ...(why.length > 0 ? [why.join('; ')] : [])].join(': ');
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
