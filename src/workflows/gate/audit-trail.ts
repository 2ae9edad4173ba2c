import { CancellationScope, uuid4, workflowInfo } from '@temporalio/workflow';
import type { GateDefaults } from '../../activities/gate-activities';
import type { AuditRecord } from '../../audit/audit-record';
import { actRecord, GATE_ACTOR, type Act } from '../../gate/deployments/act-record';
import type { Pause } from '../../gate/deployments/deployment-state';
import type { DraftRecord } from '../../gate/deployments/looked';
import { pauseAlert } from '../../gate/deployments/pause';
import { faultText } from '../../kernel/fault-text';
import { FailureType } from '../../kernel/failures';
import type { ReminderIntervals } from '../../kernel/pause';
import { uninterrupted } from '../parts/accepted-calls';
import type { Pauses } from '../parts/pauses';
import { RecordedPauses } from '../parts/recorded-pauses';
import { toFault } from './activity-errors';
import {
  localActivities,
  remoteActivities,
  startsNoLocalActivities,
  untilRecorded,
  type Proxies,
} from './activity-proxies';
import type { Gate } from './gate';

/** An act as the stage knows it: where and in which run it happens is added. */
export type OwnAct = Omit<Act, 'deploymentId' | 'stage' | 'workflowId' | 'runId' | 'release'>;

/** Where the gate keeps each of its two pauses. */
const SLOTS = { pause: 'pause', outage: 'auditOutage' } as const;

/** What a decision or an act is recorded under while a stage runs. */
export interface RecordingOptions {
  activities: GateDefaults['activities'];
  reminders: ReminderIntervals;
}

/** Records everything before anything acts; while the store is down the deployment is paused and resumes by itself. */
export class AuditTrail {
  private readonly recorded: RecordedPauses<AuditRecord, Pause>;

  constructor(
    private readonly gate: Gate,
    private readonly options: RecordingOptions,
  ) {
    const { activities, reminders } = options;
    this.recorded = new RecordedPauses<AuditRecord, Pause>({
      intervals: reminders,
      present: (slot) => gate.progress[SLOTS[slot]],
      put: (slot, pause) => gate.apply({ type: 'paused', slot: SLOTS[slot], pause }),
      ended: (slot) => gate.apply({ type: 'unpaused', slot: SLOTS[slot] }),
      show: () => gate.showAttributes(),
      alert: (pause, endsAtMs) => this.alert(pause, endsAtMs),
      teller: () => gate.incidents.teller,
      pauseRecord: ({ id, startedAtMs: atMs, reason, decisionId, faults }) =>
        this.toRecord({ id, kind: 'pause', atMs, actor: GATE_ACTOR, reason, refersTo: decisionId, faults }),
      resolvedRecord: (pause, atMs, reason) =>
        this.toRecord({
          ...{ id: uuid4(), kind: 'resolved', atMs, actor: GATE_ACTOR, reason, refersTo: pause.id },
          details: { pausedOn: pause.reason, startedAt: new Date(pause.startedAtMs).toISOString() },
        }),
      store: (record) => put(remoteActivities(activities, 'recordDecision', record.kind), record),
      untilStored: (record) => put(untilRecorded(activities, summaryOf(record)), record),
      outageOf: (record, error) => ({
        faults: [{ ...toFault(error, FailureType.AuditWriteFailed), type: FailureType.AuditWriteFailed }],
        context: { decisionId: record.decisionID },
      }),
    });
  }

  /** The pauses of the stage, each recorded when it begins and before it ends. */
  get pauses(): Pauses<Pause> {
    return this.recorded.pauses;
  }

  /**
   * Stores a decision and returns the record that is in the store under its id. Its id and time come from the snapshot, so
   * it can be recorded within the workflow task: a task that runs again writes the same.
   */
  async recordDecision(record: AuditRecord): Promise<AuditRecord> {
    const attempt = (draft: AuditRecord): Promise<AuditRecord> => {
      const summary = summaryOf(draft);
      // Facts that were put aside take longer than a workflow task may be held.
      const isRemote = (draft as DraftRecord).looked !== undefined || startsNoLocalActivities();
      const { activities } = this.options;
      return put(isRemote ? remoteActivities(activities, 'recordDecision', summary) : localActivities(summary), draft);
    };
    // An outage of the store that began meanwhile must end, with its record and its message.
    return await uninterrupted(() => this.recorded.recordBy(attempt, record));
  }

  /**
   * Stores an operator's act or one of the gate's own. Its time comes from the workflow task, which may run again at
   * another time, so it passes through history.
   */
  async recordAct(act: OwnAct): Promise<void> {
    await this.recorded.record(this.toRecord(act));
  }

  /**
   * Stores an act whose id follows from what it tells: it can be recorded within the workflow task, because a task that
   * runs again adopts what it wrote. A cancellation does not stop it.
   */
  async recordDerived(act: OwnAct): Promise<void> {
    await CancellationScope.nonCancellable(() => this.recordDecision(this.toRecord(act)));
  }

  private toRecord(act: OwnAct): AuditRecord {
    const { workflowId, runId } = workflowInfo();
    const { deploymentId, stage, lastDecision } = this.gate.status();
    const release = lastDecision?.release;
    return actRecord({ ...act, deploymentId, stage, workflowId, runId, ...(release ? { release } : {}) });
  }

  /** Sends the message about a pause, in runs that an earlier release began; `endsAtMs` makes it the resolved one. */
  private alert(pause: Pause, endsAtMs?: number): void {
    const alert = pauseAlert(pause, this.gate.status(), endsAtMs);
    const summary = `${alert.status}: ${alert.name}${alert.reminder > 0 ? ` (reminder ${alert.reminder})` : ''}`;
    const send = () => remoteActivities(this.options.activities, 'alert', summary).sendAlert(alert);
    this.gate.alerts.send(send, alert);
  }
}

/** Facts that were put aside are fetched before their record is written. */
function put(activities: Proxies, record: AuditRecord): Promise<AuditRecord> {
  const draft = record as DraftRecord;
  return draft.looked === undefined ? activities.recordDecision(record) : activities.recordBigDecision(draft);
}

/** One line for the Temporal UI: of an act its kind, of a decision the outcome with its reasons. */
function summaryOf(record: AuditRecord): string {
  return record.kind === 'decision' ? decisionSummary(record) : record.kind;
}

function decisionSummary(record: AuditRecord): string {
  const faults = record.errorDetails.map(faultText);
  const why = record.reasons.length > 0 ? record.reasons : faults;
  const text = [record.outcome ?? 'error', ...(why.length > 0 ? [why.join('; ')] : [])].join(': ');
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
