import type { JsonObject, JsonValue } from '../../kernel/json';
import type { PolicyBundle } from '../bundle/policy-bundle';
import type { Lookup } from '../plan/lookups';
import { createPlanEvaluator, type PlanAnswer } from './plan-evaluator';
import { toRunnable } from './prepare-release';

/** What the plan answers, and every lookup on the way to it. */
export interface TracedAnswer extends PlanAnswer {
  lookups: Lookup[];
}

/**
 * The plan evaluator of a policy for those who ask why: in this thread, with every lookup listed. It has no deadline, only
 * the budget of every evaluation.
 *
 * @returns a function that throws what the evaluation throws; undefined where the bundle has no plan
 * @throws GateError PolicyInvalid, PlanInvalidError
 */
export async function createTracer(
  policy: PolicyBundle,
  configDocument: JsonObject,
): Promise<((input: JsonValue, decisionTimeMs: number) => TracedAnswer) | undefined> {
  const runnable = await toRunnable(policy, configDocument, { memoryMiB: 64, secondOpinion: 'off' });
  const { planText } = runnable;
  if (planText === undefined) return undefined;
  let lookups: Lookup[] = [];
  const evaluate = createPlanEvaluator(runnable, planText, { onLookups: (found) => (lookups = found) });
  return (input, decisionTimeMs) => {
    const answer = evaluate(JSON.stringify(input), BigInt(Math.trunc(decisionTimeMs)) * 1_000_000n);
    return { ...answer, lookups };
  };
}
