import type { Binding } from '../kinds/binding';
import type { Execution } from '../kinds/execution';
import type { PlanNode } from '../kinds/plan';
import type { ObjectMeta } from '../object';

type Rule = Binding['spec']['rules'][number];
export type Target = Rule['target'];

export interface TargetQuestion {
  node: Pick<PlanNode, 'id' | 'capabilityRefs'>;
  /** of the plan that is executed */
  plan: Pick<ObjectMeta, 'name' | 'labels'>;
  execution: Pick<Execution['spec'], 'nodeBindings' | 'bindingRef'>;
  /** all of the namespace */
  bindings: readonly Binding[];
}

export type ChosenTarget = { target: Target; binding: string } | { fault: string };

interface Candidate {
  rule: Rule;
  /** in its binding */
  index: number;
  binding: Binding;
  level: number;
}

/**
 * Which target carries out a task: that of the binding that the execution names for the node, else of the one that it names for
 * all nodes, else of any binding. A rule for this node of this plan comes before one for a capability, and that before all
 * others; then the higher priority, the earlier place in its binding, the lesser name of the binding. `ErrorOnConflict` refuses
 * two rules of one level and priority.
 */
export function chooseTarget(question: TargetQuestion): ChosenTarget {
  const { node, execution, bindings } = question;
  const named = execution.nodeBindings?.[node.id]?.name;
  if (named !== undefined) {
    const place = `nodeBindings.${node.id}`;
    const found = bindings.filter(({ metadata }) => metadata.name === named);
    if (found.length === 0) return { fault: `${place} names binding ${named}, which does not exist` };
    return best(question, found) ?? { fault: `no rule of binding ${named} (${place}) is for node ${node.id}` };
  }
  const common = execution.bindingRef?.name;
  const first = bindings.filter(({ metadata }) => metadata.name === common);
  if (common !== undefined && first.length === 0)
    return { fault: `bindingRef names binding ${common}, which does not exist` };
  const capabilities = (node.capabilityRefs ?? []).map(({ name }) => name);
  const wanted = capabilities.length === 0 ? '' : ` and its capabilities ${capabilities.join(', ')}`;
  return (
    best(question, first) ??
    best(question, bindings) ?? { fault: `no rule of a binding is for node ${node.id}${wanted}` }
  );
}

function best(question: TargetQuestion, bindings: readonly Binding[]): ChosenTarget | undefined {
  const candidates = bindings.flatMap((binding) =>
    binding.spec.rules.flatMap((rule, index): Candidate[] => {
      const level = levelOf(rule, question);
      return level === undefined ? [] : [{ rule, index, binding, level }];
    }),
  );
  const [first, second] = candidates.sort(byRank);
  if (first === undefined) return undefined;
  const isTie = second !== undefined && first.level === second.level && priority(first) === priority(second);
  if (isTie && [first, second].some(({ binding }) => binding.spec.strategy === 'ErrorOnConflict')) {
    const fault = `${placeOf(first)} and ${placeOf(second)} are both for node ${question.node.id}, and ErrorOnConflict is set`;
    return { fault };
  }
  return { target: first.rule.target, binding: first.binding.metadata.name };
}

/** 3: this node of this plan, 2: a capability of it, 1: anything else that fits; undefined for a rule that is not for the node. */
function levelOf({ selector }: Rule, { node, plan }: TargetQuestion): number | undefined {
  const { planRef, nodeId, capabilityRef, matchLabels = {} } = selector;
  if (planRef !== undefined && planRef.name !== plan.name) return undefined;
  if (nodeId !== undefined && nodeId !== node.id) return undefined;
  const capabilities = node.capabilityRefs ?? [];
  if (capabilityRef !== undefined && !capabilities.some(({ name }) => name === capabilityRef.name)) return undefined;
  if (Object.entries(matchLabels).some(([key, value]) => plan.labels?.[key] !== value)) return undefined;
  if (planRef !== undefined && nodeId !== undefined) return 3;
  return capabilityRef === undefined ? 1 : 2;
}

function byRank(one: Candidate, other: Candidate): number {
  const names = [one.binding.metadata.name, other.binding.metadata.name] as const;
  return (
    other.level - one.level ||
    priority(other) - priority(one) ||
    one.index - other.index ||
    (names[0] < names[1] ? -1 : Number(names[0] > names[1]))
  );
}

function priority({ rule }: Candidate): number {
  return rule.priority ?? 0;
}

function placeOf({ binding, index }: Candidate): string {
  return `rules[${index}] of binding ${binding.metadata.name}`;
}
