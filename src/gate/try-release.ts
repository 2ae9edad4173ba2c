import { createEvaluator } from '../rego/evaluation/evaluator';
import { sampleInputs } from '../releases/diff/sample-inputs';
import type { Release } from '../releases/release';
import { smokeRelease } from '../releases/smoke-release';
import { createMasks } from './masking/create-masks';

/**
 * Loads a release into a thread of its own and evaluates it once, with its masks, as a worker does before it takes one.
 *
 * @throws GateError PolicyInvalid
 */
export async function tryRelease(release: Release): Promise<void> {
  const evaluator = createEvaluator({ threads: 1 });
  try {
    const evaluate: typeof evaluator.evaluate = (request) => evaluator.evaluate(request);
    await smokeRelease(release, evaluate, sampleInputs);
    await createMasks({ settings: [], evaluate, onFailure: () => undefined }).check(release);
  } finally {
    await evaluator.close();
  }
}
