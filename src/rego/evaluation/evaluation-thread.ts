import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { RunClock } from '../../platform/threads/run-clock';
import { startThread } from '../../platform/threads/start-thread';
import type { Answer, CallMessage, FromThread, ThreadData, ToThread } from './messages';
import type { PreparedRelease } from './prepare-release';

/** Releases that a thread keeps instances of. */
const KEPT_RELEASES = 4;
/** Making a release ready takes milliseconds; a module whose start function loops is stopped after this. */
const LOAD_DEADLINE_MS = 10_000;

export interface ThreadCall {
  /** from 1 upwards, never used twice */
  id: number;
  release: PreparedRelease;
  inputText: string;
  decisionTimeMs: number;
  deadlineMs: number;
}

/** Why a thread is no more. `current` is the call that it was at; the others of `unanswered` are not to blame. */
export interface ThreadEnd<Call> {
  why: 'deadline' | 'crash' | 'never started';
  current?: Call;
  /** what the first evaluator answered to `current`, where the second was at work */
  first?: string;
  unanswered: Call[];
  message: string;
}

export interface ThreadListener<Call> {
  answered(call: Call, answer: Answer): void;
  /** exactly once, unless `stop` was called */
  ended(end: ThreadEnd<Call>): void;
}

/**
 * One thread and the calls that it has been given. It stops itself when an evaluation passes its deadline. Idle, it does
 * not keep the process alive.
 */
export class EvaluationThread<Call extends ThreadCall> {
  private readonly worker: Worker;
  private readonly clock = new RunClock();
  private readonly calls = new Map<number, Call>();
  private readonly taken: CallMessage[] = [];
  /** ids of the releases that the thread holds, the one used last at the end */
  private readonly held = new Set<number>();
  private isOver = false;
  private timer: NodeJS.Timeout | undefined;
  private wakeAtMs = 0;

  constructor(
    private readonly listener: ThreadListener<Call>,
    heapMiB: number,
  ) {
    const data: ThreadData = { clock: this.clock.buffer };
    // bounds what built-ins make of a value outside the wasm memory, whose own maximum this limit does not reach
    this.worker = startThread(join(__dirname, 'thread-entry'), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: heapMiB },
    });
    this.worker.on('message', (message: FromThread) => this.receive(message));
    this.worker.on('error', (error) => this.end('crash', error.message));
    this.worker.on('exit', (code) => this.end('crash', `it ended with exit code ${code}`));
    // last: listening for messages refers to the port again
    this.worker.unref();
  }

  get load(): number {
    return this.calls.size;
  }

  /** Takes a call; it goes to the thread with the others that are taken before `flush`. */
  take(call: Call): void {
    const { release } = call;
    this.calls.set(call.id, call);
    this.taken.push([call.id, release.id, call.inputText, call.decisionTimeMs]);
    const dueMs = performance.now() + call.deadlineMs;
    if (this.timer === undefined || dueMs < this.wakeAtMs) this.wakeAt(dueMs);
    const isHeld = this.held.delete(release.id);
    this.held.add(release.id);
    if (!isHeld) {
      const { id, ...policy } = release;
      this.post({ load: id, ...policy });
      this.dropOldest();
    }
  }

  flush(): void {
    if (this.taken.length > 0) this.post(this.taken.splice(0));
  }

  /** Ends the thread without a word to the listener. */
  async stop(): Promise<Call[]> {
    const unanswered = [...this.calls.values()];
    this.close();
    await this.worker.terminate();
    return unanswered;
  }

  private post(message: ToThread): void {
    this.worker.postMessage(message);
  }

  /** Never one that is still asked for: the thread drops at once, while calls wait for their turn. */
  private dropOldest(): void {
    for (const id of this.held) {
      if (this.held.size <= KEPT_RELEASES) return;
      if (this.isAsked(id)) continue;
      this.held.delete(id);
      this.post({ drop: id });
    }
  }

  private isAsked(releaseId: number): boolean {
    for (const { release } of this.calls.values()) if (release.id === releaseId) return true;
    return false;
  }

  private receive(message: FromThread): void {
    if (this.isOver) return;
    for (const answer of message) {
      const call = this.calls.get(answer[0]);
      if (call === undefined) continue;
      this.calls.delete(call.id);
      this.listener.answered(call, answer);
    }
    if (this.calls.size === 0) this.sleep();
  }

  /** The timer is what keeps the process alive while a call is out. */
  private wakeAt(atMs: number): void {
    clearTimeout(this.timer);
    this.wakeAtMs = atMs;
    this.timer = setTimeout(() => this.watch(), Math.max(1, Math.ceil(atMs - performance.now())));
  }

  private sleep(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private watch(): void {
    const run = this.clock.read();
    const call = run && this.calls.get(run.callId);
    if (run === undefined || call === undefined) {
      const shortest = Math.min(...[...this.calls.values()].map(({ deadlineMs }) => deadlineMs));
      this.wakeAt(performance.now() + shortest);
      return;
    }
    const allowedMs = run.isLoading ? Math.max(call.deadlineMs, LOAD_DEADLINE_MS) : call.deadlineMs;
    const leftMs = allowedMs - Number(process.hrtime.bigint() - run.sinceNs) / 1e6;
    if (leftMs > 0) this.wakeAt(performance.now() + leftMs);
    else this.end('deadline', `it ran longer than ${allowedMs} ms and was stopped`);
  }

  private end(why: 'deadline' | 'crash', message: string): void {
    if (this.isOver) return;
    const run = this.clock.read();
    const current = run && this.calls.get(run.callId);
    const unanswered = [...this.calls.values()];
    const hadStarted = this.clock.isReady || current !== undefined;
    this.close();
    void this.worker.terminate();
    this.listener.ended({
      why: hadStarted ? why : 'never started',
      ...(current === undefined ? {} : { current }),
      ...(run?.note === undefined ? {} : { first: run.note }),
      unanswered,
      message,
    });
  }

  private close(): void {
    this.isOver = true;
    this.sleep();
    this.calls.clear();
  }
}
