import { FailureType, GateError } from '../../kernel/failures';
import type { FromThread, RuleJob } from './messages';
import type { DocumentSet } from './rule-evaluator';
import { RuleThread, type ThreadLoss } from './rule-thread';

export interface ThreadPoolOptions {
  /** the file of the domain's thread, without its extension */
  entry: string;
  /** of one evaluation, from its start; a check or a simulation gets ten times as long */
  deadlineMs: number;
  /** of one thread's heap: it holds every policy, and the state of its question */
  memoryMiB: number;
  /** @default 2 */
  threads?: number;
}

/** Times that a call is put to a thread: a deadline hit once may be another program's fault. */
const ATTEMPTS = 2;
const LONG = 10;
const LONG_KINDS: readonly RuleJob['kind'][] = ['check', 'simulate'];

interface Waiting {
  set: DocumentSet;
  job: RuleJob;
  attempt: number;
  resolve(answer: FromThread): void;
  reject(error: GateError): void;
}

/** Threads of one domain, each with its own deadline and memory ceiling. */
export interface ThreadPool {
  /** @throws GateError what the thread found wrong; PolicyEvaluation for a job that ran out of time or memory */
  ask<Result>(set: DocumentSet, job: RuleJob): Promise<{ result: Result; tookMs: number }>;
  close(): Promise<void>;
}

/** Threads that are started when they are needed, and replaced when they were stopped. */
export function createThreadPool({ entry, deadlineMs, memoryMiB, threads = 2 }: ThreadPoolOptions): ThreadPool {
  let running: RuleThread[] = [];
  const queue: Waiting[] = [];
  let isClosed = false;

  function idleThread(): RuleThread | undefined {
    running = running.filter((thread) => !thread.isOver);
    const idle = running.find((thread) => thread.isIdle);
    if (idle !== undefined || running.length >= threads) return idle;
    const started = new RuleThread(entry, memoryMiB);
    running.push(started);
    return started;
  }

  function dispatch(): void {
    while (queue.length > 0) {
      const thread = idleThread();
      if (thread === undefined) return;
      void carryOut(thread, queue.shift()!);
    }
  }

  async function carryOut(thread: RuleThread, call: Waiting): Promise<void> {
    const allowedMs = LONG_KINDS.includes(call.job.kind) ? deadlineMs * LONG : deadlineMs;
    const answer = await thread.run(call.set, call.job, allowedMs);
    if ('callId' in answer) call.resolve(answer);
    else if (isClosed) call.reject(evaluationError('the program ends'));
    else if (answer.why === 'deadline' && call.attempt < ATTEMPTS)
      queue.unshift({ ...call, attempt: call.attempt + 1 });
    else call.reject(lossError(answer, memoryMiB));
    dispatch();
  }

  async function ask<Result>(set: DocumentSet, job: RuleJob): Promise<{ result: Result; tookMs: number }> {
    if (isClosed) throw evaluationError('the program ends');
    const { result, failure, tookNs } = await new Promise<FromThread>((resolve, reject) => {
      queue.push({ set, job, attempt: 1, resolve, reject });
      dispatch();
    });
    if (failure !== undefined) throw new GateError(failure.type, failure.message, failure.faults);
    return { result: result as Result, tookMs: tookNs / 1e6 };
  }

  return {
    ask,
    async close() {
      isClosed = true;
      for (const call of queue.splice(0)) call.reject(evaluationError('the program ends'));
      await Promise.all(running.map((thread) => thread.stop()));
    },
  };
}

function lossError({ why, message }: ThreadLoss, memoryMiB: number): GateError {
  const isMemory = why === 'crash' && /memory/i.test(message);
  return evaluationError(isMemory ? `it needed more than ${memoryMiB} MiB and was stopped` : message);
}

function evaluationError(why: string): GateError {
  return new GateError(FailureType.PolicyEvaluation, `The rules could not be evaluated: ${why}`);
}
