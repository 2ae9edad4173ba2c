import type { TSchema } from '@sinclair/typebox';
import type { ConditionFunctions } from './conditions/functions';
import type { RuleAction } from './document/rule-policy';

/**
 * What happens to the actions of several policies of one type. `highest_priority`: of two that contradict each other the one
 * that comes first in the order is kept. `first_match`: only the first policy that matched acts. `merge`: actions that do not
 * contradict each other become one.
 */
export type ConflictRule = 'highest_priority' | 'first_match' | 'merge';

/** A kind of policy, such as `placement`. */
export interface PolicyType {
  name: string;
  description: string;
  /** settings of each action that a policy of this type may have, by the action's name */
  actions: Readonly<Record<string, TSchema>>;
  /** which operations its policies are asked for; the name of each is one of the domain's */
  operations: readonly string[];
  /** @default highest_priority */
  conflicts?: ConflictRule;
  /** one sentence of how two actions of the same name contradict each other; undefined when both can be done */
  contradiction(one: RuleAction, other: RuleAction): string | undefined;
  /** one action that does what both do; only asked of two that do not contradict each other */
  merge(one: RuleAction, other: RuleAction): RuleAction;
}

/**
 * What the rule engine is told of a domain: which types, operations and functions there are, and what the names of metrics
 * begin with. The engine itself knows none of these words.
 */
export interface RuleDomain {
  name: string;
  types: ReadonlyMap<string, PolicyType>;
  /** one sentence for each operation, by its name */
  operations: Readonly<Record<string, string>>;
  functions: ConditionFunctions;
  /** first keys of metrics */
  prefixes: {
    /** of what a policy is about, such as `shard`; a policy that reads it is evaluated for each subject */
    subject: string;
    /** of what is chosen from, such as `node`; a policy that reads it is evaluated for each candidate */
    candidate: string;
    /** of what is neither, such as `cluster` and `source` */
    others: readonly string[];
  };
}
