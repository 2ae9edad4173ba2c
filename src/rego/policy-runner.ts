import type { JsonValue } from '../kernel/json';
import { instantiatePolicy, type WasmPolicy } from './wasm-policy';

/** What a policy is run from. */
export interface RunnablePolicy {
  /** compiled once; threads share its code */
  module: WebAssembly.Module;
  /** JSON of the whole `data` document */
  dataText: string;
  entrypoint: string;
  memoryMiB: number;
}

/** Told of each run, for whoever watches from another thread. */
export interface RunListener {
  /** @param isLoading whether the policy is still being made ready: that is not part of the evaluation's deadline */
  begin(callId: number, isLoading: boolean, nowNs: bigint): void;
  end(): void;
}

/** `response` is undefined where the entrypoint is; a failure says whether the policy did not load or did not answer. */
export type RunResult =
  | { response: JsonValue | undefined; tookNs: number }
  | { failure: { step: 'load' | 'run'; message: string }; tookNs: number };

/** Runs one policy. Throws nothing. */
export interface PolicyRunner {
  /** @param inputText JSON */
  run(callId: number, inputText: string, decisionTimeMs: number): RunResult;
}

/**
 * The policy's instance is made at the first call, and again after a failed one: what a failure left in its memory must not
 * reach the next.
 *
 * @param nowNs a clock that all threads of the process share
 */
export function createPolicyRunner(policy: RunnablePolicy, listener: RunListener, nowNs: () => bigint): PolicyRunner {
  let instance: WasmPolicy | undefined;
  const { entrypoint } = policy;
  return {
    run(callId, inputText, decisionTimeMs) {
      if (instance === undefined) {
        listener.begin(callId, true, nowNs());
        try {
          instance = instantiate(policy);
        } catch (error) {
          listener.end();
          return { failure: { step: 'load', message: messageOf(error) }, tookNs: 0 };
        }
      }
      const beganNs = nowNs();
      listener.begin(callId, false, beganNs);
      try {
        const response = instance.evaluate(entrypoint, inputText, BigInt(Math.trunc(decisionTimeMs)) * 1_000_000n);
        return { response, tookNs: Number(nowNs() - beganNs) };
      } catch (error) {
        instance = undefined;
        return { failure: { step: 'run', message: messageOf(error) }, tookNs: Number(nowNs() - beganNs) };
      } finally {
        listener.end();
      }
    },
  };
}

function instantiate({ module, memoryMiB, dataText }: RunnablePolicy): WasmPolicy {
  const policy = instantiatePolicy(module, { memoryMiB });
  policy.setData(dataText);
  return policy;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
