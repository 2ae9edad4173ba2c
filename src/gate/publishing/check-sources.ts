import type { Fault } from '../../kernel/failures';
import { checkPolicy, type PolicyCheck } from '../../releases/authoring/check-policy';
import type { ConfigParts } from '../../releases/sources/load-release-config';
import { factWarnings } from '../facts/providers/fact-warnings';
import { placedIn, providerFaults, releaseFaults, type ReleaseRules } from '../release-faults';

/**
 * Checks the sources of a policy in `dir` with a configuration, as a worker would check the release that they make: what is
 * wrong with the configuration, its providers and the policy comes in one list.
 */
export async function checkSources(
  dir: string,
  { loaded, faults }: ConfigParts,
  rules: ReleaseRules,
): Promise<PolicyCheck> {
  const checked = await checkPolicy(
    dir,
    loaded?.config,
    loaded?.configDocument,
    loaded && ((policy) => releaseFaults(policy, loaded, rules)),
  );
  const unbuilt = checked.bundle === undefined && loaded !== undefined;
  const ofProviders = unbuilt ? await providerFaults(loaded, rules.facts) : [];
  const placed = (fault: Fault): Fault => (loaded?.place === undefined ? fault : placedIn(loaded.place, fault));
  const warnings = [...checked.warnings, ...(loaded === undefined ? [] : factWarnings(loaded.config.facts))];
  return {
    ...checked,
    errors: [...faults, ...ofProviders, ...checked.errors].map(placed),
    warnings: warnings.map(placed),
  };
}
