import { loadWasmPolicy, type WasmPolicy } from '../wasm-policy';
import type { Answer, CallMessage, LoadMessage, ToThread } from './messages';
import type { RunClock } from './run-clock';

interface Held extends LoadMessage {
  /** absent before the first call, and after a failed one: what a failure left in its memory must not reach the next */
  policy?: WasmPolicy;
}

const encoder = new TextEncoder();
/** Answers wait for one another no longer than this, so that a slow evaluation does not hold those before it back. */
const FLUSH_AFTER_NS = 1_000_000n;
/** Nor for more than this: meanwhile the main thread hands them out and sends what is asked next. */
const FLUSH_AFTER_ANSWERS = 8;

/**
 * What runs inside a thread: takes messages in their order and answers each call exactly once. Throws nothing.
 *
 * @returns the receiver of messages
 */
export function createThreadSide(clock: RunClock, send: (answers: Answer[]) => void): (message: ToThread) => void {
  const releases = new Map<number, Held>();
  const waiting: CallMessage[] = [];
  let isBusy = false;

  const run = async ([callId, releaseId, inputText, decisionTimeMs]: CallMessage): Promise<Answer> => {
    const held = releases.get(releaseId);
    if (held === undefined) {
      return [callId, undefined, 0, { step: 'load', message: 'The thread does not hold this release' }];
    }
    if (held.policy === undefined) {
      clock.begin(callId, true, process.hrtime.bigint());
      try {
        held.policy = await instantiate(held);
      } catch (error) {
        clock.end();
        return [callId, undefined, 0, { step: 'load', message: messageOf(error) }];
      }
    }
    const beganNs = process.hrtime.bigint();
    clock.begin(callId, false, beganNs);
    try {
      const input = encoder.encode(inputText).buffer as ArrayBuffer;
      const response = held.policy.evaluate(held.entrypoint, input, BigInt(Math.trunc(decisionTimeMs)) * 1_000_000n);
      const tookNs = Number(process.hrtime.bigint() - beganNs);
      clock.end();
      return [callId, response === undefined ? undefined : JSON.stringify(response), tookNs];
    } catch (error) {
      delete held.policy;
      clock.end();
      const tookNs = Number(process.hrtime.bigint() - beganNs);
      return [callId, undefined, tookNs, { step: 'run', message: messageOf(error) }];
    }
  };

  const drain = async (): Promise<void> => {
    isBusy = true;
    let answers: Answer[] = [];
    let flushedNs = process.hrtime.bigint();
    for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) {
      answers.push(await run(call));
      const nowNs = process.hrtime.bigint();
      const isEarly = nowNs - flushedNs < FLUSH_AFTER_NS && answers.length < FLUSH_AFTER_ANSWERS;
      if (isEarly && waiting.length > 0) continue;
      send(answers);
      answers = [];
      flushedNs = nowNs;
    }
    isBusy = false;
  };

  return (message) => {
    if ('load' in message) {
      releases.set(message.load, { ...message });
    } else if ('drop' in message) {
      releases.delete(message.drop);
    } else {
      waiting.push(...message);
      if (!isBusy) void drain();
    }
  };
}

async function instantiate({ module, memoryMiB, dataText }: LoadMessage): Promise<WasmPolicy> {
  const policy = await loadWasmPolicy(module, { memoryMiB });
  policy.setData(encoder.encode(dataText).buffer as ArrayBuffer);
  return policy;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
