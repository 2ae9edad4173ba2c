import type { RulesAnswer } from '../../rules/evaluation/answer';

/** By policy the number of shards that are not as it wants them: it has a step for them, or cannot have what it asks for. */
export function noncompliantShards({ results, actions, refusals }: RulesAnswer): Record<string, number> {
  const shards = new Map<string, Set<string>>(results.map(({ policy }) => [policy, new Set()]));
  const add = (policies: readonly string[], shard: string | undefined) => {
    if (shard !== undefined) for (const policy of policies) shards.get(policy)?.add(shard);
  };
  for (const { policies, steps } of actions) for (const { subject } of steps) add(policies, subject);
  for (const { policies, subject } of refusals) add(policies, subject.id);
  return Object.fromEntries([...shards].map(([policy, found]) => [policy, found.size]));
}
