import { CancellationScope, condition, workflowInfo } from '@temporalio/workflow';
import type { NodeReport, RunReport } from '../../plans/execution/follow-run';
import type { ExecutionRef } from '../../plans/execution/plan-run';
import { reportPlanRun } from './plan-activities';

/**
 * Tells the Execution how its nodes are, in order: one report at a time, and what changes meanwhile in the next one. A
 * cancellation does not stop it.
 */
export class RunReporter {
  private readonly changed = new Map<string, NodeReport>();
  /** what the next report says beside that */
  private more: Pick<RunReport, 'hold' | 'resumes'> & { taken?: string[] } = {};
  private noted = 0;
  private written = 0;
  private isGone = false;
  private isWorking = false;
  private fault?: { error: unknown };

  /**
   * @param sent reports that earlier runs sent
   * @param resumes the request for which this run continues an execution that had ended
   */
  constructor(
    private readonly execution: ExecutionRef,
    private sent: number,
    resumes?: string,
  ) {
    if (resumes !== undefined) this.more = { resumes };
  }

  /** The Execution was deleted: nobody could see any more what its run does. */
  get isDeleted(): boolean {
    return this.isGone;
  }

  /** Whether everything that was noted is written. */
  get isIdle(): boolean {
    return this.written === this.noted;
  }

  /** How many reports were sent, to be carried. */
  get order(): number {
    return this.sent;
  }

  note(node: NodeReport): void {
    this.changed.set(node.id, node);
    this.wake();
  }

  /** A request was taken up. */
  noteTaken(id: string): void {
    this.more.taken = [...(this.more.taken ?? []), id];
    this.wake();
  }

  /** Why nothing begins; null once that is over. */
  noteHold(hold: string | null): void {
    this.more.hold = hold;
    this.wake();
  }

  private wake(): void {
    this.noted += 1;
    if (this.isWorking) return;
    this.isWorking = true;
    void CancellationScope.nonCancellable(() => this.work()).catch((error: unknown) => (this.fault = { error }));
  }

  /** Returns when all that was noted so far is written. */
  async flush(): Promise<void> {
    const upTo = this.noted;
    await CancellationScope.nonCancellable(() => condition(() => this.written >= upTo || this.fault !== undefined));
    if (this.fault !== undefined) throw this.fault.error;
  }

  /** The last report. */
  async end(end: NonNullable<RunReport['end']>, message?: string): Promise<void> {
    await this.flush();
    const { more } = this;
    this.more = {};
    await this.send({ ...more, end, ...(message === undefined ? {} : { message }) });
  }

  private async work(): Promise<void> {
    try {
      while (this.written < this.noted) {
        const upTo = this.noted;
        const nodes = [...this.changed.values()];
        const { more } = this;
        this.changed.clear();
        this.more = {};
        await this.send({ nodes, ...more });
        this.written = upTo;
      }
    } finally {
      this.isWorking = false;
    }
  }

  private async send(report: Omit<RunReport, 'order' | 'atMs' | 'runId'>): Promise<void> {
    this.sent += 1;
    const { firstExecutionRunId: runId } = workflowInfo();
    const told: RunReport = { order: this.sent, atMs: Date.now(), runId, ...report };
    const { exists } = await CancellationScope.nonCancellable(() => reportPlanRun(this.execution, told));
    if (!exists) this.isGone = true;
  }
}
