import { FailureType, type Fault } from '../kernel/failures';
import type { PolicyBundle } from '../rego/bundle/policy-bundle';

/**
 * A bundle without a plan decides by its compiled module alone, which cannot notice what is missing: it is refused unless
 * the settings say otherwise.
 *
 * @param allowWasmOnly the setting `release.allowWasmOnly`
 * @returns a fault, or an empty list
 */
export function missingPlan(policy: Pick<PolicyBundle, 'plan'>, allowWasmOnly = false): Fault[] {
  if (policy.plan !== undefined || allowWasmOnly) return [];
  const message =
    'plan.json: missing; a bundle that holds wasm alone cannot notice what is missing. Publish it again from its sources ' +
    '(gate policy publish), or set release.allowWasmOnly: true to let wasm decide alone';
  return [{ type: FailureType.PolicyInvalid, message, where: 'plan.json' }];
}
