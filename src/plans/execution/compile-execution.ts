import type { JsonObject } from '../../kernel/json';
import { deadlocks } from '../graph/graph-faults';
import { toPlanGraph } from '../graph/plan-graph';
import type { Binding } from '../kinds/binding';
import type { Execution } from '../kinds/execution';
import type { Plan, PlanNode } from '../kinds/plan';
import { chooseTarget } from './choose-target';
import { nodeOrder } from './node-order';
import { deploymentIdOf, type PlanRun } from './plan-run';

/** A plan as it was when its execution was created: later changes of it do not count. */
export interface PinnedPlan {
  name: string;
  labels?: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
  spec: Plan['spec'];
}

export interface ExecutionParts {
  execution: Pick<Execution, 'metadata' | 'spec'>;
  plan: PinnedPlan;
  /** all of the namespace */
  bindings: readonly Binding[];
}

/** The run that an execution comes to, or why it cannot be run: every fault, a sentence each. */
export type CompiledExecution = { run: PlanRun; faults?: undefined } | { run?: undefined; faults: string[] };

/** Fields of a node that would change what is done, and that nothing carries out. */
const REFUSED_FIELDS = ['retries', 'timeout', 'when', 'outputs', 'acceptanceCriteria'] as const;
const PROVIDERS = ['http', 'module', 'none', 'replicate-image'];
const ANNOTATION = 'gate/';
const MAX_PARALLEL = 'gate/max-parallel';

/**
 * The run of an execution: its nodes one after the other, each with the action of the binding that is for it. What cannot be
 * carried out is refused by its name, and never left out.
 */
export function compileExecution({ execution, plan, bindings }: ExecutionParts): CompiledExecution {
  const { metadata, spec } = execution;
  const graph = toPlanGraph(plan.spec.graph);
  const faults = [...annotationFaults(plan), ...deadlocks(graph)];
  for (const node of graph.nodes.values()) faults.push(...nodeFaults(node));
  for (const id of Object.keys(spec.nodeBindings ?? {})) {
    if (graph.nodes.get(id)?.kind !== 'Task') faults.push(`nodeBindings.${id}: the plan has no task ${id}`);
  }
  const attributes = attributesOf(execution, plan, faults);
  if (faults.length > 0) return { faults };

  const stages = nodeOrder(graph).map((id) => {
    const node = graph.nodes.get(id)!;
    const action = actionOf({ execution, plan, bindings }, node, faults);
    return { name: id, attributes: (node.inputs ?? {}) as JsonObject, action };
  });
  if (stages.length === 0) faults.push('the plan has no task');
  return faults.length > 0 ? { faults } : { run: { id: deploymentIdOf(metadata), attributes, stages } };
}

function annotationFaults({ annotations = {} }: PinnedPlan): string[] {
  return Object.entries(annotations).flatMap(([key, value]) => {
    if (!key.startsWith(ANNOTATION)) return [];
    if (key !== MAX_PARALLEL) return [`annotation ${key}: not supported`];
    return value === '1' ? [] : [`annotation ${key}: expected "1", as nodes run one after the other, got "${value}"`];
  });
}

function nodeFaults(node: PlanNode): string[] {
  const at = `node ${node.id}`;
  if (node.kind === 'Gate' || node.kind === 'External') return [`${at}: nodes of kind ${node.kind} are not supported`];
  return REFUSED_FIELDS.filter((field) => node[field] !== undefined).map((field) => `${at}: ${field} is not supported`);
}

/** The plan's labels and the execution's parameters. One name for two values would hide one of them from the policy. */
function attributesOf(
  { spec }: ExecutionParts['execution'],
  { labels = {} }: PinnedPlan,
  faults: string[],
): JsonObject {
  const parameters = (spec.parameters ?? {}) as JsonObject;
  for (const [key, value] of Object.entries(labels)) {
    if (Object.hasOwn(parameters, key) && parameters[key] !== value)
      faults.push(`parameters.${key}: the plan has a label of this name with another value`);
  }
  return { ...labels, ...parameters };
}

function actionOf({ execution, plan, bindings }: ExecutionParts, node: PlanNode, faults: string[]): JsonObject {
  const chosen = chooseTarget({ node, plan, execution: execution.spec, bindings });
  if ('fault' in chosen) {
    faults.push(`node ${node.id}: ${chosen.fault}`);
    return {};
  }
  const { provider, config = {} } = chosen.target;
  const at = `node ${node.id}: binding ${chosen.binding}`;
  if (!PROVIDERS.includes(provider))
    faults.push(`${at}: expected target.provider to be one of ${PROVIDERS.join(', ')}, got ${provider}`);
  if (Object.hasOwn(config, 'type')) faults.push(`${at}: target.config has a key type, which is target.provider's`);
  return { ...(config as JsonObject), type: provider };
}
