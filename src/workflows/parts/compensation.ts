import { CancellationScope } from '@temporalio/workflow';

/** What became of one step that was to be taken back. */
export interface TakenBack {
  step: string;
  /** why it could not be taken back; absent when it was */
  error?: unknown;
}

/** Takes steps back in reverse. A step is added when it may have taken effect, not when it is known to have. */
export class Compensation {
  private readonly steps: { step: string; undo: () => Promise<unknown> }[] = [];

  get isEmpty(): boolean {
    return this.steps.length === 0;
  }

  /** A step that is tried again is added once, and keeps its place. */
  add(step: string, undo: () => Promise<unknown>): void {
    if (!this.steps.some((known) => known.step === step)) this.steps.push({ step, undo });
  }

  /**
   * Takes back all steps, the last one first, each once. A cancellation does not stop it, and a step that fails does not
   * stop the steps before it.
   *
   * @returns what became of each, in this order; empty when there was nothing to take back
   */
  async run(): Promise<TakenBack[]> {
    const results: TakenBack[] = [];
    await CancellationScope.nonCancellable(async () => {
      for (let last = this.steps.pop(); last; last = this.steps.pop()) {
        const { step, undo } = last;
        try {
          await undo();
          results.push({ step });
        } catch (error) {
          results.push({ step, error });
        }
      }
    });
    return results;
  }
}
