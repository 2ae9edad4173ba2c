import { ApplicationFailure } from '@temporalio/common';
import type {
  ActionRequest,
  CollectRequest,
  GateActivities,
  GateDefaults,
  RecheckRequest,
} from '../../src/activities/gate-activities';
import { readLooks } from '../../src/activities/read-looks';
import { createRecheck } from '../../src/activities/recheck';
import { createAlertDispatcher } from '../../src/alerts/alert-dispatcher';
import { DEFAULT_ALERT_RULES } from '../../src/alerts/alert-rules';
import type { Looked } from '../../src/gate/deployments/looked';
import type { Alert } from '../../src/alerts/alert';
import type { AuditRecord } from '../../src/audit/audit-record';
import { PATCHES } from '../../src/gate/deployments/patches';
import { FailureType, type Fault } from '../../src/kernel/failures';
import type { Decision } from '../../src/gate/decisions/decision';
import type { Snapshot, SnapshotFailure } from '../../src/gate/facts/snapshot';
import type { ReleaseRef } from '../../src/releases/release-ref';

export const RELEASE: ReleaseRef = { policySha: 'a'.repeat(64), configRev: 'b'.repeat(64), manifestVersion: 'v1' };

const step = { timeout: '2m', maximumAttempts: 1, initialInterval: '10ms', maximumInterval: '50ms' };

/**
 * The gate's surroundings in memory: facts, a verdict, a store, an action's receiver and an alert receiver whose
 * behaviour a test changes while a workflow runs, and which count what was done to them.
 */
export class FakeGateActivities {
  verdict: { outcome: 'allow' } | { outcome: 'deny'; reasons: string[] } | { outcome: 'error'; faults: Fault[] } = {
    outcome: 'allow',
  };
  /** the next evaluations throw this type first */
  evaluationFailures: FailureType[] = [];
  /** how many of the next questions for the defaults fail */
  defaultsFailures = 0;
  storeDown = false;
  alertsDown = false;
  /** an alert waits until this resolves */
  alertGate?: () => Promise<void>;
  leaseMs?: number;
  /** how many of the next action requests find their lease lapsed */
  lapses = 0;
  /** how many of the next action requests cannot tell whether their lease holds */
  unconfirmed = 0;
  /** how the next action attempts fail, in order; then they succeed */
  actionFailures: { mayHaveBeenSent: boolean; nonRetryable?: boolean }[] = [];
  /** how many of the next attempts at an action are lost with their worker: they give no sign any more */
  actionsLost = 0;
  /** of one attempt at an action */
  actionTimeout = '2m';
  /** an action waits until this resolves; a cancellation ends it */
  actionGate?: (cancelled: Promise<never>) => Promise<void>;
  stages: GateDefaults['stages'] = {
    onDeny: 'fail',
    recheckEvery: '100ms',
    recheckAtMost: '1s',
    autoResume: false,
    mode: 'enforce',
    overrideValidFor: '15m',
    remindAfter: '1h',
    remindAtMost: '24h',
    resolveAfter: '2m',
  };
  readonly records = new Map<string, AuditRecord>();
  recordAttempts = 0;
  readonly collected: CollectRequest[] = [];
  /** collecting for a decision waits until this resolves */
  collectGate?: () => Promise<void>;
  /** the looks of rechecks, in order */
  readonly looks: RecheckRequest[] = [];
  /** how far ahead of this machine's clock a look is made */
  looksAheadMs = 0;
  /** a look waits until this resolves */
  lookGate?: () => Promise<void>;
  looksUnreadable = false;
  readonly decidedOnOneWorker: CollectRequest[] = [];
  readonly actions: ActionRequest[] = [];
  readonly compensations: string[] = [];
  readonly alerts: Alert[] = [];
  alertRules: GateDefaults['alerts'] = DEFAULT_ALERT_RULES;
  /** undefined as in answers of earlier releases */
  patches: GateDefaults['patches'] = PATCHES;
  /** as the real one, over a receiver in memory */
  private readonly dispatcher = createAlertDispatcher(
    [
      {
        name: 'memory',
        send: async (alert) => {
          await this.alertGate?.();
          if (this.alertsDown) throw ApplicationFailure.retryable('the receiver is down');
          this.alerts.push(alert);
        },
      },
    ],
    { sent: () => undefined, failed: () => undefined },
  );
  private decisions = 0;

  kinds(): string[] {
    return [...this.records.values()].map((record) =>
      record.kind === 'decision' ? `decision:${record.outcome}` : record.kind,
    );
  }

  activities(): GateActivities {
    return {
      readDefaults: async () => {
        if (this.defaultsFailures > 0) {
          this.defaultsFailures -= 1;
          throw ApplicationFailure.retryable('busy');
        }
        const alert = { ...step, maximumAttempts: 2 };
        const action = { ...step, maximumAttempts: 3, timeout: this.actionTimeout };
        return {
          stages: this.stages,
          ...(this.alertRules === undefined ? {} : { alerts: this.alertRules, leavesAlerts: true }),
          ...(this.patches === undefined ? {} : { patches: this.patches }),
          activities: { collectFacts: step, evaluatePolicy: step, recordDecision: step, alert, action },
        };
      },
      collectFacts: async (request) => {
        this.collected.push(request);
        if (this.collectGate) await this.collectGate();
        return this.collect(request);
      },
      evaluatePolicy: async () => {
        const failure = this.evaluationFailures.shift();
        if (failure) throw ApplicationFailure.nonRetryable(`no such release here`, failure);
        return this.decide();
      },
      decide: async (request) => {
        this.decidedOnOneWorker.push(request);
        return { snapshot: this.collect(request), decision: this.decide() };
      },
      recheck: createRecheck({
        look: async (request) => {
          this.looks.push(request);
          if (this.lookGate) await this.lookGate();
          return this.look(request);
        },
        onLooked: () => undefined,
      }),
      readLooks: async (request) => {
        if (this.looksUnreadable) throw ApplicationFailure.nonRetryable('Temporal cannot be asked');
        return readLooks(request);
      },
      recordDecision: async (record) => {
        this.recordAttempts += 1;
        if (this.storeDown) throw ApplicationFailure.retryable('the store is down', FailureType.AuditWriteFailed);
        const earlier = this.records.get(record.decisionID);
        if (earlier) return earlier;
        this.records.set(record.decisionID, record);
        return record;
      },
      recordBigDecision: async () => {
        throw ApplicationFailure.nonRetryable('this fake has no facts that are big');
      },
      runAction: async (request) => {
        this.actions.push(request);
        if (request.lease && this.lapses > 0) {
          this.lapses -= 1;
          const details = [{ cause: 'age', release: RELEASE, delayMs: 1234 }];
          throw ApplicationFailure.create({
            type: FailureType.LeaseLapsed,
            message: 'lapsed',
            nonRetryable: true,
            details,
          });
        }
        if (request.lease && this.unconfirmed > 0) {
          this.unconfirmed -= 1;
          throw ApplicationFailure.create({
            type: FailureType.PolicyUnavailable,
            message: 'the manifest cannot be read',
            details: [{ mayHaveBeenSent: false }],
          });
        }
        if (this.actionsLost > 0) {
          this.actionsLost -= 1;
          const { Context } = await import('@temporalio/activity');
          await Context.current().cancelled;
        }
        const failure = this.actionFailures.shift();
        if (failure) {
          const { mayHaveBeenSent, nonRetryable = false } = failure;
          throw ApplicationFailure.create({
            type: FailureType.ActionFailed,
            message: 'the receiver said 500',
            nonRetryable,
            details: [{ mayHaveBeenSent }],
          });
        }
        if (this.actionGate) {
          const { Context } = await import('@temporalio/activity');
          const context = Context.current();
          const beat = setInterval(() => context.heartbeat(), 50);
          try {
            await this.actionGate(context.cancelled);
          } catch (error) {
            // As the real one does: what was stopped says whether it may have left.
            const type = FailureType.ActionFailed;
            const details = [{ mayHaveBeenSent: true }];
            throw ApplicationFailure.create({ type, message: 'was stopped', details, cause: error as Error });
          } finally {
            clearInterval(beat);
          }
        }
        return { status: 202, summary: 'accepted' };
      },
      compensateAction: async ({ idempotencyKey }) => {
        this.compensations.push(idempotencyKey);
        return { summary: 'taken back' };
      },
      sendAlert: (alert) => this.dispatcher.send(alert),
    };
  }

  private look({ target }: RecheckRequest): Looked {
    try {
      const snapshot = this.collect({ target });
      const decisionTimeMs = snapshot.decisionTimeMs + this.looksAheadMs;
      return { snapshot: { ...snapshot, decisionTimeMs }, decision: this.decide() };
    } catch (error) {
      if (!(error instanceof ApplicationFailure)) throw error;
      return { failure: error.details?.[0] as SnapshotFailure };
    }
  }

  private collect({ target }: CollectRequest): Snapshot {
    this.decisions += 1;
    const decisionId = `decision-${target.deploymentId}-${this.decisions}`;
    const decisionTimeMs = Date.now();
    if (this.verdict.outcome === 'error') {
      const failure = { decisionId, decisionTimeMs, target, release: RELEASE, facts: [], faults: this.verdict.faults };
      throw ApplicationFailure.create({
        type: this.verdict.faults[0]?.type,
        message: 'facts failed',
        nonRetryable: true,
        details: [failure],
      });
    }
    const fact = {
      id: 'max_pending',
      value: 100,
      observedAtMs: decisionTimeMs - 5,
      collectedAtMs: decisionTimeMs,
      source: 'fake',
    };
    return { decisionId, decisionTimeMs, target, release: RELEASE, facts: [fact], maxAgeMs: { max_pending: 45_000 } };
  }

  private decide(): Decision {
    const base = { faults: [], denyReasons: [], evalDurationNs: 1000 };
    if (this.verdict.outcome === 'deny') return { ...base, outcome: 'deny', denyReasons: this.verdict.reasons };
    const lease = this.leaseMs === undefined ? {} : { leaseExpiresAtMs: Date.now() + this.leaseMs };
    return { ...base, ...lease, outcome: 'allow', leaseLimit: { factId: 'max_pending', maxAgeMs: 45_000 } };
  }
}
