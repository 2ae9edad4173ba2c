import type { Worker } from 'node:worker_threads';
import { messageOf } from '../../kernel/message-of';
import { RunClock } from '../../platform/threads/run-clock';
import { startThread } from '../../platform/threads/start-thread';
import type { FromThread, RuleJob, ThreadData, ToThread } from './messages';
import type { DocumentSet } from './rule-evaluator';

/** Reading and compiling 10,000 policies takes about a second; what takes longer than this hangs. */
const LOAD_DEADLINE_MS = 60_000;

/** How a thread came to its end while it was at a call. */
export interface ThreadLoss {
  why: 'deadline' | 'crash';
  message: string;
}

/** One thread, at one call at a time. Idle, it does not keep the process alive. */
export class RuleThread {
  private readonly worker: Worker;
  private readonly clock = new RunClock();
  private heldKey = 0;
  private callId = 0;
  private current: { finish(answer: FromThread | ThreadLoss): void } | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** no longer to be used */
  isOver = false;

  /** @param entry the file of the domain's thread, without its extension */
  constructor(entry: string, memoryMiB: number) {
    const data: ThreadData = { clock: this.clock.buffer };
    this.worker = startThread(entry, {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: memoryMiB },
    });
    this.worker.on('message', (answer: FromThread) => this.finish(answer));
    this.worker.on('error', (error) => this.end('crash', error.message));
    this.worker.on('exit', (code) => this.end('crash', `it ended with exit code ${code}`));
    this.worker.unref();
  }

  get isIdle(): boolean {
    return this.current === undefined && !this.isOver;
  }

  /** Only an idle one. The deadline counts from the start of the evaluation, not while the set is read. */
  run(set: DocumentSet, job: RuleJob, deadlineMs: number): Promise<FromThread | ThreadLoss> {
    return new Promise((resolve) => {
      this.current = { finish: resolve };
      this.callId += 1;
      const delta = this.heldKey === set.key ? undefined : set.since(this.heldKey);
      if (delta !== undefined) this.heldKey = delta.key;
      const message: ToThread = { callId: this.callId, job, ...(delta === undefined ? {} : { delta }) };
      this.watchIn(deadlineMs, deadlineMs);
      try {
        this.worker.postMessage(message);
      } catch (error) {
        // What cannot be copied to a thread is no JSON; the delta did not arrive either.
        this.end('crash', messageOf(error));
      }
    });
  }

  async stop(): Promise<void> {
    this.end('crash', 'it was stopped');
    await this.worker.terminate();
  }

  private finish(answer: FromThread): void {
    if (this.isOver || answer.callId !== this.callId) return;
    this.settle(answer);
  }

  private end(why: ThreadLoss['why'], message: string): void {
    if (this.isOver) return;
    this.isOver = true;
    void this.worker.terminate();
    this.settle({ why, message });
  }

  private settle(answer: FromThread | ThreadLoss): void {
    clearTimeout(this.timer);
    const { current } = this;
    this.current = undefined;
    current?.finish(answer);
  }

  /** The timer is what keeps the process alive while a call is out. */
  private watchIn(ms: number, deadlineMs: number): void {
    this.timer = setTimeout(() => this.watch(deadlineMs), Math.max(1, Math.ceil(ms)));
  }

  private watch(deadlineMs: number): void {
    const run = this.clock.read();
    // Not begun: the thread is starting, or the message is under way.
    if (run === undefined || run.callId !== this.callId) {
      this.watchIn(deadlineMs, deadlineMs);
      return;
    }
    const allowedMs = run.isLoading ? Math.max(deadlineMs, LOAD_DEADLINE_MS) : deadlineMs;
    const leftMs = allowedMs - Number(process.hrtime.bigint() - run.sinceNs) / 1e6;
    // While the set is read its evaluation may begin at any time, and has its own, shorter deadline from then on.
    if (leftMs > 0) this.watchIn(Math.min(leftMs, deadlineMs), deadlineMs);
    else this.end('deadline', `it ran longer than ${allowedMs} ms and was stopped`);
  }
}
