import { FailureType, GateError } from '../../kernel/failures';
import { parseDuration } from '../../kernel/duration';
import { stopped, type RunFailure } from '../../rego/evaluation/run-failure';
import { toRunnable } from '../../rego/evaluation/prepare-release';
import type { ReplayOptions } from '../replay';
import { ReplayMerge, type ReplayedBatch } from '../replay-merge';
import type { ReplayReport } from '../replay-report';
import type { TextPiece } from '../text-piece';
import type { BatchAnswer, BatchMessage, ReplayThreadData } from './messages';
import { ReplayThread, type EndedAt } from './replay-thread';

export interface ReplayInThreadsOptions extends Pick<ReplayOptions, 'candidate' | 'filter' | 'maxRows' | 'onProgress'> {
  /** at least 1 */
  threads: number;
  /** ends the replay with an error, whatever its threads are at */
  signal?: AbortSignal;
}

/** One that is worked on, and one that waits for it: a thread never waits for the next. */
const BATCHES_PER_THREAD = 2;
/** A pause of the whole machine passes a deadline too, so one more try. */
const ATTEMPTS = 2;

/** A batch from its reading until its report is merged. */
interface Batch {
  message: BatchMessage;
  lines: number;
  /** threads that each of its evaluations brought down, and those that ended between two of them (0) */
  failures: Map<number, number>;
  replayed?: ReplayedBatch;
}

/**
 * As `replay`, for the lines of an export: threads take them apart, evaluate and compare, this one reads and puts together
 * what they found, in the order of the lines whatever thread was first. Two batches a thread are in memory at most.
 *
 * @throws what `pieces` throws; GateError PolicyInvalid or PolicyUnavailable when the candidate cannot be evaluated at all
 */
export async function replayInThreads(
  pieces: AsyncIterable<TextPiece>,
  options: ReplayInThreadsOptions,
): Promise<ReplayReport> {
  const { policy, config, configDocument } = options.candidate.release;
  const { memoryMiB, secondOpinion } = config.evaluation;
  const runnable = await toRunnable(policy, configDocument, { memoryMiB, secondOpinion });
  const { candidate, filter, maxRows } = options;
  const pool = new ReplayPool(
    { candidate, filter, maxRows, policy: runnable },
    parseDuration(config.evaluation.deadline),
    options,
  );
  const stop = (): void => pool.fail(new Error('The replay was stopped'));
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    for await (const piece of pieces) await pool.add(piece);
    return await pool.finish();
  } finally {
    options.signal?.removeEventListener('abort', stop);
    await pool.stop();
  }
}

class ReplayPool {
  private readonly merge: ReplayMerge;
  private readonly threads = new Set<ReplayThread>();
  /** in the order of their lines; those before it are merged */
  private readonly batches = new Map<number, Batch>();
  private added = 0;
  private merged = 0;
  private items = 0;
  private failure: Error | undefined;
  /** wakes whoever waits for a batch to be merged */
  private changed = (): void => undefined;

  constructor(
    private readonly data: Omit<ReplayThreadData, 'clock'>,
    private readonly deadlineMs: number,
    private readonly options: Pick<ReplayInThreadsOptions, 'threads' | 'maxRows' | 'onProgress'>,
  ) {
    this.merge = new ReplayMerge(options.maxRows);
  }

  /** Resolves when there is room for another one. */
  async add({ firstLine, lines, text }: TextPiece): Promise<void> {
    const message: BatchMessage = { batch: this.added, firstLine, text, failed: new Map() };
    this.added += 1;
    this.batches.set(message.batch, { message, lines, failures: new Map() });
    this.give(message);
    await this.until(() => this.batches.size < this.options.threads * BATCHES_PER_THREAD);
  }

  async finish(): Promise<ReplayReport> {
    await this.until(() => this.batches.size === 0);
    return this.merge.report;
  }

  async stop(): Promise<void> {
    const threads = [...this.threads];
    this.threads.clear();
    await Promise.all(threads.map((thread) => thread.stop()));
  }

  private async until(holds: () => boolean): Promise<void> {
    while (this.failure === undefined && !holds()) await new Promise<void>((resolve) => (this.changed = resolve));
    if (this.failure !== undefined) throw this.failure;
  }

  private give(message: BatchMessage): void {
    let least: ReplayThread | undefined;
    for (const thread of this.threads) if (least === undefined || thread.given.size < least.given.size) least = thread;
    if (least === undefined || (least.given.size > 0 && this.threads.size < this.options.threads)) least = this.start();
    least.give(message);
  }

  private start(): ReplayThread {
    const thread: ReplayThread = new ReplayThread(this.data, this.deadlineMs, {
      answered: (answer) => {
        try {
          this.answered(answer);
        } catch (error) {
          // Nobody else would hear of it, and the replay would wait for this batch for ever.
          this.fail(error as Error);
        }
      },
      ended: (why, message, at) => this.ended(thread, why, message, at),
    });
    this.threads.add(thread);
    return thread;
  }

  private answered(answer: BatchAnswer): void {
    if ('error' in answer) return this.fail(new GateError(answer.error.type, answer.error.message));
    this.batches.get(answer.batch)!.replayed = answer;
    for (let next = this.batches.get(this.merged); next?.replayed; next = this.batches.get(this.merged)) {
      this.merge.add(next.replayed);
      this.batches.delete(this.merged);
      this.merged += 1;
      this.items += next.lines;
      this.options.onProgress?.(this.items);
    }
    this.changed();
  }

  private ended(
    thread: ReplayThread,
    why: 'deadline' | 'crash' | 'never started',
    message: string,
    at: EndedAt | undefined,
  ): void {
    this.threads.delete(thread);
    if (why === 'never started') {
      const said = `No thread could be started to evaluate the policy in: ${message}`;
      return this.fail(new GateError(FailureType.PolicyUnavailable, said));
    }
    // The batch that it was at is the one that it was given first.
    const blamed = this.batches.get(at?.batch ?? [...thread.given.keys()][0] ?? -1);
    if (blamed !== undefined) this.blame(blamed, at, why, message);
    if (this.failure === undefined) for (const given of thread.given.values()) this.give(given);
  }

  private blame(
    { message: batch, failures }: Batch,
    at: EndedAt | undefined,
    why: 'deadline' | 'crash',
    message: string,
  ): void {
    const call = at?.call ?? 0;
    const count = (failures.get(call) ?? 0) + 1;
    failures.set(call, count);
    if (call === 0) {
      const lines = `the lines from ${batch.firstLine}`;
      const said = `The replay of ${lines} brought its thread down: ${message}`;
      if (count >= ATTEMPTS) this.fail(new GateError(FailureType.PolicyUnavailable, said));
      return;
    }
    // A crash within an evaluation comes again.
    if (why === 'deadline' && count < ATTEMPTS) return;
    (batch.failed as Map<number, RunFailure>).set(call, stopped(message, at?.first));
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.changed();
  }
}
