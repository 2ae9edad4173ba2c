import {
  CancellationScope,
  continueAsNew,
  isCancellation,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { derivedId } from '../kernel/derived-id';
import { FailureType, type Fault } from '../kernel/failures';
import type { Pause } from '../kernel/pause';
import type { ExecutionProgress, ExecutionQuestion, ExecutionStatus } from '../rules/execution/execution';
import type { ExecutionDefaults } from '../rules/execution/execution-defaults';
import { executionRecord, subjectOf, type ExecutionAct } from '../rules/execution/execution-record';
import * as progress from '../rules/execution/progress';
import type { ExecutionReport } from '../rules/execution/report';
import { failureType, isRetryable, mayHaveBeenSent, toFault } from './gate/activity-errors';
import { awaitCall, untilUrgent } from './parts/await-call';
import type { QueuedCall } from './parts/call-queue';
import { OperatedWorkflow, type CarriedOperation } from './parts/operated-workflow';
import { readableCarried } from './parts/readable-carried';
import { RecordedPauses } from './parts/recorded-pauses';
import { acting, reading, reporting, telling, undoing, untilKnown, untilReported } from './rules/execution-activities';
import { executionAlert, executionEndAlert, executionStatusQuery, executionWords } from './rules/execution-words';
import type { ExecutionCall, ExecutionReply } from './rules/execution-words';

const CARRIED_VERSION = 1;

export interface CarriedExecution extends CarriedOperation<ExecutionReply> {
  version: number;
  id: string;
  now: ExecutionProgress;
  defaults: ExecutionDefaults;
}

export interface RuleExecutionInput {
  /** a UUID; @default one that follows from the workflow, for a schedule whose runs cannot be given one */
  id?: string;
  question: ExecutionQuestion;
  actor: string;
  reason: string;
  /** evaluates, and does nothing */
  dryRun?: boolean;
  carried?: CarriedExecution;
}

/**
 * Executes what rule policies ask for: evaluates them on the state as it is, records what that rests on, carries out the steps
 * in order, and takes all of them back in reverse where one fails or an operator aborts.
 */
export async function ruleExecution(input: RuleExecutionInput): Promise<ExecutionStatus> {
  const carried = readableCarried(input.carried, CARRIED_VERSION);
  const { workflowId, firstExecutionRunId } = workflowInfo();
  const id = carried?.id ?? input.id ?? derivedId('rule-execution', workflowId, firstExecutionRunId);
  return await new RuleExecution(input, id, carried).run();
}

class RuleExecution {
  private now: ExecutionProgress;
  private defaults: ExecutionDefaults | undefined;
  private readonly operated: OperatedWorkflow<ExecutionCall, ExecutionReply>;
  private pausesAndRecords: RecordedPauses<ExecutionReport, Pause> | undefined;

  constructor(
    private readonly input: RuleExecutionInput,
    private readonly id: string,
    carried: CarriedExecution | undefined,
  ) {
    this.now = carried?.now ?? progress.newProgress();
    this.defaults = carried?.defaults;
    this.operated = new OperatedWorkflow(
      executionWords(() => this.status()),
      carried,
    );
    this.operated.inbox.noteUnknownSignals();
    setHandler(executionStatusQuery, () => this.status());
  }

  async run(): Promise<ExecutionStatus> {
    this.defaults ??= await untilKnown.readExecutionDefaults();
    try {
      await this.work();
      return this.status();
    } catch (error) {
      if (!isCancellation(error)) throw error;
      await CancellationScope.nonCancellable(async () => {
        this.stop('cancellation', { type: FailureType.ActionFailed, message: 'cancelled in Temporal' });
        await this.work();
      });
      throw error;
    } finally {
      if (progress.isEnd(this.now.state)) await this.operated.settle(progress.summariseExecution(this.status()));
    }
  }

  /** What is done next follows from the state alone, so that a run that was carried over goes on where the last one was. */
  private async work(): Promise<void> {
    while (!progress.isEnd(this.now.state)) {
      await this.rollOver();
      if (this.now.state === 'rolling_back') await this.rollBackNext();
      else if (this.operated.inbox.urgentAwaits) await this.stopOnCall();
      else if (this.now.state === 'planning') await this.plan();
      else await this.stepNext();
    }
  }

  /** Evaluates, and records what the execution rests on before anything is done. */
  private async plan(): Promise<void> {
    const { question, dryRun, actor, reason } = this.input;
    try {
      const plan = await this.interruptible(() => reading.planExecution({ question }));
      if (dryRun === true) return this.change({ ...progress.withPlan(this.now, plan), state: 'planned' });
      const begin = { report: 'begin', id: this.rowId, plan, question, actor, reason } as const;
      await this.recorded.record({ ...begin, workflowId: workflowInfo().workflowId });
      this.change({ ...progress.withPlan(this.now, plan), begun: true });
      if (plan.steps.length === 0) return;
      const { changed } = await this.interruptible(() => reading.checkState(plan));
      if (changed) await this.planAgain('the state changed after it was evaluated');
    } catch (error) {
      this.failUnlessCalled(error, FailureType.PolicyEvaluation);
    }
  }

  private async stepNext(): Promise<void> {
    const index = progress.nextStep(this.now);
    if (index === undefined) return await this.end();
    const { plan } = this.now;
    const step = plan!.steps[index]!;
    const onVersion = this.versionOf(index);
    this.change(progress.stepBegins(this.now, index));
    await this.reportStep(index);
    try {
      const request = { step, key: this.keyOf(index), ...(onVersion === undefined ? {} : { onVersion }) };
      const result = await this.interruptible(() => acting(this.defaults!, step).runStep(request));
      this.change(progress.stepDone(this.now, index, result));
      await this.reportStep(index);
    } catch (error) {
      const isCalledOff = isCancellation(error) || this.operated.inbox.urgentAwaits;
      if (!isCalledOff && onVersion !== undefined && failureType(error) === FailureType.RevisionConflict) {
        return await this.planAgain(toFault(error, FailureType.RevisionConflict).message);
      }
      if (!isCalledOff) {
        const fault = toFault(error, FailureType.ActionFailed);
        this.change(progress.stepFailed(this.now, index, fault, mayHaveBeenSent(error)));
        await this.reportStep(index);
      }
      this.failUnlessCalled(error, FailureType.ActionFailed);
    }
  }

  /** The first step is bound to the version that was evaluated: whatever changed in between, the source refuses it. */
  private versionOf(index: number): string | undefined {
    const { plan } = this.now;
    return index === 0 && plan?.guardsVersion === true ? plan.stateVersion : undefined;
  }

  private async planAgain(why: string): Promise<void> {
    await this.recorded.record({ report: 'end', ...this.row, state: 'cancelled', details: { why } });
    this.change(progress.planAgain(this.now));
    if (this.now.generation < this.defaults!.maxGenerations) return;
    const times = this.now.generation;
    const message = `Expected the state to stay the same from its evaluation to the first step, but it changed ${times} times: ${why}`;
    this.stop('fault', { type: FailureType.RevisionConflict, message });
  }

  /** Where an abort waits, the failure is that of what was called off for it. */
  private failUnlessCalled(error: unknown, type: FailureType): void {
    if (this.operated.inbox.urgentAwaits) return;
    if (isCancellation(error)) throw error;
    this.stop('fault', toFault(error, type));
  }

  private async stopOnCall(): Promise<void> {
    const call = this.operated.inbox.takeFitting();
    if (call === undefined) return;
    await this.recordCall(call);
    const { actor, reason } = call.call;
    this.stop('abort', { type: FailureType.ActionFailed, message: `aborted by ${actor}: ${reason}` });
    this.operated.inbox.answer(call, true, 'The execution does nothing more; what it did is taken back');
  }

  /** Nothing more is done. */
  private stop(by: 'fault' | 'abort' | 'cancellation', fault: Fault): void {
    if (!progress.isEnd(this.now.state)) this.change(progress.stopped(this.now, { by, fault }));
  }

  /** Takes the last step back that is left. While that fails, people are told and it is tried again. */
  private async rollBackNext(): Promise<void> {
    const [index] = progress.toUndo(this.now);
    if (index === undefined) return await this.end();
    const step = this.now.plan!.steps[index]!;
    try {
      await undoing(this.defaults!, step).undoStep(this.undoRequest(index));
      this.change(progress.stepUndone(this.now, index));
      await this.reportStep(index);
      await this.recorded.pauses.end('it was taken back');
    } catch (error) {
      if (isCancellation(error)) throw error;
      if (!isRetryable(error)) this.change(progress.undoRefused(this.now, index));
      const fault = toFault(error, FailureType.ActionFailed);
      await this.recorded.pauses.pauseOn([fault], {});
      await this.awaitUndo(index, fault);
    }
  }

  private undoRequest(index: number) {
    const stepOnVersion = this.versionOf(index);
    const { result, undoRounds = 0 } = this.now.steps[index]!;
    return {
      step: this.now.plan!.steps[index]!,
      key: `${this.keyOf(index)}/undo/${undoRounds}`,
      stepKey: this.keyOf(index),
      ...(stepOnVersion === undefined ? {} : { stepOnVersion }),
      ...(result === undefined ? {} : { result }),
    };
  }

  /** Until it is time to try again, or an operator says so, or gives the step up. */
  private async awaitUndo(index: number, fault: Fault): Promise<void> {
    const call = await awaitCall({
      inbox: this.operated.inbox,
      pauses: this.recorded.pauses,
      untilMs: Date.now() + this.defaults!.rollbackRetryMs,
      record: (queued) => this.recordCall(queued),
      continueAsNewIfLong: () => this.rollOver(),
    });
    if (call === undefined) return;
    if (call.kind === 'abort') {
      this.change(progress.undoFailed(this.now, index, fault));
      await this.reportStep(index);
      await this.recorded.pauses.end(`given up by ${call.call.actor}: ${call.call.reason}`);
    }
    const message = call.kind === 'abort' ? 'The step is left as it is' : 'The step is taken back again';
    this.operated.inbox.answer(call, true, message);
  }

  private async end(): Promise<void> {
    const over = progress.ended(this.now);
    const { plan, begun } = over;
    if (over.state === 'done' && plan !== undefined && plan.steps.length > 0) {
      const found = await this.foundImpact(plan);
      if (found !== null) this.change({ ...this.now, found });
    }
    const status = { ...this.status(), state: over.state };
    const reason = progress.summariseExecution(status);
    if (begun === true) {
      const { found } = this.now;
      const predicted = plan?.impact?.predicted;
      const details = {
        summary: reason,
        ...(predicted === undefined ? {} : { predicted: { ...predicted } }),
        ...(found === undefined ? {} : { found: { ...found } }),
      };
      await this.recorded.record({ report: 'end', ...this.row, state: over.state, details });
    } else {
      const faults = over.stopped === undefined ? [] : [over.stopped.fault];
      await this.recordAct({ id: derivedId(this.id, 'ended'), kind: 'ended', reason, faults });
    }
    this.change({ ...this.now, state: over.state });
    this.operated.view.showAttributes();
    if (over.stopped?.by !== 'fault') return;
    const alert = executionEndAlert(this.status(), this.defaults!.labels, Date.now());
    this.operated.outbox.send(() => telling.sendExecutionAlert(alert));
  }

  private async foundImpact(plan: NonNullable<ExecutionProgress['plan']>) {
    try {
      const { policies, observedAtMs, impact } = plan;
      const { question } = this.input;
      return await reading.measureImpact({
        ...{ policies, observedAtMs, question },
        ...(impact === undefined ? {} : { impact }),
      });
    } catch (error) {
      // All is done; only what it came to is not known.
      if (isCancellation(error)) throw error;
      return null;
    }
  }

  /** Cancelled as soon as an operator aborts. */
  private interruptible<T>(act: () => Promise<T>): Promise<T> {
    return untilUrgent(this.operated.inbox, act);
  }

  private get rowId(): string {
    return this.now.generation === 0 ? this.id : derivedId(this.id, this.now.generation);
  }

  private get row(): { id: string; subject: string } {
    return { id: this.rowId, subject: subjectOf(this.status()) };
  }

  private keyOf(index: number): string {
    return `${this.id}/${this.now.generation}/${index}`;
  }

  private async reportStep(index: number): Promise<void> {
    const { status, result, fault } = this.now.steps[index]!;
    const details = {
      ...(result === undefined ? {} : { result: { summary: result.summary, changed: result.changed } }),
      ...(fault === undefined ? {} : { fault: { type: fault.type, message: fault.message } }),
    };
    await this.recorded.record({ report: 'step', ...this.row, index, status, details });
  }

  private async recordCall({ kind, call }: QueuedCall<ExecutionCall, ExecutionReply>): Promise<void> {
    const refersTo = call.for === undefined ? {} : { refersTo: call.for };
    await this.recordAct({ id: uuid4(), kind, actor: call.actor, reason: call.reason, ...refersTo });
  }

  private async recordAct(act: Omit<ExecutionAct, 'atMs' | 'workflowId' | 'runId'>): Promise<void> {
    await this.recorded.record(this.toRecord(act));
  }

  private toRecord(act: Omit<ExecutionAct, 'atMs' | 'workflowId' | 'runId'>): ExecutionReport {
    const { workflowId, runId } = workflowInfo();
    return {
      report: 'record',
      record: executionRecord(this.status(), { ...act, atMs: Date.now(), workflowId, runId }),
    };
  }

  private get recorded(): RecordedPauses<ExecutionReport, Pause> {
    this.pausesAndRecords ??= new RecordedPauses<ExecutionReport, Pause>({
      intervals: this.defaults!,
      present: (slot) => this.now[slot],
      put: (slot, pause) => this.change({ ...this.now, [slot]: pause }),
      ended: (slot) => this.change({ ...this.now, [slot]: undefined }),
      show: () => this.operated.view.showAttributes(),
      alert: (pause, endsAtMs) => {
        const alert = executionAlert(this.status(), pause, this.defaults!.labels, endsAtMs);
        this.operated.outbox.send(() => telling.sendExecutionAlert(alert));
      },
      pauseRecord: ({ id, reason, faults }) => this.toRecord({ id, kind: 'pause', reason, faults }),
      resolvedRecord: ({ id }, _atMs, reason) =>
        this.toRecord({ id: derivedId(id, 'resolved'), kind: 'resolved', reason, refersTo: id }),
      store: (report) => reporting.reportExecution(report).then(() => report),
      untilStored: (report) => untilReported.reportExecution(report).then(() => report),
      outageOf: (_report, error) => ({ faults: [toFault(error, FailureType.AuditWriteFailed)], context: {} }),
    });
    return this.pausesAndRecords;
  }

  private async rollOver(): Promise<void> {
    await this.operated.continueAsNewIfLong(this.defaults!.historyLimit, (operation) => {
      const carried = { version: CARRIED_VERSION, id: this.id, now: this.now, defaults: this.defaults!, ...operation };
      return continueAsNew<typeof ruleExecution>({ ...this.input, carried });
    });
  }

  private status(): ExecutionStatus {
    const { outage, pause, ...now } = this.now;
    const { question, actor, reason } = this.input;
    const shown = outage ?? pause;
    return { id: this.id, question, actor, reason, ...now, ...(shown === undefined ? {} : { pause: shown }) };
  }

  private change(now: ExecutionProgress): void {
    this.now = now;
    this.operated.view.publish();
  }
}
