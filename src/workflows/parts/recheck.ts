import { CancellationScope } from '@temporalio/workflow';

/** How a domain looks for a change, by one activity whose attempts are the looks. */
export interface RecheckWords<C, L> {
  /** begins the activity, and returns what it found in the end */
  look(): Promise<C>;
  /** asks Temporal what the activity, which has not ended, counted so far */
  read(): Promise<L>;
}

/** How a recheck ended by itself: something else was found, or the activity failed for good. */
export type RecheckEnd<C> = { found: C } | { error: unknown };

/**
 * One activity that looks again and again, and returns when something changed: however long it takes, it costs the
 * history nothing. What it counted meanwhile is in its heartbeat details, which are gone once it is cancelled: read them
 * before. A result that arrives after `cancel` is void.
 */
export class Recheck<C, L> {
  private scope?: CancellationScope;
  private ended?: RecheckEnd<C>;

  constructor(private readonly words: RecheckWords<C, L>) {
    // A cancelled workflow reads what was counted before it cancels the activity.
    CancellationScope.nonCancellable(async () => {
      const scope = new CancellationScope();
      this.scope = scope;
      try {
        this.ended = { found: await scope.run(() => words.look()) };
      } catch (error) {
        this.ended = { error };
      }
    }).catch(() => undefined);
  }

  /** Present as soon as the activity has ended by itself. */
  get end(): RecheckEnd<C> | undefined {
    return this.ended;
  }

  /** What was counted so far; undefined when it cannot be read. A cancellation does not stop it. */
  async read(): Promise<L | undefined> {
    try {
      return await CancellationScope.nonCancellable(() => this.words.read());
    } catch {
      return undefined;
    }
  }

  cancel(): void {
    if (this.ended === undefined) this.scope?.cancel();
  }
}
