import type { RulePolicy } from '../document/rule-policy';
import type { ExecutedPolicy } from './execution';

/** The policies in force at one moment, each at one revision. */
export interface PinnedPolicies {
  /** in the order of evaluation */
  policies: readonly RulePolicy[];
  /** of all policies together */
  setRevision: number;
  /** the revision of a policy, by its name */
  pins: ReadonlyMap<string, ExecutedPolicy>;
}

/** Where policies come from. */
export interface PolicySource {
  /** @throws GateError StoreUnavailable, or ConfigInvalid with every fault */
  current(): Promise<PinnedPolicies>;
}
