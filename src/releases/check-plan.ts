import { FailureType, type Fault } from '../kernel/failures';
import type { ReleaseConfig } from './config/release-config';
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

/** A fact that is written down says nothing about the running system: it is for trials, and publishing refuses it. */
export function staticFacts({ facts }: Pick<ReleaseConfig, 'facts'>): Fault[] {
  return Object.entries(facts).flatMap(([factId, { type }]) => {
    if (type !== 'static') return [];
    const where = `facts.${factId}`;
    const message = `${where}: its value is written down (type: static), which is for trials; publish with --allow-static if that is meant`;
    return [{ type: FailureType.ConfigInvalid, message, where, factId }];
  });
}
