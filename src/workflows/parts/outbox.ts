import { CancellationScope, condition } from '@temporalio/workflow';

/**
 * Sends messages in order, beside the main line: a receiver that is down holds up neither a pause nor the work. A message
 * that its activity gives up is reported and dropped; the next reminder tries again.
 *
 * @typeParam M a message as data, for whoever sends on what is left here
 */
export class Outbox<M = unknown> {
  private last: Promise<void> = Promise.resolve();
  private readonly unsent: { data: M | undefined }[] = [];
  private isLeft = false;

  constructor(private readonly onFailure: (error: unknown) => void) {}

  get isIdle(): boolean {
    return this.unsent.length === 0;
  }

  /**
   * @param deliver the activity that sends the message; called when all earlier messages are sent or given up
   * @param data the message, where it may be sent on from elsewhere
   */
  send(deliver: () => Promise<unknown>, data?: M): void {
    const message = { data };
    this.unsent.push(message);
    // A cancelled workflow still owes its `resolved`.
    this.last = CancellationScope.nonCancellable(async () => {
      await this.last;
      if (this.isLeft) return;
      try {
        await deliver();
      } catch (error) {
        this.onFailure(error);
      } finally {
        this.unsent.splice(this.unsent.indexOf(message), 1);
      }
    });
  }

  async flush(): Promise<void> {
    await CancellationScope.nonCancellable(() => this.last);
  }

  /** Waits until all messages are sent or given up, for a short time only: false when some are unsent then. */
  async flushWithin(graceMs: number): Promise<boolean> {
    if (this.isIdle) return true;
    return await CancellationScope.nonCancellable(() => condition(() => this.isIdle, graceMs));
  }

  /**
   * Nothing more is sent from here.
   *
   * @returns what is unsent, the oldest first: also the one that is under way, which its receiver may or may not take
   */
  leave(): M[] {
    this.isLeft = true;
    return this.unsent.flatMap(({ data }) => (data === undefined ? [] : [data]));
  }
}
