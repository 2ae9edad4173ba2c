import { CancellationScope } from '@temporalio/workflow';

/**
 * Sends messages in order, beside the main line: a receiver that is down holds up neither a pause nor the work. A message
 * that its activity gives up is reported and dropped; the next reminder tries again.
 */
export class Outbox {
  private last: Promise<void> = Promise.resolve();
  private unsent = 0;

  constructor(private readonly onFailure: (error: unknown) => void) {}

  get isIdle(): boolean {
    return this.unsent === 0;
  }

  /** @param deliver the activity that sends the message; called when all earlier messages are sent or given up */
  send(deliver: () => Promise<unknown>): void {
    this.unsent += 1;
    // A cancelled workflow still owes its `resolved`.
    this.last = CancellationScope.nonCancellable(async () => {
      await this.last;
      try {
        await deliver();
      } catch (error) {
        this.onFailure(error);
      } finally {
        this.unsent -= 1;
      }
    });
  }

  async flush(): Promise<void> {
    await CancellationScope.nonCancellable(() => this.last);
  }
}
