import type { PolicyRequest } from '../rego/evaluation/evaluate-policy';
import { loadWasmPolicy } from '../rego/wasm-policy';

/**
 * The host's built-ins that an evaluation calls, in order of their names: it is done once more, with its calls noted. Only
 * for one that has ended in time before.
 */
export async function calledBuiltins(request: PolicyRequest): Promise<string[]> {
  const { policy, configDocument, input, decisionTimeMs, memoryMiB } = request;
  const called = new Set<string>();
  const instance = await loadWasmPolicy(policy.wasm, {
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
    onBuiltin: (name) => called.add(name),
  });
  try {
    instance.setData(JSON.stringify({ ...policy.data, config: configDocument }));
    instance.evaluate(policy.entrypoint, JSON.stringify(input), BigInt(Math.trunc(decisionTimeMs)) * 1_000_000n);
  } catch {
    // What was called before it failed is what is asked for.
  }
  return [...called].sort();
}
