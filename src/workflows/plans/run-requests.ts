import { CancellationScope, condition } from '@temporalio/workflow';
import { ASKED_SIGNAL, type ExecutionRef } from '../../plans/execution/plan-run';
import type { RunRequest } from '../../plans/execution/run-requests';
import { answerSignal } from '../parts/unknown-messages';
import { readRunRequests } from './plan-activities';

/** What was asked of the run, read when the server says that there is something. */
export class RunRequests {
  private told = 0;
  private read = 0;
  private isReading = false;
  private found: RunRequest[] = [];
  private readonly taken = new Set<string>();
  private fault?: { error: unknown };

  /** To be made before the gate, which notes all other signals. */
  constructor(private readonly execution: ExecutionRef) {
    answerSignal(ASKED_SIGNAL, () => {
      this.told += 1;
    });
  }

  /** Begins to read where there is news. A store that is away holds up nothing else. */
  look(): void {
    if (this.fault) throw this.fault.error;
    if (this.isReading || this.read === this.told) return;
    this.isReading = true;
    const upTo = this.told;
    void CancellationScope.nonCancellable(() => readRunRequests(this.execution))
      .then((found) => {
        this.found = found.filter(({ id }) => !this.taken.has(id));
        this.read = upTo;
      })
      .catch((error: unknown) => (this.fault = { error }))
      .finally(() => (this.isReading = false));
  }

  /** Whether something is to be read or to be taken. */
  get isAwaited(): boolean {
    return this.fault !== undefined || this.found.length > 0 || (!this.isReading && this.read !== this.told);
  }

  /** Whether nothing is under way, so that the state may be carried. */
  get isIdle(): boolean {
    return !this.isReading && !this.isAwaited;
  }

  /** Returns when nothing is being read. */
  async settled(): Promise<void> {
    await condition(() => !this.isReading);
  }

  /** The next one, each once. */
  take(): RunRequest | undefined {
    const next = this.found.shift();
    if (next !== undefined) this.taken.add(next.id);
    return next;
  }
}
