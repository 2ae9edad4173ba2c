import { isJsonObject, type JsonObject } from '../../kernel/json';
import { toTimestamp } from '../../kernel/time';
import { childrenOf, toPlanGraph } from '../graph/plan-graph';
import type { Execution } from '../kinds/execution';
import { GoalPhase, type Goal } from '../kinds/goal';
import type { Graph } from '../kinds/plan';
import { ExecutionPhase, NodePhase } from '../kinds/phases';
import { artifactsOf } from './node-outputs';
import { nodeHasEnded } from './schedule';

type Status = NonNullable<Execution['status']>;
type NodeStatus = NonNullable<Status['nodeStatuses']>[string];

/** What a run tells of itself. */
export interface RunReport {
  /** numbers the reports of an execution, from 1: one that comes twice, or behind a later one, changes nothing */
  order: number;
  /** epoch milliseconds, of the run */
  atMs: number;
  runId: string;
  /** how the whole ended */
  end?: 'Succeeded' | 'Failed' | 'Cancelled';
  /** why it ended as it did */
  message?: string;
  /** nodes that changed, each as it is now */
  nodes?: readonly NodeReport[];
}

/** How far one node is. */
export interface NodeReport {
  id: string;
  phase: NodePhase;
  /** epoch milliseconds: since when */
  atMs: number;
  /** of a node that was begun, from 1 */
  attempt?: number;
  message?: string;
  outputs?: JsonObject;
}

const ENDED: readonly unknown[] = [ExecutionPhase.Succeeded, ExecutionPhase.Failed, ExecutionPhase.Cancelled];

/** Whether an execution is over: nothing changes its status any more. */
export function hasEnded({ status }: Pick<Execution, 'status'>): boolean {
  return ENDED.includes(status?.phase);
}

/**
 * The status of an execution after a report of its run. It is `Blocked` while some of its nodes wait for somebody and no other
 * one goes on. When the run is over, what had not begun is `Skipped`. A group ends when the last of its children does.
 *
 * @param graph of the plan as it was pinned
 */
export function statusAfter(execution: Execution, report: RunReport, graph: Graph): Status {
  const before = execution.status ?? {};
  const extensions = (before.extensions ?? {}) as JsonObject;
  const told = extensions[REPORTS];
  if (hasEnded(execution) || (typeof told === 'number' && told >= report.order)) return before;
  const time = toTimestamp(report.atMs);
  const nodes = new Map<string, NodeStatus>(
    graph.nodes.map(({ id }) => [id, before.nodeStatuses?.[id] ?? { phase: NodePhase.Pending }]),
  );
  for (const node of report.nodes ?? []) {
    if (nodes.has(node.id)) nodes.set(node.id, nodeAfter(nodes.get(node.id)!, node));
  }
  const { end } = report;
  if (end !== undefined) {
    for (const [id, { phase }] of nodes) {
      if (phase === NodePhase.Pending) nodes.set(id, { phase: NodePhase.Skipped, completionTime: time });
    }
  }
  endGroups(graph, nodes, report.atMs);
  const phase = end ?? phaseOf(graph, nodes);
  const artifacts = artifactsOf(nodes);
  return {
    ...before,
    phase,
    ...(phase === before.phase ? {} : { lastPhaseTransitionTime: time }),
    runId: report.runId,
    startTime: before.startTime ?? time,
    ...(end === undefined ? {} : { completionTime: time }),
    ...(report.message === undefined ? {} : { message: report.message }),
    nodeStatuses: Object.fromEntries(nodes),
    ...(artifacts.length === 0 ? {} : { artifacts }),
    observedGeneration: execution.metadata.generation ?? 1,
    extensions: { ...extensions, [REPORTS]: report.order },
  };
}

/**
 * The report of an execution whose run is closed and told nothing of its end: what was under way failed.
 *
 * @param why a clause
 */
export function lastReport({ status }: Execution, atMs: number, why: string): RunReport {
  const message = `failed: ${why}`;
  const nodes = Object.entries(status?.nodeStatuses ?? {}).flatMap(([id, { phase, attempt }]): NodeReport[] => {
    if (phase !== NodePhase.Running && phase !== NodePhase.Blocked) return [];
    return [{ id, phase: NodePhase.Failed, atMs, message, ...(attempt === undefined ? {} : { attempt }) }];
  });
  const told = (status?.extensions as JsonObject | undefined)?.[REPORTS];
  const order = typeof told === 'number' ? told + 1 : 1;
  return { order, atMs, runId: status?.runId ?? '', end: ExecutionPhase.Failed, message, nodes };
}

/** Where an execution keeps the number of the newest report, under `status.extensions`. */
const REPORTS = 'reports';

function phaseOf(graph: Graph, nodes: ReadonlyMap<string, NodeStatus>): ExecutionPhase {
  const phases = graph.nodes.flatMap(({ id, kind }) => (kind === 'Group' ? [] : [nodes.get(id)!.phase]));
  const isBlocked = phases.includes(NodePhase.Blocked) && !phases.includes(NodePhase.Running);
  return isBlocked ? ExecutionPhase.Blocked : ExecutionPhase.Running;
}

/** A node that is begun once more, or is no longer skipped, has nothing of what was before. */
function nodeAfter(before: NodeStatus, { phase, atMs, attempt, message, outputs }: NodeReport): NodeStatus {
  const isAgain = isNodeEnd(before.phase) && (attempt ?? 1) !== (before.attempt ?? 1);
  const time = toTimestamp(atMs);
  const begins = phase !== NodePhase.Pending && phase !== NodePhase.Skipped;
  return {
    phase,
    ...(begins ? { startTime: (isAgain ? undefined : before.startTime) ?? time } : {}),
    ...(isNodeEnd(phase) ? { completionTime: time } : {}),
    ...(attempt === undefined ? {} : { attempt }),
    ...(message === undefined ? {} : { message }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(before.extensions === undefined ? {} : { extensions: before.extensions }),
  };
}

function isNodeEnd(phase: string | undefined): boolean {
  return nodeHasEnded(phase as NodePhase);
}

/** The worst of its children is a group's end; groups in groups end first. */
function endGroups(graph: Graph, nodes: Map<string, NodeStatus>, atMs: number): void {
  const planGraph = toPlanGraph(graph);
  const seen = new Set<string>();
  const phaseOf = (id: string): NodePhase | undefined => {
    const children = childrenOf(planGraph, id);
    if (children.length === 0 || seen.has(id)) return nodes.get(id)?.phase as NodePhase | undefined;
    seen.add(id);
    const phases = children.map(phaseOf);
    const isOver = phases.every(isNodeEnd);
    const hasBegun = phases.some((phase) => phase !== NodePhase.Pending);
    const worst = [NodePhase.Failed, NodePhase.Cancelled, NodePhase.Skipped].find((phase) => phases.includes(phase));
    const phase = isOver ? (worst ?? NodePhase.Succeeded) : hasBegun ? NodePhase.Running : NodePhase.Pending;
    const before = nodes.get(id)!;
    if (before.phase !== phase) nodes.set(id, nodeAfter(before, { id, phase, atMs }));
    return phase;
  };
  for (const { id, kind } of graph.nodes) if (kind === 'Group') phaseOf(id);
}

const GOAL_PHASES: Partial<Record<string, GoalPhase>> = {
  [ExecutionPhase.Running]: GoalPhase.Executing,
  [ExecutionPhase.Blocked]: GoalPhase.Executing,
  [ExecutionPhase.Succeeded]: GoalPhase.Succeeded,
  [ExecutionPhase.Failed]: GoalPhase.Failed,
  [ExecutionPhase.Cancelled]: GoalPhase.Failed,
};

/**
 * The status of a goal whose plan is executed; undefined where it stays: the goal was given up, or has another plan by now.
 *
 * @param plan the name of the plan that is executed
 */
export function goalStatusAfter(goal: Goal, plan: string, phase: string | undefined): JsonObject | undefined {
  const status = goal.status as JsonObject | undefined;
  const wanted = GOAL_PHASES[phase ?? ''];
  const ref = status?.activePlanRef;
  if (status === undefined || wanted === undefined || !isJsonObject(ref) || ref.name !== plan) return undefined;
  if (status.phase === wanted || status.phase === GoalPhase.Cancelled) return undefined;
  return { ...status, phase: wanted };
}
