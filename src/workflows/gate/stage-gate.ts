import { ApplicationFailure, condition, isCancellation, uuid4, workflowInfo } from '@temporalio/workflow';
import type { CollectRequest, GateDefaults } from '../../activities/gate-activities';
import type { LapsedLease, LeaseClaim } from '../../gate/decisions/lease';
import type { RecordedDecision } from '../../gate/deployments/recorded-decision';
import type { DeploymentEnd } from '../../audit/ends';
import { actedAct, endedAct, type EndedRun, type StageAction } from '../../gate/deployments/end-records';
import { summarise } from '../../gate/deployments/explain';
import { allowedPass, observedPass, overriddenPass, type GatePass } from '../../gate/deployments/gate-pass';
import {
  asksAtOnce,
  lapsesPause,
  NextStep,
  nextAskAtMs,
  nextStep,
  pauseEndsAtMs,
} from '../../gate/deployments/next-step';
import type { DeploymentStatus, InterruptedAction, Pause } from '../../gate/deployments/deployment-state';
import type { Looked } from '../../gate/deployments/looked';
import { resumeMessage } from '../../gate/deployments/operator-reply';
import type { Patch } from '../../gate/deployments/patches';
import { leaseLapsedFault } from '../../gate/deployments/pause';
import { compileBehaviour, type CompiledBehaviour } from '../../gate/deployments/stage-behaviour';
import { formatDuration } from '../../kernel/duration';
import { faultText } from '../../kernel/fault-text';
import { FailureType, type Fault } from '../../kernel/failures';
import { LIMITS } from '../../kernel/limits';
import { shortText } from '../../kernel/short-text';
import type { JsonObject } from '../../kernel/json';
import type { AuditRecord } from '../../audit/audit-record';
import { holdsAcceptedCalls, isCancelled, throwIfCancelled } from '../parts/accepted-calls';
import { awaitCall, untilUrgent } from '../parts/await-call';
import { askForPatches, passes } from '../parts/patches';
import type { Pauses } from '../parts/pauses';
import { steadyNow } from '../parts/steady-now';
import { AuditTrail, type OwnAct } from './audit-trail';
import type { Gate, GateCall, GatedStage, GateInbox } from './gate';
import { StageWait, type Turn } from './stage-wait';
import { recordLooked, takeLook } from './take-decision';

/** Runs that pass it look for changes by one activity a wait. */
const RECHECK_PATCH: Patch = 'recheck';
/** Runs that pass it record what became of their actions, and how they ended. */
const ENDS_PATCH: Patch = 'acted-and-ended';

/**
 * One stage at the gate, under the defaults that were in force when it began: asks for decisions, waits on denials, pauses
 * on errors and obeys operators. What follows from what is worked out by pure modules; here it is awaited and carried out.
 */
export class StageGate {
  private audit: AuditTrail;
  private behaviour: CompiledBehaviour;
  activities: GateDefaults['activities'];
  private remark = '';

  constructor(
    private readonly gate: Gate,
    private readonly stage: GatedStage,
    defaults: GateDefaults,
  ) {
    this.behaviour = compileBehaviour(defaults.stages, stage);
    this.activities = defaults.activities;
    this.audit = this.openAudit();
  }

  private get pauses(): Pauses<Pause> {
    return this.audit.pauses;
  }

  get inbox(): GateInbox {
    return this.gate.inbox;
  }

  /**
   * Returns when the stage may continue: allowed, overridden, or only observed.
   *
   * @throws ApplicationFailure DeploymentDenied when denied for good, DeploymentAborted when an operator aborts,
   *   PauseTimedOut or DeploymentAborted when a pause lasts too long; all after their records are stored
   */
  async awaitPass(): Promise<GatePass> {
    let turn: Turn | undefined = asksAtOnce(this.gate.progress) ? { by: 'start' } : undefined;
    for (;;) {
      await this.stopIfTold();
      turn = (await this.whileHeld(turn)) ?? turn;
      const pass = turn && (await this.ask(turn));
      if (this.isHeld) continue;
      if (pass) {
        this.gate.showAttributes();
        return pass;
      }
      turn = await this.wait();
      if (turn.by !== 'call') continue;
      if (turn.call.kind === 'abort') await this.endAborted(turn.call);
      if (turn.call.kind !== 'override') continue;
      const overridden = await this.override(turn.call);
      if (!this.isHeld) return overridden;
    }
  }

  /** Of a stage that is run again, from 2; else 1. */
  get attempt(): number {
    return this.gate.options.attempt ?? 1;
  }

  /** Whether an operator has paused the deployment: nothing is decided, and no action begins. */
  get isHeld(): boolean {
    return this.gate.holds.isHeld;
  }

  /** The pauses of the stage, as far as people are reminded of them. */
  get reminders(): Pick<Pauses<Pause>, 'nextReminderAtMs' | 'remindIfDue'> {
    return this.pauses;
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
    await this.pauses.pauseOn([fault], { decisionId: claim.decisionId });
  }

  /** The worker could not tell whether the release behind the allow is still in force: the stage pauses on that. */
  async leaseUnconfirmed(claim: LeaseClaim, fault: Fault): Promise<void> {
    this.gate.apply({ type: 'lease-unconfirmed' });
    await this.pauses.pauseOn([fault], { decisionId: claim.decisionId });
  }

  /**
   * Whether an abort was accepted, or Temporal cancelled the workflow: nothing is decided or sent any more. A run of an
   * earlier release that was told so goes on as it did.
   */
  mustStop(): boolean {
    return (this.inbox.urgentAwaits || isCancelled()) && holdsAcceptedCalls();
  }

  /**
   * Ends the deployment here where it must stop.
   *
   * @throws ApplicationFailure DeploymentAborted, or the cancellation
   */
  async stopIfTold(): Promise<void> {
    if (!this.mustStop()) return;
    const abort = await this.takeAbort();
    if (abort) await this.endAborted(abort);
    await throwIfCancelled();
  }

  /**
   * For a workflow that asks for another stage although the deployment was aborted.
   *
   * @throws ApplicationFailure DeploymentAborted
   */
  async failIfAborted(): Promise<void> {
    if (this.gate.status().state === 'aborted' && holdsAcceptedCalls()) await this.fail(FailureType.DeploymentAborted);
  }

  /** What the end must say besides its reason, for example that a compensation failed. */
  noteRemark(remark: string): void {
    this.remark += remark;
  }

  /** Takes the abort that came in while an action ran. It is recorded when this returns. */
  async takeAbort(): Promise<GateCall | undefined> {
    if (!this.inbox.urgentAwaits) return undefined;
    // Its record is one for all stages that are open.
    const { trunk } = this.gate.options;
    if (trunk !== undefined) await condition(() => trunk.isTold);
    const call = this.inbox.take();
    if (call) await this.recordCall(call);
    return call;
  }

  /** @param remark what else the end must say, for example that a compensation failed */
  async endAborted(call: GateCall, remark = ''): Promise<never> {
    const { actor, reason } = call.call;
    await this.gate.end('aborted', `aborted by ${actor}: ${reason}${remark}`, actor);
    this.inbox.answer(call, true, `Aborted at stage ${this.gate.status().stage}${remark}`);
    return await this.fail(FailureType.DeploymentAborted);
  }

  /** Temporal's own cancellation is an abort without a name. Returns why the deployment ended. */
  async recordCancellation(): Promise<string> {
    const reason = `the workflow was cancelled in Temporal${this.remark}`;
    await this.audit.recordAct({ id: uuid4(), kind: 'abort', atMs: Date.now(), actor: 'temporal', reason });
    return reason;
  }

  /** Whether this run records what became of actions, and how it ended. */
  get recordsEnds(): boolean {
    return passes(ENDS_PATCH);
  }

  /** Stores what became of the stage's action, before the next stage begins and before anything is taken back. */
  async recordActed(action: StageAction): Promise<void> {
    if (this.recordsEnds) await this.audit.recordDerived(actedAct(this.run(), action, Date.now()));
  }

  /** Stores how the deployment ended, and how far each stage was then. */
  async recordEnd(
    ended: { end: DeploymentEnd; by: string; reason: string },
    stages: DeploymentStatus['stages'],
  ): Promise<void> {
    if (this.recordsEnds) await this.audit.recordDerived(endedAct(this.run(), ended, stages, Date.now()));
  }

  /** Ends the pause, if there is one, after its end is recorded. */
  async resolvePause(reason: string): Promise<void> {
    await this.pauses.end(reason);
  }

  /**
   * Pauses the stage on an action of which a request may have left, until an operator says what becomes of it, or
   * `pauseTimeout` is over. A pause that an earlier run began continues.
   */
  async awaitRetry(interrupted: InterruptedAction, fault: Fault): Promise<'retry' | 'over' | { abort: GateCall }> {
    this.gate.apply({ type: 'action-interrupted', interrupted });
    if (!this.gate.progress.pause) await this.pauses.pauseOn([fault], { decisionId: interrupted.pass.decisionId });
    for (;;) {
      const release = await this.gate.holds.awaitRelease(this);
      const call = release?.by === 'call' ? release.call : release === undefined ? await this.nextCall() : undefined;
      if (call === 'over') return 'over';
      if (call?.kind === 'abort') return { abort: call };
      if (call?.kind !== 'resume') continue;
      await this.resolvePause(`resumed by ${call.call.actor}`);
      this.actionStarted();
      this.gate.showAttributes();
      this.inbox.answer(call, true, 'Resumed: the action is tried again, under the same idempotency key');
      return 'retry';
    }
  }

  /** The next call to a stage that nothing is looked at; undefined when it is held meanwhile. */
  private async nextCall(): Promise<GateCall | 'over' | undefined> {
    const untilMs = pauseEndsAtMs(this.gate.progress, this.behaviour);
    this.gate.showAttributes();
    const call = await awaitCall({
      inbox: this.inbox,
      pauses: this.pauses,
      untilMs,
      interrupted: () => this.isHeld,
      record: (queued) => this.recordCall(queued),
      continueAsNewIfLong: () => this.gate.continueAsNewIfLong(),
      rests: this.gate.notesRests(),
    });
    return call ?? (this.isHeld ? undefined : 'over');
  }

  /** Stores an act of the gate's own, or of an operator whom a handler has answered for. */
  async recordOwn(act: OwnAct): Promise<void> {
    await this.audit.recordAct(act);
  }

  /** What a decision leads to; undefined when the stage must wait, or is held meanwhile. */
  private async ask(turn: Turn): Promise<GatePass | undefined> {
    const recorded = await this.take(turn);
    await this.stopIfTold();
    // Only a look that a call ended comes to nothing: an abort ends the deployment, and a pause what is decided meanwhile.
    if (recorded === undefined || this.isHeld) return undefined;
    const pass = await this.follow(recorded, turn.by === 'call' ? turn.call : undefined);
    await this.stopIfTold();
    return pass;
  }

  /**
   * Waits while an operator has paused the deployment, and returns what is asked then; undefined where none has.
   *
   * @param before what the pause has put an end to; a resume among it is answered
   */
  private async whileHeld(before: Turn | undefined): Promise<Turn | undefined> {
    if (!this.isHeld) return undefined;
    const resume = before?.by === 'call' && before.call.reply === undefined ? before.call : undefined;
    if (resume) this.inbox.answer(resume, false, summarise(this.gate.status()));
    const release = await this.gate.holds.awaitRelease(this);
    if (release?.by === 'call' && release.call.kind === 'abort') await this.endAborted(release.call);
    return release;
  }

  /**
   * The decision of a turn: the one that a look came to, or one that is asked for now; undefined when an abort or a pause
   * was accepted while it was looked at.
   */
  private async take(turn: Turn): Promise<RecordedDecision | undefined> {
    const record = (draft: AuditRecord): Promise<AuditRecord> => this.audit.recordDecision(draft);
    const { requiredRelease } = this.gate.progress;
    const isAsked = turn.by === 'call' || turn.by === 'time';
    const bypassCache = isAsked || requiredRelease !== undefined;
    const looked = turn.by === 'look' ? turn.looked : await this.look({ ...this.request(), bypassCache });
    if (looked === undefined) return undefined;
    const recorded = await recordLooked(looked, record);
    this.gate.apply({ type: 'decided', recorded });
    return recorded;
  }

  /** undefined when an abort or a pause was accepted meanwhile: a source that hangs does not hold it up. */
  private async look(request: CollectRequest): Promise<Looked | undefined> {
    try {
      const isTold = (): boolean => this.inbox.urgentAwaits || this.isHeld;
      const told = {
        get urgentAwaits(): boolean {
          return isTold();
        },
      };
      const mayCancel = (): boolean => this.isHeld || holdsAcceptedCalls();
      return await untilUrgent(told, () => takeLook(request, this.activities), mayCancel);
    } catch (error) {
      if (isCancellation(error) && (this.isHeld || this.mustStop())) return undefined;
      throw error;
    }
  }

  /** What a decision or a look is asked for. */
  private request(): Omit<CollectRequest, 'bypassCache'> {
    const { deploymentId, attributes } = this.gate.options;
    const { requiredRelease } = this.gate.progress;
    const stageIndex = this.gate.stagePlace;
    const target = {
      deploymentId,
      stage: this.stage.name,
      stageIndex,
      attributes: attributes ?? {},
      stageAttributes: (this.stage.attributes ?? {}) as JsonObject,
    };
    return { target, light: true, ...(requiredRelease === undefined ? {} : { release: requiredRelease }) };
  }

  /** Waits for what is taken up next. Runs that began to wait under an earlier release ask at intervals, as they did then. */
  private async wait(): Promise<Turn> {
    if (!passes(RECHECK_PATCH)) return await this.waitAsking();
    return await new StageWait(this.gate, {
      request: this.request(),
      known: () => ({ behaviour: this.behaviour, activities: this.activities, audit: this.audit }),
      refresh: () => this.refresh(),
      recordCall: (call) => this.recordCall(call),
      waitAsking: () => this.waitAsking(),
    }).turn();
  }

  private async waitAsking(): Promise<Turn> {
    const call = await this.waitForCall();
    askForPatches(RECHECK_PATCH, ENDS_PATCH);
    return call === undefined ? { by: 'start' } : { by: 'call', call };
  }

  /** Takes over the defaults in force now. */
  private async refresh(): Promise<void> {
    const defaults = await this.gate.readDefaults();
    this.behaviour = compileBehaviour(defaults.stages, this.stage);
    this.activities = defaults.activities;
    this.audit = this.openAudit();
  }

  private run(): EndedRun {
    const { deploymentId, attempt } = this.gate.options;
    return { deploymentId, stage: this.stage.name, runId: workflowInfo().runId, ...(attempt ? { attempt } : {}) };
  }

  private openAudit(): AuditTrail {
    return new AuditTrail(this.gate, { activities: this.activities, reminders: this.behaviour });
  }

  /** Carries out what a decision means for the stage; undefined when it must wait. */
  private async follow(recorded: RecordedDecision, resume: GateCall | undefined): Promise<GatePass | undefined> {
    for (;;) {
      const step = nextStep(this.gate.progress, this.behaviour, { resumed: resume !== undefined, nowMs: steadyNow() });
      switch (step) {
        case NextStep.observe:
          this.answerResume(resume, true);
          return observedPass(recorded);
        case NextStep.pause:
          await this.pauses.pauseOn(recorded.decision.faults, { decisionId: recorded.decisionId });
          this.answerResume(resume, false);
          return undefined;
        case NextStep.awaitOperator:
          this.pauses.noteRecovery();
          return undefined;
        case NextStep.endPause:
          await this.resolvePause(resume ? `resumed by ${resume.call.actor}` : 'the facts have recovered');
          continue;
        case NextStep.pauseOver:
          this.answerResume(resume, false);
          return await this.endPaused();
        case NextStep.allow:
          this.gate.apply({ type: 'allowed' });
          this.answerResume(resume, true);
          return allowedPass(recorded);
        case NextStep.deny:
          this.gate.apply({ type: 'denied', sinceMs: recorded.decisionTimeMs });
          await this.gate.end('denied', shortText(recorded.decision.denyReasons.join('; '), LIMITS.failureChars));
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
  private async waitForCall(): Promise<GateCall | undefined> {
    const askAtMs = nextAskAtMs(this.gate.progress, this.behaviour, Date.now());
    this.gate.apply({ type: 'ask-scheduled', atMs: askAtMs });
    this.gate.showAttributes();
    try {
      return await awaitCall({
        inbox: this.inbox,
        pauses: this.pauses,
        untilMs: askAtMs,
        interrupted: () => this.isHeld,
        record: (call) => this.recordCall(call),
        continueAsNewIfLong: () => this.gate.continueAsNewIfLong(),
        rests: this.gate.notesRests(),
      });
    } finally {
      this.gate.apply({ type: 'ask-unscheduled' });
    }
  }

  private async override(queued: GateCall): Promise<GatePass> {
    const pass = overriddenPass(queued.call.for ?? '', Date.now(), this.behaviour.overrideValidForMs);
    if (this.gate.progress.pause) await this.resolvePause(`overridden by ${queued.call.actor}`);
    this.gate.apply({ type: 'overridden' });
    this.gate.showAttributes();
    const until = new Date(pass.lease?.expiresAtMs ?? 0).toISOString();
    this.inbox.answer(queued, true, `Overridden: stage ${this.stage.name} is allowed until ${until}`);
    return pass;
  }

  /**
   * Ends the deployment whose pause has lasted too long, as its behaviour says.
   *
   * @param remark what else the end must say, for example that a compensation failed
   */
  async endPaused(remark = ''): Promise<never> {
    const { afterMs = 0, end = 'fail' } = this.behaviour.pauseTimeout ?? {};
    const { pause } = this.gate.progress;
    const why = shortText(pause?.faults.map(faultText).join('; ') ?? '', LIMITS.failureChars);
    const reason = `paused for ${formatDuration(afterMs)} (pauseTimeout): ${why}${remark}`;
    await this.gate.end(end === 'abort' ? 'aborted' : 'failed', reason);
    return await this.fail(end === 'abort' ? FailureType.DeploymentAborted : FailureType.PauseTimedOut);
  }

  private async fail(type: FailureType): Promise<never> {
    await this.gate.settle();
    const status = this.gate.status();
    throw ApplicationFailure.create({ type, message: summarise(status), nonRetryable: true, details: [status] });
  }

  /** Stores the record of a call before it is carried out. */
  async recordCall({ kind, call }: GateCall): Promise<void> {
    if (kind === 'abort' && this.gate.options.trunk) return;
    const { actor, reason, for: refersTo } = call;
    const atMs = Date.now();
    const lease = kind === 'override' ? { leaseExpiresAtMs: atMs + this.behaviour.overrideValidForMs } : {};
    await this.audit.recordAct({ id: uuid4(), kind, atMs, actor, reason, ...lease, ...(refersTo ? { refersTo } : {}) });
  }

  private answerResume(resume: GateCall | undefined, resumed: boolean): void {
    if (resume) this.inbox.answer(resume, true, resumeMessage(resumed, this.gate.status()));
  }
}
