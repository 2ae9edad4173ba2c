import type { ClosedRun } from '../gate/deployments/closed-run';

// Types only: workflows import this file with `import type`.

/** A run whose end was seen, kept until the cursor is past it. */
export interface SeenRun {
  runId: string;
  /** epoch milliseconds */
  closedAtMs: number;
}

export interface FindClosedRequest {
  /** epoch milliseconds: runs that closed before are not looked for */
  sinceMs: number;
  /** closed since then, and found before */
  seen: SeenRun[];
  /** from one look to the next */
  everyMs: number;
  /** runs in one answer, at most; the next answer has the next ones */
  atMost: number;
}

export interface FoundClosed {
  runs: ClosedRun[];
  /** from where the next look begins */
  sinceMs: number;
}

/** What became of the record of an end. */
export type ClosedResult = 'recorded' | 'was recorded' | 'has a newer run';

/** What the sweep does outside its workflow. Each is safe to run twice. */
export interface SweepActivities {
  /**
   * Each attempt is one look. One that finds nothing new fails with `Unchanged` until its turn comes again, so that a quiet
   * day costs no history. Returns what it found, or an empty list a day after the first look.
   */
  findClosed(request: FindClosedRequest): Promise<FoundClosed>;
  /** sends `resolved` for what is open, then records the end; on a worker of the run's own task queue */
  recordClosed(run: ClosedRun): Promise<ClosedResult>;
}
