import type { FailureType } from '../../kernel/failures';
import type { RunFailure } from '../../rego/evaluation/run-failure';
import type { RunnablePolicy } from '../../rego/evaluation/runnable-policy';
import type { Candidate } from '../rebuild-snapshot';
import type { ReplayFilter } from '../replay';
import type { ReplayedBatch } from '../replay-merge';

/** What a thread is started with. */
export interface ReplayThreadData {
  candidate: Candidate;
  filter: ReplayFilter;
  maxRows: number;
  policy: RunnablePolicy;
  clock: SharedArrayBuffer;
}

/** Lines to replay. The n-th evaluation of a batch, from 1, is the call `batch * CALLS_PER_BATCH + n` on the clock. */
export interface BatchMessage {
  /** from 0 */
  batch: number;
  firstLine: number;
  text: string;
  /** evaluations that brought a thread down, by n, and what is said of them: they are not tried again */
  failed: ReadonlyMap<number, RunFailure>;
}

export const CALLS_PER_BATCH = 2 ** 32;

export type BatchAnswer =
  ({ batch: number } & ReplayedBatch) | { batch: number; error: { type: FailureType; message: string } };

export type FromReplayThread = BatchAnswer;
