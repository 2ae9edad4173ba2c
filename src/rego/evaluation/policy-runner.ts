import { messageOf } from '../../kernel/message-of';
import type { JsonValue } from '../../kernel/json';
import type { EvaluationAccount } from '../evaluation-account';
import { planFirst, wasmAlone } from './evaluators';
import type { RunFailure } from './run-failure';
import type { RunnablePolicy } from './runnable-policy';

/** Told of each run, for whoever watches from another thread. */
export interface RunListener {
  /** @param isLoading whether the policy is still being made ready: that is not part of the evaluation's deadline */
  begin(callId: number, isLoading: boolean, nowNs: bigint): void;
  /** @param first the first evaluator's answer, shortened: the second is asked now, and may never return */
  note(first: string): void;
  end(): void;
}

/** `response` is undefined where the entrypoint is. */
export type RunResult =
  | { response: JsonValue | undefined; account: EvaluationAccount; tookNs: number }
  | { failure: RunFailure; tookNs: number };

/** Runs one policy. Throws nothing. */
export interface PolicyRunner {
  /** @param inputText JSON */
  run(callId: number, inputText: string, decisionTimeMs: number): RunResult;
}

/**
 * The evaluators are made at the first call; that of the module again after it failed: what a failure left in its memory
 * must not reach the next.
 *
 * @param nowNs a clock that all threads of the process share
 */
export function createPolicyRunner(policy: RunnablePolicy, listener: RunListener, nowNs: () => bigint): PolicyRunner {
  const onAsk = (first: string): void => listener.note(first);
  const evaluate = policy.planText === undefined ? wasmAlone(policy) : planFirst(policy, policy.planText);
  return {
    run(callId, inputText, decisionTimeMs) {
      if (!evaluate.isReady()) {
        listener.begin(callId, true, nowNs());
        try {
          evaluate.prepare();
        } catch (error) {
          listener.end();
          return { failure: { step: 'load', message: messageOf(error) }, tookNs: 0 };
        }
      }
      const beganNs = nowNs();
      listener.begin(callId, false, beganNs);
      try {
        const answer = evaluate.answer(inputText, BigInt(Math.trunc(decisionTimeMs)) * 1_000_000n, onAsk);
        return { ...answer, tookNs: Number(nowNs() - beganNs) };
      } catch (error) {
        return { failure: { step: 'run', message: messageOf(error) }, tookNs: Number(nowNs() - beganNs) };
      } finally {
        listener.end();
      }
    },
  };
}
