import { messageOf } from '../../kernel/message-of';
import type { EvaluatePolicy } from '../../rego/evaluation/evaluate-policy';
import { FailureType, GateError } from '../../kernel/failures';
import { toGateError } from '../../rego/evaluation/run-failure';
import { createPolicyRunner, type RunListener } from '../../rego/evaluation/policy-runner';
import { writeDocument } from '../../rego/values/json';
import { calledBuiltins } from '../run/called-builtins';
import { replayBatch } from '../replay';
import { itemsOf } from '../text-piece';
import { CALLS_PER_BATCH, type BatchAnswer, type BatchMessage, type ReplayThreadData } from './messages';

/**
 * What runs inside a thread: replays each batch that it is given, one after the other. Throws nothing.
 *
 * @returns the receiver of batches, whose answers come in their order
 */
export function createThreadSide(
  { candidate, filter, maxRows, policy }: Omit<ReplayThreadData, 'clock'>,
  clock: RunListener,
): (message: BatchMessage) => Promise<BatchAnswer> {
  const runner = createPolicyRunner(policy, clock, () => process.hrtime.bigint());
  let before: Promise<unknown> = Promise.resolve();

  function evaluatorOf({ batch, failed }: BatchMessage): EvaluatePolicy {
    let last = 0;
    return ({ input, decisionTimeMs }) => {
      last += 1;
      const failure = failed.get(last);
      if (failure !== undefined) return Promise.reject(toGateError(failure));
      const found = runner.run(batch * CALLS_PER_BATCH + last, writeDocument(input), decisionTimeMs);
      if ('failure' in found) return Promise.reject(toGateError(found.failure, found.tookNs));
      const { response, account, tookNs } = found;
      return Promise.resolve({ response, account, evalDurationNs: tookNs });
    };
  }

  async function answer(message: BatchMessage): Promise<BatchAnswer> {
    const { batch } = message;
    try {
      const evaluate = evaluatorOf(message);
      const options = { candidate, filter, maxRows, evaluate, builtinsOf: calledBuiltins };
      return { batch, ...(await replayBatch(itemsOf(message), options)) };
    } catch (error) {
      const type = error instanceof GateError ? error.type : FailureType.PolicyUnavailable;
      return { batch, error: { type, message: messageOf(error) } };
    }
  }

  return (message) => {
    const answered = before.then(() => answer(message));
    before = answered;
    return answered;
  };
}
