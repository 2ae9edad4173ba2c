import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  log,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  CollectRequest,
  GateDefaults,
  LapsedLease,
  LeaseClaim,
  RecordedDecision,
} from '../../activities/gate-activities';
import type { ReleaseRef } from '../../gate/facts/snapshot';
import { GATE_ACTOR } from '../../gate/deployments/act-record';
import type { StageSpec } from '../../gate/deployments/deployment-spec';
import type { CarriedGate, DeploymentStatus } from '../../gate/deployments/deployment-state';
import { explain, summarise } from '../../gate/deployments/explain';
import { misfit } from '../../gate/deployments/operator-call';
import { beginPause, leaseLapsedFault, pauseAlert, reminded, stillPaused } from '../../gate/deployments/pause';
import { compileBehaviour, type CompiledBehaviour } from '../../gate/deployments/stage-behaviour';
import { FailureType, type Fault } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import { readDefaults } from './activity-proxies';
import { AuditTrail } from './audit-trail';
import { GateAlerts } from './gate-alerts';
import { GateView } from './gate-view';
import { explainQuery, statusQuery } from '../messages';
import { OperatorInbox, type QueuedCall } from './operator-inbox';
import { takeDecision } from './take-decision';

/** A stage as the gate sees it: its action is the caller's business. */
export type GatedStage = Omit<StageSpec, 'action'>;

export interface GateOptions {
  deploymentId: string;
  attributes?: JsonObject;
  /** all stages in order, when they are known; `awaitStage` adds what is missing */
  stages?: readonly string[];
  /** false in namespaces without the gate's search attributes; @default true */
  searchAttributes?: boolean;
  carried?: CarriedGate;
  /** continues as new with the given state; without it the history is left to grow */
  continueAsNew?: (carried: CarriedGate) => Promise<never>;
  /** continue as new beyond this many events, earlier than the server suggests */
  historyLimit?: number;
}

/** The way is clear for a stage's action. */
export interface GatePass {
  /** `allow`, or whatever was found in observe mode */
  outcome: 'allow' | 'deny' | 'error';
  decisionId: string;
  overridden: boolean;
  /** how long it holds; absent in observe mode */
  lease?: LeaseClaim;
}

/** A stage pauses after this many leases that lapsed in a row. */
const LAPSES_BEFORE_PAUSE = 3;

/**
 * The gate of one deployment: decides stage by stage, waits on denials, pauses on errors and obeys operators. Its state
 * changes only in the caller's own line of control; handlers do no more than queue.
 */
export class Gate {
  readonly view: GateView;
  readonly audit: AuditTrail;
  private readonly inbox: OperatorInbox;
  private readonly alerts: GateAlerts;
  private defaults?: GateDefaults;
  private behaviour?: CompiledBehaviour;
  private leaseLapses: number;
  /** after a lapsed lease: the release that the action's worker found */
  private requiredRelease?: ReleaseRef;

  constructor(private readonly options: GateOptions) {
    const { carried } = options;
    this.view = new GateView(options.deploymentId, options.stages ?? [], carried, options.searchAttributes ?? true);
    this.leaseLapses = carried?.leaseLapses ?? 0;
    this.alerts = new GateAlerts(
      () => this.activityOptions(),
      (message) => log.warn(message),
    );
    this.audit = new AuditTrail(this.view, this.alerts, () => ({
      activities: this.activityOptions(),
      reminders: this.inForce(),
    }));
    this.inbox = new OperatorInbox(
      carried,
      () => this.status(),
      () => this.view.publish(),
    );
    this.view.notes = this.inbox.notes;
    setHandler(statusQuery, () => this.status());
    setHandler(explainQuery, () => explain(this.status(), this.inbox.notes));
  }

  status(): DeploymentStatus {
    return this.view.status();
  }

  get abortAwaits(): boolean {
    return this.inbox.abortAwaits;
  }

  /** false until the first stage knows the defaults in force: nothing can have been decided or recorded before. */
  get hasBegun(): boolean {
    return this.defaults !== undefined;
  }

  /** The activity options of the stage that is under way. */
  activityOptions(): GateDefaults['activities'] {
    if (!this.defaults) throw ApplicationFailure.nonRetryable('No stage has begun', FailureType.ConfigInvalid);
    return this.defaults.activities;
  }

  /**
   * Returns when the stage may go on: allowed, overridden, or only observed.
   *
   * @throws ApplicationFailure DeploymentDenied when denied for good, DeploymentAborted when an operator aborts; both
   *   after their records are stored
   */
  async awaitStage(stage: GatedStage): Promise<GatePass> {
    if (this.view.enter(stage.name)) this.leaseLapses = 0;
    this.defaults = await readDefaults();
    this.behaviour = compileBehaviour(this.defaults.stages, stage);
    await this.continueAsNewIfLong();
    // After continue-as-new within a wait, and after lapsed leases, the time to ask again comes first.
    let askNow = this.view.pause === undefined && this.view.deniedSinceMs === undefined;
    let resume: QueuedCall | undefined;
    for (;;) {
      if (askNow) {
        const recorded = await this.decide(stage, resume !== undefined);
        const pass = await this.follow(recorded, resume);
        if (pass) {
          this.view.showAttributes();
          return pass;
        }
      }
      askNow = true;
      const call = await this.waitForCall();
      if (call?.kind === 'abort') await this.endAborted(call);
      if (call?.kind === 'override') return await this.override(call);
      resume = call;
    }
  }

  /** To be called when a lease lapsed before the action's request was sent; the stage is then awaited once more. */
  async leaseLapsed(claim: LeaseClaim, found: LapsedLease): Promise<void> {
    this.leaseLapses += 1;
    this.requiredRelease = found.release;
    this.view.setState('deciding');
    if (this.leaseLapses < LAPSES_BEFORE_PAUSE) return;
    const limit = found.cause === 'age' ? claim.limit : undefined;
    const fault = leaseLapsedFault(this.leaseLapses, found.delayMs, limit);
    this.leaseLapses = 0;
    await this.pauseOn([fault], claim.decisionId);
  }

  /** Nobody could tell whether the release behind the allow is in force still: the stage pauses on that. */
  async leaseUnconfirmed(claim: LeaseClaim, fault: Fault): Promise<void> {
    this.view.setState('deciding');
    await this.pauseOn([fault], claim.decisionId);
  }

  /** The present stage's action is done. */
  passed(): void {
    this.leaseLapses = 0;
    this.requiredRelease = undefined;
    this.view.finishStage();
    this.view.publish();
  }

  /** Takes the abort that came in while an action ran. It is recorded when this returns. */
  async takeAbort(): Promise<QueuedCall | undefined> {
    if (!this.inbox.abortAwaits) return undefined;
    const call = this.inbox.take();
    if (call) await this.recordCall(call);
    return call;
  }

  /** @param remark what else the end must say, for example that a compensation failed */
  async endAborted(call: QueuedCall, remark = ''): Promise<never> {
    await this.end('aborted', `aborted by ${call.call.actor}: ${call.call.reason}${remark}`);
    this.reply(call, true, `Aborted at stage ${this.view.stage}${remark}`);
    return await this.fail(FailureType.DeploymentAborted);
  }

  /** Sets the final state; an open pause is resolved and recorded first. */
  async end(state: 'done' | 'denied' | 'aborted' | 'failed', endReason?: string): Promise<void> {
    if (this.view.pause) await this.resolvePause(`deployment ${state}`);
    this.view.endReason = endReason;
    this.view.setState(state);
    this.view.showAttributes();
  }

  /** Before the workflow closes: nobody waits for an answer, and every message is sent. */
  async settle(): Promise<void> {
    this.inbox.close(summarise(this.status()));
    await this.alerts.flush();
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }

  private async decide(stage: GatedStage, resumed: boolean): Promise<RecordedDecision> {
    const request: CollectRequest = {
      target: {
        deploymentId: this.options.deploymentId,
        stage: stage.name,
        stageIndex: this.view.stageIndex,
        attributes: this.options.attributes ?? {},
        stageAttributes: (stage.attributes ?? {}) as JsonObject,
      },
      bypassCache: resumed || this.requiredRelease !== undefined,
      ...(this.requiredRelease === undefined ? {} : { release: this.requiredRelease }),
    };
    const recorded = await takeDecision(request, this.activityOptions(), (record) => this.audit.recordDecision(record));
    this.view.lastDecision = recorded;
    if (this.view.progress) this.view.progress.outcome = recorded.decision.outcome;
    return recorded;
  }

  /** What a decision means for the stage; undefined when it must wait. */
  private async follow(recorded: RecordedDecision, resume: QueuedCall | undefined): Promise<GatePass | undefined> {
    const { decision, decisionId } = recorded;
    const { mode, autoResume, onDeny, giveUpAfterMs } = this.inForce();
    if (mode === 'observe') return { outcome: decision.outcome, decisionId, overridden: false };
    if (decision.outcome === 'error') {
      await this.pauseOn(decision.faults, decisionId);
      if (resume) this.replyToResume(resume, false);
      return undefined;
    }
    if (this.view.pause && !autoResume && !resume) {
      this.noteRecovery();
      return undefined;
    }
    if (this.view.pause)
      await this.resolvePause(resume ? `resumed by ${resume.call.actor}` : 'the facts have recovered');
    if (decision.outcome === 'allow') {
      this.view.deniedSinceMs = undefined;
      this.view.setState('deciding');
      if (resume) this.replyToResume(resume, true);
      return { outcome: 'allow', decisionId, overridden: false, lease: toLease(recorded) };
    }
    this.view.deniedSinceMs ??= recorded.decisionTimeMs;
    const givenUp = giveUpAfterMs !== undefined && Date.now() - this.view.deniedSinceMs >= giveUpAfterMs;
    if (onDeny === 'fail' || givenUp) {
      await this.end('denied', decision.denyReasons.join('; '));
      if (resume) this.replyToResume(resume, true);
      return await this.fail(FailureType.DeploymentDenied);
    }
    this.view.setState('waiting');
    if (resume) this.replyToResume(resume, true);
    return undefined;
  }

  /** Waits until an operator's call fits (recorded when it is returned), or it is time to ask again (undefined). */
  private async waitForCall(): Promise<QueuedCall | undefined> {
    const { recheckEveryMs, giveUpAfterMs } = this.inForce();
    const { deniedSinceMs, pause } = this.view;
    const givesUpAtMs =
      pause || deniedSinceMs === undefined || giveUpAfterMs === undefined ? Infinity : deniedSinceMs + giveUpAfterMs;
    const askAtMs = Math.min(Date.now() + recheckEveryMs, givesUpAtMs);
    this.view.nextAskAtMs = askAtMs;
    this.view.publish();
    this.view.showAttributes();
    try {
      for (;;) {
        const call = this.inbox.take();
        if (call && (await this.accept(call))) return call;
        if (call) continue;
        await this.continueAsNewIfLong();
        if (Date.now() >= askAtMs) return undefined;
        const wakeAtMs = Math.min(askAtMs, this.view.pause?.nextReminderAtMs ?? Infinity);
        await condition(() => !this.inbox.isEmpty, Math.max(1, wakeAtMs - Date.now()));
        this.remindIfDue();
      }
    } finally {
      this.view.nextAskAtMs = undefined;
    }
  }

  /** The state may have changed since the call was queued: one that no longer fits is void. */
  private async accept(queued: QueuedCall): Promise<boolean> {
    const unfit = misfit(queued.kind, queued.call, this.status());
    if (unfit === undefined) await this.recordCall(queued);
    else this.reply(queued, false, unfit);
    return unfit === undefined;
  }

  private async continueAsNewIfLong(): Promise<void> {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    const isLong = continueAsNewSuggested || historyLength >= (this.options.historyLimit ?? Infinity);
    if (!this.options.continueAsNew || !isLong) return;
    await this.alerts.flush();
    await condition(allHandlersFinished);
    // A call may have come in during these waits: it is carried out first.
    if (!this.inbox.isEmpty || !allHandlersFinished() || !this.alerts.isIdle) return;
    const { handled, notes } = this.inbox;
    await this.options.continueAsNew({
      version: 1,
      handled,
      notes,
      leaseLapses: this.leaseLapses,
      ...this.view.carried(),
    });
  }

  private async pauseOn(faults: Fault[], decisionId: string): Promise<void> {
    if (this.view.pause) {
      this.view.pause = stillPaused(this.view.pause, faults, decisionId);
      this.view.publish();
      return;
    }
    const pause = beginPause(uuid4(), Date.now(), faults, decisionId, this.inForce());
    this.view.pause = pause;
    this.view.setState('paused');
    this.view.showAttributes();
    this.alerts.send(pauseAlert(pause, this.status()));
    const { id, startedAtMs: atMs, reason } = pause;
    await this.audit.recordAct({ id, kind: 'pause', atMs, actor: GATE_ACTOR, reason, refersTo: decisionId, faults });
  }

  private noteRecovery(): void {
    const { pause } = this.view;
    if (!pause || pause.recovered) return;
    this.view.pause = { ...reminded(pause, Date.now(), this.inForce()), recovered: true };
    this.view.publish();
    this.alerts.send(pauseAlert(this.view.pause, this.status()));
  }

  private remindIfDue(): void {
    const { pause } = this.view;
    if (!pause || Date.now() < pause.nextReminderAtMs) return;
    this.view.pause = reminded(pause, Date.now(), this.inForce());
    this.alerts.send(pauseAlert(this.view.pause, this.status()));
  }

  private async resolvePause(reason: string): Promise<void> {
    const { pause } = this.view;
    if (!pause) return;
    const atMs = Date.now();
    await this.audit.recordAct({ id: uuid4(), kind: 'resolved', atMs, actor: GATE_ACTOR, reason, refersTo: pause.id });
    this.view.pause = undefined;
    this.view.setState('deciding');
    this.alerts.send(pauseAlert(pause, this.status(), atMs));
  }

  private async override(queued: QueuedCall): Promise<GatePass> {
    const decisionTimeMs = Date.now();
    const expiresAtMs = decisionTimeMs + this.inForce().overrideValidForMs;
    if (this.view.pause) await this.resolvePause(`overridden by ${queued.call.actor}`);
    this.view.deniedSinceMs = undefined;
    if (this.view.progress) this.view.progress.overridden = true;
    this.view.setState('deciding');
    this.view.showAttributes();
    const until = new Date(expiresAtMs).toISOString();
    this.reply(queued, true, `Overridden: stage ${this.view.stage} is allowed until ${until}`);
    const decisionId = queued.call.for ?? '';
    return { outcome: 'allow', decisionId, overridden: true, lease: { decisionId, decisionTimeMs, expiresAtMs } };
  }

  private async fail(type: FailureType): Promise<never> {
    await this.settle();
    const status = this.status();
    throw ApplicationFailure.create({ type, message: summarise(status), nonRetryable: true, details: [status] });
  }

  private async recordCall({ kind, call }: QueuedCall): Promise<void> {
    const { actor, reason, for: refersTo } = call;
    const atMs = Date.now();
    const { overrideValidForMs } = this.inForce();
    const lease = kind === 'override' ? { leaseExpiresAtMs: atMs + overrideValidForMs } : {};
    await this.audit.recordAct({ id: uuid4(), kind, atMs, actor, reason, ...lease, ...(refersTo ? { refersTo } : {}) });
  }

  private replyToResume(resume: QueuedCall, resumed: boolean): void {
    const { stage, lastDecision } = this.status();
    const decision = lastDecision?.decision;
    const why = [...(decision?.denyReasons ?? []), ...(decision?.faults ?? []).map((fault) => fault.message)].join(
      '; ',
    );
    const found = `asked anew, stage ${stage} got ${decision?.outcome ?? 'no decision'}${why === '' ? '' : `: ${why}`}`;
    this.reply(resume, resumed, `${resumed ? 'Resumed' : 'Still paused'}: ${found}`);
  }

  private reply(queued: QueuedCall, accepted: boolean, message: string): void {
    const { state, stage, lastDecision } = this.status();
    const decisionId = lastDecision === undefined ? {} : { decisionId: lastDecision.decisionId };
    this.inbox.answer(queued, { kind: queued.kind, accepted, message, state, stage, ...decisionId });
  }

  private inForce(): CompiledBehaviour {
    if (!this.behaviour) throw ApplicationFailure.nonRetryable('No stage has begun', FailureType.ConfigInvalid);
    return this.behaviour;
  }
}

function toLease({ decisionId, decisionTimeMs, decision, release }: RecordedDecision): LeaseClaim {
  return {
    decisionId,
    decisionTimeMs,
    ...(decision.leaseExpiresAtMs === undefined ? {} : { expiresAtMs: decision.leaseExpiresAtMs }),
    ...(release === undefined ? {} : { release }),
    ...(decision.leaseLimit === undefined ? {} : { limit: decision.leaseLimit }),
  };
}
