import { ApplicationFailure, condition, uuid4 } from '@temporalio/workflow';
import type { CollectRequest, GateDefaults } from '../../activities/gate-activities';
import type { LapsedLease, LeaseClaim } from '../../gate/decisions/lease';
import type { RecordedDecision } from '../../gate/deployments/recorded-decision';
import { GATE_ACTOR } from '../../gate/deployments/act-record';
import { summarise } from '../../gate/deployments/explain';
import { allowedPass, observedPass, overriddenPass, type GatePass } from '../../gate/deployments/gate-pass';
import { asksAtOnce, lapsesPause, NextStep, nextAskAtMs, nextStep } from '../../gate/deployments/next-step';
import { misfit } from '../../gate/deployments/operator-call';
import { replyTo, resumeMessage } from '../../gate/deployments/operator-reply';
import { beginPause, leaseLapsedFault, pauseAlert } from '../../gate/deployments/pause';
import type { CompiledBehaviour } from '../../gate/deployments/stage-behaviour';
import { FailureType, type Fault } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import { AuditTrail } from './audit-trail';
import type { Gate, GatedStage } from './gate';
import type { QueuedCall } from './operator-inbox';
import { takeDecision } from './take-decision';

/**
 * One stage at the gate, under the defaults that were in force when it began: asks for decisions, waits on denials, pauses
 * on errors and obeys operators. What follows from what is worked out by pure modules; here it is awaited and carried out.
 */
export class StageGate {
  private readonly audit: AuditTrail;

  constructor(
    private readonly gate: Gate,
    private readonly stage: GatedStage,
    private readonly behaviour: CompiledBehaviour,
    readonly activities: GateDefaults['activities'],
  ) {
    this.audit = new AuditTrail(gate, { activities, reminders: behaviour });
  }

  get abortAwaits(): boolean {
    return this.gate.inbox.abortAwaits;
  }

  /**
   * Returns when the stage may go on: allowed, overridden, or only observed.
   *
   * @throws ApplicationFailure DeploymentDenied when denied for good, DeploymentAborted when an operator aborts; both
   *   after their records are stored
   */
  async awaitPass(): Promise<GatePass> {
    let asks = asksAtOnce(this.gate.progress);
    let resume: QueuedCall | undefined;
    for (;;) {
      if (asks) {
        const recorded = await this.decide(resume !== undefined);
        const pass = await this.follow(recorded, resume);
        if (pass) {
          this.gate.showAttributes();
          return pass;
        }
      }
      asks = true;
      const call = await this.waitForCall();
      if (call?.kind === 'abort') await this.endAborted(call);
      if (call?.kind === 'override') return await this.override(call);
      resume = call;
    }
  }

  actionStarted(): void {
    this.gate.apply({ type: 'action-started' });
  }

  /** The stage is over: its action is done, or it has none. */
  passed(): void {
    this.gate.apply({ type: 'stage-passed' });
  }

  /** To be called when a lease lapsed before the action's request was sent; the stage is then begun once more. */
  async leaseLapsed(claim: LeaseClaim, found: LapsedLease): Promise<void> {
    this.gate.apply({ type: 'lease-lapsed', release: found.release });
    const { progress } = this.gate;
    if (!lapsesPause(progress)) return;
    const limit = found.cause === 'age' ? claim.limit : undefined;
    const fault = leaseLapsedFault(progress.leaseLapses, found.delayMs, limit);
    this.gate.apply({ type: 'lapses-counted' });
    await this.pauseOn([fault], claim.decisionId);
  }

  /** The worker could not tell whether the release behind the allow is still in force: the stage pauses on that. */
  async leaseUnconfirmed(claim: LeaseClaim, fault: Fault): Promise<void> {
    this.gate.apply({ type: 'lease-unconfirmed' });
    await this.pauseOn([fault], claim.decisionId);
  }

  /** Takes the abort that came in while an action ran. It is recorded when this returns. */
  async takeAbort(): Promise<QueuedCall | undefined> {
    if (!this.abortAwaits) return undefined;
    const call = this.gate.inbox.take();
    if (call) await this.recordCall(call);
    return call;
  }

  /** @param remark what else the end must say, for example that a compensation failed */
  async endAborted(call: QueuedCall, remark = ''): Promise<never> {
    await this.gate.end('aborted', `aborted by ${call.call.actor}: ${call.call.reason}${remark}`);
    this.reply(call, true, `Aborted at stage ${this.gate.status().stage}${remark}`);
    return await this.fail(FailureType.DeploymentAborted);
  }

  /** Temporal's own cancellation is an abort without a name. */
  async recordCancellation(reason: string): Promise<void> {
    await this.audit.recordAct({ id: uuid4(), kind: 'abort', atMs: Date.now(), actor: 'temporal', reason });
  }

  async resolvePause(reason: string): Promise<void> {
    const { pause } = this.gate.progress;
    if (!pause) return;
    const atMs = Date.now();
    await this.audit.recordAct({ id: uuid4(), kind: 'resolved', atMs, actor: GATE_ACTOR, reason, refersTo: pause.id });
    this.gate.apply({ type: 'pause-ended' });
    this.gate.alerts.send(pauseAlert(pause, this.gate.status(), atMs), this.activities);
  }

  private async decide(resumed: boolean): Promise<RecordedDecision> {
    const { deploymentId, attributes } = this.gate.options;
    const { stageIndex, requiredRelease } = this.gate.progress;
    const request: CollectRequest = {
      target: {
        deploymentId,
        stage: this.stage.name,
        stageIndex,
        attributes: attributes ?? {},
        stageAttributes: (this.stage.attributes ?? {}) as JsonObject,
      },
      bypassCache: resumed || requiredRelease !== undefined,
      ...(requiredRelease === undefined ? {} : { release: requiredRelease }),
    };
    const recorded = await takeDecision(request, this.activities, (record) => this.audit.recordDecision(record));
    this.gate.apply({ type: 'decided', recorded });
    return recorded;
  }

  /** Carries out what a decision means for the stage; undefined when it must wait. */
  private async follow(recorded: RecordedDecision, resume: QueuedCall | undefined): Promise<GatePass | undefined> {
    for (;;) {
      const step = nextStep(this.gate.progress, this.behaviour, { resumed: resume !== undefined, nowMs: Date.now() });
      switch (step) {
        case NextStep.observe:
          return observedPass(recorded);
        case NextStep.pause:
          await this.pauseOn(recorded.decision.faults, recorded.decisionId);
          this.answerResume(resume, false);
          return undefined;
        case NextStep.awaitOperator:
          this.noteRecovery();
          return undefined;
        case NextStep.endPause:
          await this.resolvePause(resume ? `resumed by ${resume.call.actor}` : 'the facts have recovered');
          continue;
        case NextStep.allow:
          this.gate.apply({ type: 'allowed' });
          this.answerResume(resume, true);
          return allowedPass(recorded);
        case NextStep.deny:
          this.gate.apply({ type: 'denied', sinceMs: recorded.decisionTimeMs });
          await this.gate.end('denied', recorded.decision.denyReasons.join('; '));
          this.answerResume(resume, true);
          return await this.fail(FailureType.DeploymentDenied);
        case NextStep.wait:
          this.gate.apply({ type: 'denied', sinceMs: recorded.decisionTimeMs });
          this.gate.apply({ type: 'waiting' });
          this.answerResume(resume, true);
          return undefined;
        default:
          return step satisfies never;
      }
    }
  }

  /** Waits until an operator's call fits (recorded when it is returned), or it is time to ask again (undefined). */
  private async waitForCall(): Promise<QueuedCall | undefined> {
    const { inbox } = this.gate;
    const askAtMs = nextAskAtMs(this.gate.progress, this.behaviour, Date.now());
    this.gate.apply({ type: 'ask-scheduled', atMs: askAtMs });
    this.gate.showAttributes();
    try {
      for (;;) {
        const call = inbox.take();
        if (call && (await this.accept(call))) return call;
        if (call) continue;
        await this.gate.continueAsNewIfLong();
        if (Date.now() >= askAtMs) return undefined;
        const wakeAtMs = Math.min(askAtMs, this.gate.progress.pause?.nextReminderAtMs ?? Infinity);
        await condition(() => !inbox.isEmpty, Math.max(1, wakeAtMs - Date.now()));
        this.remindIfDue();
      }
    } finally {
      this.gate.apply({ type: 'ask-unscheduled' });
    }
  }

  /** The state may have changed since the call was queued: one that no longer fits is void. */
  private async accept(queued: QueuedCall): Promise<boolean> {
    const unfit = misfit(queued.kind, queued.call, this.gate.status());
    if (unfit === undefined) await this.recordCall(queued);
    else this.reply(queued, false, unfit);
    return unfit === undefined;
  }

  private async pauseOn(faults: Fault[], decisionId: string): Promise<void> {
    if (this.gate.progress.pause) {
      this.gate.apply({ type: 'pause-confirmed', faults, decisionId });
      return;
    }
    const pause = beginPause(uuid4(), Date.now(), faults, decisionId, this.behaviour);
    this.gate.apply({ type: 'pause-begun', pause });
    this.gate.showAttributes();
    this.sendPauseAlert();
    const { id, startedAtMs: atMs, reason } = pause;
    await this.audit.recordAct({ id, kind: 'pause', atMs, actor: GATE_ACTOR, reason, refersTo: decisionId, faults });
  }

  private noteRecovery(): void {
    if (this.gate.progress.pause?.recovered !== false) return;
    this.gate.apply({ type: 'pause-recovered', atMs: Date.now(), intervals: this.behaviour });
    this.sendPauseAlert();
  }

  private remindIfDue(): void {
    const { pause } = this.gate.progress;
    if (!pause || Date.now() < pause.nextReminderAtMs) return;
    this.gate.apply({ type: 'pause-reminded', atMs: Date.now(), intervals: this.behaviour });
    this.sendPauseAlert();
  }

  private sendPauseAlert(): void {
    const { pause } = this.gate.progress;
    if (pause) this.gate.alerts.send(pauseAlert(pause, this.gate.status()), this.activities);
  }

  private async override(queued: QueuedCall): Promise<GatePass> {
    const pass = overriddenPass(queued.call.for ?? '', Date.now(), this.behaviour.overrideValidForMs);
    if (this.gate.progress.pause) await this.resolvePause(`overridden by ${queued.call.actor}`);
    this.gate.apply({ type: 'overridden' });
    this.gate.showAttributes();
    const until = new Date(pass.lease?.expiresAtMs ?? 0).toISOString();
    this.reply(queued, true, `Overridden: stage ${this.stage.name} is allowed until ${until}`);
    return pass;
  }

  private async fail(type: FailureType): Promise<never> {
    await this.gate.settle();
    const status = this.gate.status();
    throw ApplicationFailure.create({ type, message: summarise(status), nonRetryable: true, details: [status] });
  }

  private async recordCall({ kind, call }: QueuedCall): Promise<void> {
    const { actor, reason, for: refersTo } = call;
    const atMs = Date.now();
    const lease = kind === 'override' ? { leaseExpiresAtMs: atMs + this.behaviour.overrideValidForMs } : {};
    await this.audit.recordAct({ id: uuid4(), kind, atMs, actor, reason, ...lease, ...(refersTo ? { refersTo } : {}) });
  }

  private answerResume(resume: QueuedCall | undefined, resumed: boolean): void {
    if (resume) this.reply(resume, resumed, resumeMessage(resumed, this.gate.status()));
  }

  private reply(queued: QueuedCall, accepted: boolean, message: string): void {
    this.gate.inbox.answer(queued, replyTo(queued.kind, accepted, message, this.gate.status()));
  }
}
