import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { RunClock } from '../../platform/threads/run-clock';
import { startThread } from '../../platform/threads/start-thread';
import { CALLS_PER_BATCH, type BatchAnswer, type BatchMessage, type FromReplayThread } from './messages';
import type { ReplayThreadData } from './messages';

/** Making a release ready takes milliseconds; a module whose start function loops is stopped after this. */
const LOAD_DEADLINE_MS = 10_000;
/** A batch at most: lines of up to 16 MiB and what is parsed of them, beside what built-ins make of a policy's values. */
const HEAP_MIB = 512;
/** Nothing of a record outlives its batch: in a larger nursery most of it dies before it is ever copied. */
const YOUNG_MIB = 64;

/** The evaluation that a thread was at when it ended. */
export interface EndedAt {
  batch: number;
  /** of the batch, from 1 */
  call: number;
  /** what the first evaluator answered, where the second was at work */
  first?: string;
}

export interface ReplayThreadListener {
  answered(answer: BatchAnswer): void;
  /**
   * Exactly once, unless `stop` was called.
   *
   * @param at absent when it was between two evaluations
   */
  ended(why: 'deadline' | 'crash' | 'never started', message: string, at: EndedAt | undefined): void;
}

/** One thread and the batches that it has been given. It is stopped when an evaluation passes its deadline. */
export class ReplayThread {
  readonly given = new Map<number, BatchMessage>();
  private readonly clock = new RunClock();
  private readonly worker: Worker;
  private readonly watching: NodeJS.Timeout;
  private isOver = false;

  constructor(
    data: Omit<ReplayThreadData, 'clock'>,
    private readonly deadlineMs: number,
    private readonly listener: ReplayThreadListener,
  ) {
    const workerData: ReplayThreadData = { ...data, clock: this.clock.buffer };
    const maxOldGenerationSizeMb = HEAP_MIB + 4 * data.policy.memoryMiB;
    this.worker = startThread(join(__dirname, 'thread-entry'), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb, maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    this.worker.on('message', (message: FromReplayThread) => this.receive(message));
    this.worker.on('error', (error) => this.end('crash', error.message));
    this.worker.on('exit', (code) => this.end('crash', `it ended with exit code ${code}`));
    this.watching = setInterval(() => this.watch(), Math.min(250, Math.max(5, deadlineMs / 4)));
  }

  give(message: BatchMessage): void {
    this.given.set(message.batch, message);
    this.worker.postMessage(message);
  }

  async stop(): Promise<void> {
    this.close();
    await this.worker.terminate();
  }

  private receive(message: FromReplayThread): void {
    if (this.isOver) return;
    this.given.delete(message.batch);
    this.listener.answered(message);
  }

  private watch(): void {
    const run = this.clock.read();
    if (run === undefined) return;
    const allowedMs = run.isLoading ? Math.max(this.deadlineMs, LOAD_DEADLINE_MS) : this.deadlineMs;
    const ranMs = Number(process.hrtime.bigint() - run.sinceNs) / 1e6;
    if (ranMs > allowedMs) this.end('deadline', `it ran longer than ${allowedMs} ms and was stopped`);
  }

  private end(why: 'deadline' | 'crash', message: string): void {
    if (this.isOver) return;
    const run = this.clock.read();
    const at = run && {
      batch: Math.floor(run.callId / CALLS_PER_BATCH),
      call: run.callId % CALLS_PER_BATCH,
      ...(run.note === undefined ? {} : { first: run.note }),
    };
    this.close();
    void this.worker.terminate();
    this.listener.ended(this.clock.isReady || at !== undefined ? why : 'never started', message, at);
  }

  private close(): void {
    this.isOver = true;
    clearInterval(this.watching);
  }
}
