import type { Certificate } from './certificate';

/** anyPolicy (RFC 5280, 4.2.1.4): 2.5.29.32.0, as hexadecimal digits. */
const ANY = '551d2000';

/** A policy that is valid at one depth of the chain (RFC 9618). */
interface Node {
  policy: string;
  expected: string[];
  parents: Set<Node>;
  children: Set<Node>;
}

function createNode(policy: string, parents: readonly Node[]): Node {
  const node: Node = { policy, expected: [policy], parents: new Set(parents), children: new Set() };
  for (const parent of parents) parent.children.add(node);
  return node;
}

class PolicyGraph {
  private readonly levels: Map<string, Node>[] = [new Map([[ANY, createNode(ANY, [])]])];

  private get depth(): number {
    return this.levels.length - 1;
  }

  get leaves(): Map<string, Node> {
    return this.levels[this.depth]!;
  }

  deepen(): void {
    this.levels.push(new Map());
  }

  insert(node: Node): void {
    this.leaves.set(node.policy, node);
  }

  parents(): Node[] {
    return this.depth === 0 ? [] : [...this.levels[this.depth - 1]!.values()];
  }

  delete(policy: string): void {
    const node = this.leaves.get(policy);
    if (!node) return;
    for (const parent of node.parents) parent.children.delete(node);
    this.leaves.delete(policy);
  }

  prune(): void {
    for (let depth = this.depth - 1; depth > 0; depth--) {
      for (const node of this.levels[depth]!.values()) {
        if (node.children.size > 0) continue;
        for (const parent of node.parents) parent.children.delete(node);
        this.levels[depth]!.delete(node.policy);
      }
    }
  }

  /** Whether any policy holds for the whole chain. */
  hasValid(): boolean {
    if (this.leaves.has(ANY)) return true;
    return this.levels.some((level) =>
      [...level.values()].some(
        ({ policy, parents }) => policy !== ANY && parents.size === 1 && [...parents][0]!.policy === ANY,
      ),
    );
  }
}

/**
 * Policies along a chain (RFC 5280, 6.1, as RFC 9618 changes it), where the caller accepts any.
 *
 * @param chain the leaf first
 */
export function arePoliciesValid(chain: readonly Certificate[]): boolean {
  const length = chain.length - 1;
  if (length === 0) return true;
  let graph: PolicyGraph | undefined = new PolicyGraph();
  let [inhibitAny, explicit, mapping] = [length + 1, length + 1, length + 1];
  for (let index = length - 1; index >= 0; index--) {
    const { values, rawIssuer, rawSubject } = chain[index]!;
    const isSelfIssued = rawIssuer.equals(rawSubject);
    const policies = values.policies ?? [];
    if (policies.length === 0) graph = undefined;
    if (explicit === 0 && !graph) return false;
    if (graph) {
      addPolicies(graph, policies, inhibitAny > 0 || (index > 0 && isSelfIssued));
      if (index > 0 && !mapPolicies(graph, values.policyMappings, mapping > 0)) return false;
    }
    if (index === 0) break;
    if (!isSelfIssued) {
      [inhibitAny, explicit, mapping] = [inhibitAny - 1, explicit - 1, mapping - 1].map((left) =>
        Math.max(0, left),
      ) as [number, number, number];
    }
    explicit = lowered(explicit, values.requireExplicitPolicy);
    mapping = lowered(mapping, values.inhibitPolicyMapping);
    inhibitAny = lowered(inhibitAny, values.inhibitAnyPolicy);
  }
  const isRequired = explicit <= 1 || chain[0]!.values.requireExplicitPolicy === 0;
  return !isRequired || graph?.hasValid() === true;
}

/** Go takes a negative count for none. */
const lowered = (left: number, count: number | undefined) =>
  count !== undefined && count >= 0 && count < left ? count : left;

function addPolicies(graph: PolicyGraph, policies: readonly string[], isAnyAllowed: boolean): void {
  const parents = [...graph.leaves.values()];
  const anyParent = graph.leaves.get(ANY);
  graph.deepen();
  for (const policy of policies) {
    if (policy === ANY) continue;
    const expecting = parents.filter(({ expected }) => expected.includes(policy));
    const found = expecting.length > 0 ? expecting : anyParent ? [anyParent] : [];
    if (found.length > 0) graph.insert(createNode(policy, found));
  }
  if (policies.includes(ANY) && isAnyAllowed) {
    const missing = new Map<string, Node[]>();
    for (const parent of graph.parents()) {
      for (const policy of parent.expected) {
        if (!graph.leaves.has(policy)) missing.set(policy, [...(missing.get(policy) ?? []), parent]);
      }
    }
    for (const [policy, found] of missing) graph.insert(createNode(policy, found));
  }
  graph.prune();
}

/** @returns false where a mapping is not allowed at all */
function mapPolicies(graph: PolicyGraph, pairs: readonly [string, string][], isAllowed: boolean): boolean {
  const mappings = new Map<string, string[]>();
  for (const [issuer, subject] of pairs) {
    if (!isAllowed) graph.delete(issuer);
    else if (issuer === ANY || subject === ANY) return false;
    else mappings.set(issuer, [...(mappings.get(issuer) ?? []), subject]);
  }
  if (pairs.length > 0) graph.prune();
  for (const [issuer, subjects] of mappings) {
    const leaf = graph.leaves.get(issuer);
    const any = graph.leaves.get(ANY);
    const node = leaf ?? (any && createNode(issuer, [any]));
    if (!node) continue;
    node.expected = subjects;
    graph.insert(node);
  }
  return true;
}
