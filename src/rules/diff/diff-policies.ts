import { diffJson, type JsonChange } from '../../kernel/json-diff';
import type { JsonValue } from '../../kernel/json';
import { resolveDocument } from '../composition/resolve';
import type { PolicySet } from '../document/read-policies';

export interface PolicyDifference {
  policy: string;
  change: 'added' | 'removed' | 'changed';
  /** leaf by leaf; none for a policy that is only in one of the two */
  changes: JsonChange[];
}

/** How the effective documents of two sets differ, by name; layout, order and what moved into a template is no difference. */
export function diffPolicies(a: PolicySet, b: PolicySet): PolicyDifference[] {
  const [before, after] = [effective(a), effective(b)];
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((policy): PolicyDifference[] => {
    const [one, other] = [before.get(policy), after.get(policy)];
    if (one === undefined) return [{ policy, change: 'added', changes: [] }];
    if (other === undefined) return [{ policy, change: 'removed', changes: [] }];
    const changes = diffJson(one, other, { lists: 'elements' });
    return changes.length === 0 ? [] : [{ policy, change: 'changed', changes }];
  });
}

function effective({ policies, documents, fragments }: PolicySet): Map<string, JsonValue> {
  return new Map(
    policies.map(({ name }) => [name, resolveDocument(name, documents, fragments).document as unknown as JsonValue]),
  );
}
