import type { EvaluatePolicy } from '../../../src/rego/evaluation/evaluate-policy';
import type { PolicyBundle } from '../../../src/rego/bundle/policy-bundle';
import { createPolicyRunner, type PolicyRunner } from '../../../src/rego/evaluation/policy-runner';
import { toRunnable } from '../../../src/rego/evaluation/prepare-release';
import { toGateError } from '../../../src/rego/evaluation/run-failure';

/** Production's own evaluation, plan and second opinion, without the thread around it: thousands of calls are cheap. */
export async function evaluateHere(policy: PolicyBundle): Promise<EvaluatePolicy> {
  const runners = new Map<string, PolicyRunner>();
  return async ({ configDocument, input, decisionTimeMs, secondOpinion = 'when-possible' }) => {
    const key = JSON.stringify([configDocument, secondOpinion]);
    let runner = runners.get(key);
    if (runner === undefined) {
      const runnable = await toRunnable(policy, configDocument, { memoryMiB: 64, secondOpinion });
      runner = createPolicyRunner(
        runnable,
        { begin: () => undefined, note: () => undefined, end: () => undefined },
        () => process.hrtime.bigint(),
      );
      runners.set(key, runner);
    }
    const result = runner.run(1, JSON.stringify(input), decisionTimeMs);
    if ('failure' in result) throw toGateError(result.failure, result.tookNs);
    return { response: result.response, account: result.account, evalDurationNs: result.tookNs };
  };
}
