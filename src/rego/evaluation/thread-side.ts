import type { RunClock } from '../../platform/threads/run-clock';
import { createPolicyRunner, type PolicyRunner } from './policy-runner';
import type { Answer, CallMessage, ToThread } from './messages';

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
  const releases = new Map<number, PolicyRunner>();
  const waiting: CallMessage[] = [];

  const run = ([callId, releaseId, inputText, decisionTimeMs]: CallMessage): Answer => {
    const policy = releases.get(releaseId);
    if (policy === undefined) {
      return [callId, undefined, 0, undefined, { step: 'load', message: 'The thread does not hold this release' }];
    }
    const result = policy.run(callId, inputText, decisionTimeMs);
    if ('failure' in result) return [callId, undefined, result.tookNs, undefined, result.failure];
    const { response, account, tookNs } = result;
    return [callId, response === undefined ? undefined : JSON.stringify(response), tookNs, JSON.stringify(account)];
  };

  const drain = (): void => {
    let answers: Answer[] = [];
    let flushedNs = process.hrtime.bigint();
    for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) {
      answers.push(run(call));
      const nowNs = process.hrtime.bigint();
      const isEarly = nowNs - flushedNs < FLUSH_AFTER_NS && answers.length < FLUSH_AFTER_ANSWERS;
      if (isEarly && waiting.length > 0) continue;
      send(answers);
      answers = [];
      flushedNs = nowNs;
    }
  };

  return (message) => {
    if ('load' in message) {
      releases.set(
        message.load,
        createPolicyRunner(message, clock, () => process.hrtime.bigint()),
      );
    } else if ('drop' in message) {
      releases.delete(message.drop);
    } else {
      waiting.push(...message);
      drain();
    }
  };
}
