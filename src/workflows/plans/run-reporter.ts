import { CancellationScope, condition, workflowInfo } from '@temporalio/workflow';
import { jsonBytes } from '../../kernel/limits';
import type { NodeReport, RunReport } from '../../plans/execution/follow-run';
import type { ExecutionRef } from '../../plans/execution/plan-run';
import { REPORT_BYTES, restAfterReport } from '../../plans/execution/report-pace';
import { NodePhase } from '../../plans/kinds/phases';
import { steadyNow } from '../parts/steady-now';
import { reportPlanRun } from './plan-activities';

/** Somebody may have to act on it: it does not wait for others. */
const TOLD_AT_ONCE: readonly NodePhase[] = [NodePhase.Blocked, NodePhase.Failed, NodePhase.Cancelled];

/**
 * Tells the Execution how its nodes are, in order: one report at a time, and what changes meanwhile in the next one, each node
 * as it is then. Behind a report of a large Execution it rests, unless somebody waits for what is new. A cancellation does not
 * stop it.
 */
export class RunReporter {
  private readonly changed = new Map<string, NodeReport>();
  /** what the next report says beside that */
  private more: Pick<RunReport, 'hold' | 'resumes'> & { taken?: string[] } = {};
  /** of the last report, once all nodes are told */
  private last?: Pick<RunReport, 'end' | 'message'>;
  private noted = 0;
  private written = 0;
  /** up to here it is told without a rest */
  private due = 0;
  private restUntilMs = 0;
  private isGone = false;
  private isWorking = false;
  private fault?: { error: unknown };
  private isKnown: boolean;

  /**
   * @param sent reports that earlier runs sent
   * @param resumes the request for which this run continues an execution that had ended
   */
  constructor(
    private readonly execution: ExecutionRef,
    private sent: number,
    resumes?: string,
  ) {
    this.isKnown = sent > 0 && resumes === undefined;
    if (resumes !== undefined) this.more = { resumes };
  }

  /** The Execution was deleted: nobody could see any more what its run does. */
  get isDeleted(): boolean {
    return this.isGone;
  }

  /** Whether a report was answered: before that a run may be one that nobody wants. */
  get isHeard(): boolean {
    return this.isKnown;
  }

  /** Whether everything that was noted is written. */
  get isIdle(): boolean {
    return this.written === this.noted;
  }

  /** How many reports were sent, to be carried. */
  get order(): number {
    return this.sent;
  }

  /** What is noted is told by the next `tell` or `flush`, in one report with all that is noted until then. */
  note(node: NodeReport): void {
    this.changed.set(node.id, node);
    this.noted += 1;
    if (TOLD_AT_ONCE.includes(node.phase)) this.due = this.noted;
  }

  /** A request was taken up. */
  noteTaken(id: string): void {
    this.more.taken = [...(this.more.taken ?? []), id];
    this.due = this.noted += 1;
  }

  /** Why nothing begins; null once that is over. */
  noteHold(hold: string | null): void {
    this.more.hold = hold;
    this.due = this.noted += 1;
  }

  /** Has everything that was noted be written, at its pace. @throws what a report failed with */
  tell(): void {
    if (this.fault !== undefined) throw this.fault.error;
    if (this.isWorking || this.isIdle) return;
    this.isWorking = true;
    void CancellationScope.nonCancellable(() => this.work()).catch((error: unknown) => (this.fault = { error }));
  }

  /** Returns when all that was noted so far is written. */
  async flush(): Promise<void> {
    const upTo = (this.due = this.noted);
    this.tell();
    await CancellationScope.nonCancellable(() => condition(() => this.written >= upTo || this.fault !== undefined));
    if (this.fault !== undefined) throw this.fault.error;
  }

  /** The last report. */
  async end(end: NonNullable<RunReport['end']>, message?: string): Promise<void> {
    this.last = { end, ...(message === undefined ? {} : { message }) };
    this.noted += 1;
    await this.flush();
  }

  private async work(): Promise<void> {
    try {
      while (!this.isIdle) {
        const restMs = this.restUntilMs - steadyNow();
        if (restMs > 0) await condition(() => this.due > this.written, restMs);
        const upTo = this.noted;
        const nodes = this.takeNodes();
        const isAll = this.changed.size === 0;
        const { more } = this;
        this.more = {};
        await this.send({ nodes, ...more, ...(isAll ? this.last : {}) });
        if (isAll) this.written = upTo;
      }
    } finally {
      this.isWorking = false;
    }
  }

  /** Those that changed, the first of them where they are large. */
  private takeNodes(): NodeReport[] {
    const nodes: NodeReport[] = [];
    let bytes = 0;
    for (const [id, node] of this.changed) {
      bytes += jsonBytes(node);
      if (nodes.length > 0 && bytes > REPORT_BYTES) break;
      nodes.push(node);
      this.changed.delete(id);
    }
    return nodes;
  }

  private async send(report: Omit<RunReport, 'order' | 'atMs' | 'runId'>): Promise<void> {
    this.sent += 1;
    const { firstExecutionRunId: runId } = workflowInfo();
    const told: RunReport = { order: this.sent, atMs: Date.now(), runId, ...report };
    const { exists, bytes = 0 } = await CancellationScope.nonCancellable(() => reportPlanRun(this.execution, told));
    this.restUntilMs = steadyNow() + restAfterReport(bytes);
    this.isKnown = true;
    if (!exists) this.isGone = true;
  }
}
