import { canonicalJson } from '../../kernel/canonical-json';
import { derivedId } from '../../kernel/derived-id';
import type { RuleDomain } from '../domain';
import type { ExecutedPolicy } from '../execution/execution';
import type { PinnedPolicies, PolicySource } from '../execution/policy-source';
import { loadPolicies } from './load-policies';

/**
 * The policies of a file or folder as they are when they are asked for. They have no revisions: an id follows from what a policy
 * says, so that one that was changed is another one in the records.
 */
export function policiesOfFolder(path: string, domain: RuleDomain): PolicySource {
  return {
    current: async (): Promise<PinnedPolicies> => {
      const { policies } = await loadPolicies(path, domain);
      const pins = policies.map((policy): [string, ExecutedPolicy] => [
        policy.name,
        {
          policyId: derivedId('policy', canonicalJson(policy)),
          name: policy.name,
          type: policy.type,
          revision: 0,
        },
      ]);
      return { policies, setRevision: 0, pins: new Map(pins) };
    },
  };
}
