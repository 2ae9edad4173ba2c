import type { PolicyRequest } from '../../rego/evaluation/evaluate-policy';
import { createPlanEvaluator } from '../../rego/evaluation/plan-evaluator';
import { toRunnable } from '../../rego/evaluation/prepare-release';
import { writeDocument } from '../../rego/values/json';
import { instantiatePolicy } from '../../rego/wasm-policy';

const DEFAULT_MEMORY_MIB = 64;

/**
 * The built-ins that an evaluation calls, in order of their names: of the plan, or of the compiled module where that decides
 * alone (of its built-ins, those of the host). The evaluation is done once more, with its calls noted. Only for one that has
 * ended in time before.
 */
export async function calledBuiltins(request: PolicyRequest): Promise<string[]> {
  const { policy, configDocument, input, decisionTimeMs, memoryMiB = DEFAULT_MEMORY_MIB } = request;
  const called = new Set<string>();
  const onBuiltin = (name: string): void => void called.add(name);
  const inputText = writeDocument(input);
  const timeNs = BigInt(Math.trunc(decisionTimeMs)) * 1_000_000n;
  try {
    const runnable = await toRunnable(policy, configDocument, { memoryMiB, secondOpinion: 'off' });
    if (runnable.planText === undefined) {
      const instance = instantiatePolicy(runnable.module!, { memoryMiB, onBuiltin });
      instance.setData(runnable.dataText);
      instance.evaluate(policy.entrypoint, inputText, timeNs);
    } else {
      createPlanEvaluator(runnable, runnable.planText, { onBuiltin })(inputText, timeNs);
    }
  } catch {
    // What was called before it failed is what is asked for.
  }
  return [...called].sort();
}
