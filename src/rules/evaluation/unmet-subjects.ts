import type { DomainStep } from '../domain';

/** As much of an answer as this needs. */
export interface AnsweredPolicies {
  results: readonly { policy: string }[];
  actions: readonly { policies: readonly string[]; steps: readonly Pick<DomainStep, 'subject'>[] }[];
  refusals: readonly { policies: readonly string[]; subject: { id?: string } }[];
}

/**
 * By policy the number of subjects that are not as it wants them: it has a step for them, or cannot have what it asks for. Every
 * policy that was asked is there.
 */
export function unmetSubjects({ results, actions, refusals }: AnsweredPolicies): Record<string, number> {
  const subjects = new Map(results.map(({ policy }) => [policy, new Set<string>()]));
  const add = (policies: readonly string[], subject: string | undefined) => {
    if (subject !== undefined) for (const policy of policies) subjects.get(policy)?.add(subject);
  };
  for (const { policies, steps } of actions) for (const { subject } of steps) add(policies, subject);
  for (const { policies, subject } of refusals) add(policies, subject.id);
  return Object.fromEntries([...subjects].map(([policy, found]) => [policy, found.size]));
}
