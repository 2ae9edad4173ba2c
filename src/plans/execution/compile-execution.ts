import type { JsonObject } from '../../kernel/json';
import { EXPECTED_OF_HTTP_URL, readHttpUrl } from '../../kernel/http-url';
import { deadlocks } from '../graph/graph-faults';
import { toPlanGraph, type PlanGraph } from '../graph/plan-graph';
import type { Binding } from '../kinds/binding';
import type { Execution } from '../kinds/execution';
import { parseGoDuration } from '../kinds/go-duration';
import type { Plan, PlanNode } from '../kinds/plan';
import { chooseTarget } from './choose-target';
import { readCriteria } from './criteria';
import { POLL_INTERVAL_MS } from './external-look';
import { allBefore, membersOf, nodeOrder } from './node-order';
import { deploymentIdOf, type PlanRun, type RunKind, type RunNode } from './plan-run';
import { graphSizeFault, parallelFor } from './run-size';
import { readWhen } from './when';

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
  /** where work outside calls back; absent where it cannot */
  callbackUrl?: string | undefined;
}

/** The run that an execution comes to, or why it cannot be run: every fault, a sentence each. */
export type CompiledExecution = { run: PlanRun; faults?: undefined } | { run?: undefined; faults: string[] };

/** Below it nodes are called back: by `<namespace>/<execution>/<node>`. */
export const CALLBACKS = '/callbacks';

const NO_ACTION = { type: 'none' };
const PROVIDERS = ['http', 'module', 'none', 'notify', 'replicate-image', 'shard'];
const WITHOUT_OUTPUTS = ['none', 'notify'];
const ANNOTATION = 'gate/';
const MAX_PARALLEL = 'gate/max-parallel';
const ON_FAILURE = 'gate/on-failure';
const COMPENSATE = 'compensate';
/** 366 days. */
const LONGEST_MS = 8_784 * 3_600_000;
/** Nodes at once, where the plan does not say fewer: each may have an activity or two under way, of which Temporal allows 2,000. */
export const MOST_PARALLEL = 100;

/**
 * The run of an execution: its nodes with what each waits for, and with the action of the binding that is for it. What cannot
 * be carried out is refused by its name, and never left out.
 */
export function compileExecution({ execution, plan, bindings, callbackUrl }: ExecutionParts): CompiledExecution {
  const { metadata, spec } = execution;
  const graph = toPlanGraph(plan.spec.graph);
  const faults = [...annotationFaults(plan), ...deadlocks(graph)];
  const maxParallel = maxParallelOf(plan, faults);
  const compensates = plan.annotations?.[ON_FAILURE] === COMPENSATE;
  for (const node of graph.nodes.values())
    faults.push(
      ...nodeFaults(node, metadata.namespace),
      ...externalFaults(node, callbackUrl),
      ...whenFaults(graph, node),
    );
  for (const id of Object.keys(spec.nodeBindings ?? {})) {
    if (graph.nodes.get(id)?.kind !== 'Task') faults.push(`nodeBindings.${id}: the plan has no task ${id}`);
  }
  const attributes = attributesOf(execution, plan, faults);
  if (faults.length > 0) return { faults };

  const order = nodeOrder(graph);
  const stages = order.map((id) => {
    const node = graph.nodes.get(id)!;
    const action =
      node.kind === 'Task'
        ? actionOf({ execution, plan, bindings }, node, faults)
        : callbackUrl !== undefined && isWebhook(node)
          ? webhookOf(execution, plan, node, callbackUrl)
          : NO_ACTION;
    return { name: id, attributes: (node.inputs ?? {}) as JsonObject, action };
  });
  if (stages.length === 0) faults.push('the plan has no task');
  if (faults.length > 0) return { faults };
  const run = {
    id: deploymentIdOf(metadata),
    attributes,
    stages,
    graph: {
      maxParallel: parallelFor(maxParallel, attributes),
      nodes: order.map((id) => runNodeOf(graph, id)),
      ...(compensates ? { compensates } : {}),
    },
  };
  const fault = graphSizeFault(run);
  return fault === undefined ? { run } : { faults: [fault] };
}

/** A node waits for the members of a group in its place; what is awaited both ways is awaited hard. */
function runNodeOf(graph: PlanGraph, id: string): RunNode {
  const hard = new Set<string>();
  const soft = new Set<string>();
  for (const [from, type] of graph.before.get(id)!) {
    for (const member of membersOf(graph, from)) (type === 'hard' ? hard : soft).add(member);
  }
  const { kind, retries, timeout, gateRef, when, outputs = [], externalRef, pollInterval } = graph.nodes.get(id)!;
  const { criteria } = readCriteria(graph.nodes.get(id)!);
  const timeoutMs = timeout === undefined ? undefined : parseGoDuration(timeout);
  return {
    id,
    kind: kind as RunKind,
    ...(gateRef === undefined ? {} : { gate: gateRef.name }),
    ...(externalRef?.type === 'webhook' ? { callsBack: true } : {}),
    ...(externalRef?.type !== 'uri'
      ? {}
      : { external: { uri: externalRef.uri!, intervalMs: intervalOf(pollInterval)! } }),
    hard: [...hard],
    soft: [...soft].filter((from) => !hard.has(from)),
    ...(when === undefined ? {} : { isConditional: true }),
    ...(criteria.length === 0 ? {} : { criteria }),
    ...(outputs.length === 0 ? {} : { outputs }),
    ...(retries === undefined ? {} : { retries }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

function annotationFaults({ annotations = {} }: PinnedPlan): string[] {
  return Object.entries(annotations).flatMap(([key, value]) => {
    if (!key.startsWith(ANNOTATION) || key === MAX_PARALLEL) return [];
    if (key !== ON_FAILURE) return [`annotation ${key}: not supported`];
    return value === COMPENSATE ? [] : [`annotation ${key}: expected ${COMPENSATE}, got ${JSON.stringify(value)}`];
  });
}

function maxParallelOf({ annotations = {} }: PinnedPlan, faults: string[]): number {
  const text = annotations[MAX_PARALLEL];
  if (text === undefined) return MOST_PARALLEL;
  const found = /^[1-9][0-9]*$/.test(text) ? Number(text) : 0;
  if (found >= 1 && found <= MOST_PARALLEL) return found;
  faults.push(`annotation ${MAX_PARALLEL}: expected a number from 1 to ${MOST_PARALLEL}, got ${JSON.stringify(text)}`);
  return 1;
}

function nodeFaults(node: PlanNode, namespace: string): string[] {
  const at = `node ${node.id}`;
  const faults =
    node.acceptanceCriteria !== undefined && (node.kind === 'Gate' || node.kind === 'Group')
      ? [`${at}: acceptanceCriteria is not supported for a node of kind ${node.kind}`]
      : readCriteria(node).faults.map((fault) => `${at}: ${fault}`);
  const elsewhere = node.gateRef?.namespace;
  if (elsewhere !== undefined && elsewhere !== namespace)
    faults.push(`${at}: expected a gate of the execution's namespace ${namespace}, got one of ${elsewhere}`);
  return node.timeout === undefined ? faults : [...faults, ...timeoutFaults(node, at)];
}

/** Other work than that of a URI cannot be followed, and a question has no body for inputs. */
function externalFaults(
  { id, externalRef, inputs, pollInterval }: PlanNode,
  callbackUrl: string | undefined,
): string[] {
  if (externalRef === undefined) return [];
  const at = `node ${id}`;
  const { type, uri = '' } = externalRef;
  if (type === 'resource') return [`${at}: externalRef.type resource is not supported: expected uri or webhook`];
  if (type === 'webhook') {
    return [
      ...(callbackUrl === undefined
        ? [`${at}: nothing can call back: the server's settings have no plans.callbackUrl`]
        : []),
      ...(pollInterval === undefined ? [] : [`${at}: pollInterval is not supported for a webhook: it calls back`]),
    ];
  }
  const url = readHttpUrl(uri);
  const faults = typeof url === 'string' ? [`${at}: expected externalRef.uri ${EXPECTED_OF_HTTP_URL[url]}`] : [];
  if (inputs !== undefined) faults.push(`${at}: inputs is not supported for a node of kind External`);
  if (intervalOf(pollInterval) === undefined)
    faults.push(`${at}: expected pollInterval to be from 1s to 24h, got ${pollInterval}`);
  return faults;
}

const isWebhook = ({ externalRef }: PlanNode): boolean => externalRef?.type === 'webhook';

/** The request that asks for work outside. What is told of one attempt alone is added when it is sent. */
function webhookOf(
  { metadata }: ExecutionParts['execution'],
  plan: PinnedPlan,
  { id, externalRef, inputs = {} }: PlanNode,
  callbackUrl: string,
): JsonObject {
  const { namespace, name } = metadata;
  const path = [namespace, name, id].map(encodeURIComponent).join('/');
  return {
    type: 'http',
    method: 'POST',
    url: externalRef!.webhookUrl!,
    body: {
      ...{ namespace, execution: name, plan: plan.name, node: id, inputs: inputs as JsonObject },
      callback: { url: `${callbackUrl.replace(/\/+$/, '')}${CALLBACKS}/${path}` },
    },
  };
}

function intervalOf(pollInterval: string | undefined): number | undefined {
  const { least, most, usual } = POLL_INTERVAL_MS;
  if (pollInterval === undefined) return usual;
  const found = parseGoDuration(pollInterval);
  return found !== undefined && found >= least && found <= most ? found : undefined;
}

/** What an expression reads must have ended when it is evaluated: the answer would depend on chance otherwise. */
function whenFaults(graph: PlanGraph, { id, kind, when }: PlanNode): string[] {
  if (when === undefined) return [];
  const at = `node ${id}: when`;
  if (kind === 'Group') return [`${at} is not supported for a group`];
  const { nodes, faults } = readWhen(when);
  if (faults !== undefined) return faults.map((fault) => `${at}: ${fault}`);
  const before = nodes.length === 0 ? new Set<string>() : allBefore(graph, id);
  return nodes.flatMap((read) => {
    if (before.has(read)) return [];
    return graph.nodes.has(read)
      ? [`${at} reads node ${read}, which ${id} does not wait for: add it to dependsOn, or as a soft edge`]
      : [`${at} reads node ${read}, which the plan does not have`];
  });
}

/** A group has no time of its own, and nothing can be done in none. */
function timeoutFaults({ kind, timeout = '' }: PlanNode, at: string): string[] {
  if (kind === 'Group') return [`${at}: timeout is not supported for a group`];
  const found = parseGoDuration(timeout);
  if (found !== undefined && found > 0 && found <= LONGEST_MS) return [];
  return [`${at}: expected timeout to be more than 0s and at most 8784h, got ${timeout}`];
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
  if (WITHOUT_OUTPUTS.includes(provider) && (node.outputs ?? []).length > 0)
    faults.push(`${at}: expected a provider that gives outputs, got ${provider}`);
  if (Object.hasOwn(config, 'type')) faults.push(`${at}: target.config has a key type, which is target.provider's`);
  return { ...(config as JsonObject), type: provider };
}
