import type { RuleAction, RulePolicy } from '../document/rule-policy';
import type { ConflictRule, RuleDomain } from '../domain';

/** An action and the policies that ask for it; more than one where theirs were merged. */
export interface ChosenAction {
  policies: string[];
  action: RuleAction;
}

/** Two matched policies whose actions contradict each other, or of which only the first may act. */
export interface Conflict {
  /** whose action is kept */
  kept: string;
  /** whose action is left out */
  dropped: string;
  action: string;
  rule: ConflictRule;
  sentence: string;
}

/**
 * The actions that are left of all that matched policies ask for. A policy keeps all of its actions or none: half of a list
 * would be another plan than the one that its author wrote.
 *
 * @param matched in the order of evaluation
 * @param rules by type, over those of the domain
 */
export function settleConflicts(
  matched: readonly RulePolicy[],
  domain: RuleDomain,
  rules: Readonly<Record<string, ConflictRule>> = {},
): { actions: ChosenAction[]; conflicts: Conflict[] } {
  const chosen: (ChosenAction & { type: string })[] = [];
  const conflicts: Conflict[] = [];
  for (const policy of matched) {
    const type = domain.types.get(policy.type)!;
    const rule = rules[policy.type] ?? type.conflicts ?? 'highest_priority';
    const others = chosen.filter((other) => other.type === policy.type);
    const found = policy.actions.flatMap((action): Conflict[] => {
      const same = others.filter((other) => other.action.name === action.name);
      return same.flatMap((other) => {
        const sentence =
          type.contradiction(other.action, action) ??
          (rule === 'first_match' ? `of ${policy.type} policies only the first that matches acts` : undefined);
        if (sentence === undefined) return [];
        return other.policies.map((kept) => ({ kept, dropped: policy.name, action: action.name, rule, sentence }));
      });
    });
    conflicts.push(...found);
    if (found.length > 0 || (rule === 'first_match' && others.length > 0)) continue;
    for (const action of policy.actions) {
      const same = rule === 'merge' ? others.find((other) => other.action.name === action.name) : undefined;
      if (same === undefined) chosen.push({ policies: [policy.name], action, type: policy.type });
      else {
        same.action = type.merge(same.action, action);
        same.policies.push(policy.name);
      }
    }
  }
  return { actions: chosen.map(({ policies, action }) => ({ policies, action })), conflicts };
}
