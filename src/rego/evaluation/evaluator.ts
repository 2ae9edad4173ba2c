import { FailureType, GateError } from '../../kernel/failures';
import type { JsonObject, JsonValue } from '../../kernel/json';
import type { PolicyBundle } from '../bundle/policy-bundle';
import type { EvaluationAccount, SecondOpinionSetting } from '../evaluation-account';
import { EvaluationThread, type ThreadCall, type ThreadEnd } from './evaluation-thread';
import type { Answer } from './messages';
import { writeDocument } from '../values/json';
import { stopped, toGateError } from './run-failure';
import { createPrepareRelease, type PreparedRelease } from './prepare-release';

export interface EvaluatorOptions {
  /** threads that evaluate side by side, at least 1 */
  threads: number;
  /**
   * how long an evaluation may run, milliseconds; a request may say otherwise
   * @default 1000
   */
  deadlineMs?: number;
  /**
   * the most memory that a policy may use, MiB; a request may say otherwise
   * @default 64
   */
  memoryMiB?: number;
  /**
   * threads that are ready to replace a stopped one, started after the first answer
   * @default 1
   */
  spares?: number;
}

export interface EvaluationRequest {
  policy: PolicyBundle;
  /** what the policy sees as `data.config`; immutable, as is the policy */
  configDocument: JsonObject;
  /** already checked: a number that is not finite would reach the policy as null */
  input: JsonObject;
  /** what `time.now_ns()` answers, epoch milliseconds */
  decisionTimeMs: number;
  deadlineMs?: number;
  memoryMiB?: number;
  /**
   * whether an `allow` needs the compiled module to agree
   * @default when-possible
   */
  secondOpinion?: SecondOpinionSetting;
}

export interface Evaluation {
  /** undefined where the entrypoint is; sets come as arrays, of the wasm module's in no promised order */
  response: JsonValue | undefined;
  /** of the evaluation alone, in its thread; the second opinion included */
  evalDurationNs: number;
  /** which evaluators answered, and what they noted: an answer with notes is not to be relied on */
  account: EvaluationAccount;
}

/** Evaluates policies off the main thread, each within a deadline and a memory ceiling (gate rules, section 10). */
export interface Evaluator {
  /**
   * The deadline counts from the start of the evaluation, not from queueing. An evaluation that passes it is stopped and
   * tried once more on another thread; calls queued behind it move there too.
   *
   * @throws GateError PolicyEvaluation (aborted, out of memory, past its deadline twice; the cause is a SecondOpinionError
   *   where the evaluators do not agree), PolicyInvalid (the release does
   *   not load) or PolicyUnavailable (no thread could be started, or the evaluator is closed)
   */
  evaluate(request: EvaluationRequest): Promise<Evaluation>;
  /** Ends all threads; calls that are out fail. Safe to call twice. */
  close(): Promise<void>;
}

/** Calls given to one thread at a time: enough for it never to wait for the next, few enough to be given to another. */
const PIPELINE = 32;
const ATTEMPTS = 2;
const DEFAULTS = { deadlineMs: 1_000, memoryMiB: 64, spares: 1 };

export function createEvaluator(options: EvaluatorOptions): Evaluator {
  return new ThreadedEvaluator({ ...DEFAULTS, ...options });
}

interface Call extends ThreadCall {
  /** threads that it, or perhaps it, brought down */
  failures: number;
  resolve(evaluation: Evaluation): void;
  reject(error: GateError): void;
}

class ThreadedEvaluator implements Evaluator {
  private readonly prepare = createPrepareRelease();
  private readonly active = new Set<EvaluationThread<Call>>();
  private readonly spare = new Set<EvaluationThread<Call>>();
  private queue: Call[] = [];
  private lastCallId = 0;
  private hasAnswered = false;
  private isDispatching = false;
  private isClosed = false;

  constructor(private readonly options: Required<EvaluatorOptions>) {
    this.fillActive();
  }

  evaluate(request: EvaluationRequest): Promise<Evaluation> {
    const { memoryMiB = this.options.memoryMiB, secondOpinion = 'when-possible' } = request;
    const release = this.prepare(request.policy, request.configDocument, { memoryMiB, secondOpinion });
    // Not `await` for both: a turn of the event loop's queue is a good part of what a call costs.
    return release instanceof Promise
      ? release.then((prepared) => this.enqueue(request, prepared))
      : this.enqueue(request, release);
  }

  private enqueue(request: EvaluationRequest, release: PreparedRelease): Promise<Evaluation> {
    return new Promise((resolve, reject) => {
      if (this.isClosed) throw closedError();
      const inputText = writeDocument(request.input);
      const { decisionTimeMs, deadlineMs = this.options.deadlineMs } = request;
      const id = ++this.lastCallId;
      this.queue.push({ id, release, inputText, decisionTimeMs, deadlineMs, failures: 0, resolve, reject });
      this.dispatchSoon();
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const threads = [...this.active, ...this.spare];
    this.active.clear();
    this.spare.clear();
    const queued = this.queue.splice(0);
    const stopping = threads.map((thread) => thread.stop());
    for (const call of [...(await Promise.all(stopping)).flat(), ...queued]) call.reject(closedError());
  }

  /** Calls made in one go share a message. */
  private dispatchSoon(): void {
    if (this.isDispatching) return;
    this.isDispatching = true;
    queueMicrotask(() => {
      this.isDispatching = false;
      if (this.queue.length > 0 && !this.isClosed) this.dispatch();
    });
  }

  private dispatch(): void {
    this.fillActive();
    let taken = 0;
    for (const call of this.queue) {
      const thread = this.leastLoaded();
      if (thread === undefined) break;
      thread.take(call);
      taken++;
    }
    this.queue.splice(0, taken);
    for (const thread of this.active) thread.flush();
  }

  private leastLoaded(): EvaluationThread<Call> | undefined {
    let least: EvaluationThread<Call> | undefined;
    for (const thread of this.active) {
      if (thread.load < PIPELINE && (least === undefined || thread.load < least.load)) least = thread;
    }
    return least;
  }

  private fillActive(): void {
    while (this.active.size < this.options.threads) {
      const [ready] = this.spare;
      if (ready !== undefined) this.spare.delete(ready);
      this.active.add(ready ?? this.start());
    }
  }

  private fillSpare(): void {
    while (this.spare.size < this.options.spares) this.spare.add(this.start());
  }

  private start(): EvaluationThread<Call> {
    const thread: EvaluationThread<Call> = new EvaluationThread<Call>(
      {
        answered: (call, answer) => this.answered(call, answer),
        ended: (end) => this.ended(thread, end),
      },
      // text and parsed values of what a policy holds take a few times its own size
      4 * this.options.memoryMiB + 64,
    );
    return thread;
  }

  private answered(call: Call, [, responseText, evalDurationNs, accountText, failure]: Answer): void {
    if (failure === undefined) {
      const response = responseText === undefined ? undefined : (JSON.parse(responseText) as JsonValue);
      call.resolve({ response, evalDurationNs, account: JSON.parse(accountText!) as EvaluationAccount });
    } else {
      call.reject(toGateError(failure, evalDurationNs));
    }
    if (!this.hasAnswered) this.fillSpare();
    this.hasAnswered = true;
    if (this.queue.length > 0) this.dispatchSoon();
  }

  private ended(thread: EvaluationThread<Call>, { why, current, first, unanswered, message }: ThreadEnd<Call>): void {
    this.active.delete(thread);
    this.spare.delete(thread);
    if (why === 'never started') {
      // Not tried again by itself, which would be for ever; the next call does.
      const type = FailureType.PolicyUnavailable;
      const error = new GateError(type, `No thread could be started to evaluate the policy in: ${message}`);
      for (const call of unanswered) call.reject(error);
      return;
    }
    const again: Call[] = [];
    const suspects: Call[] = [];
    for (const call of unanswered) {
      // A crash between two calls may be any one's fault.
      const isSuspect = call === current || (current === undefined && why === 'crash');
      (isSuspect ? suspects : again).push(call);
    }
    for (const call of suspects) {
      call.failures++;
      // A pause of the whole machine passes a deadline too, so one more try; a crash within an evaluation comes again.
      const mayRetry = call.failures < ATTEMPTS && !(why === 'crash' && call === current);
      if (mayRetry) again.push(call);
      else call.reject(toGateError(stopped(message, call === current ? first : undefined)));
    }
    this.queue = [...again, ...this.queue];
    this.fillActive();
    this.fillSpare();
    this.dispatchSoon();
  }
}

const closedError = (): GateError => new GateError(FailureType.PolicyUnavailable, 'The evaluator is closed');
