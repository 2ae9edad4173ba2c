import { isJsonObject, type JsonObject } from '../../kernel/json';
import { toTimestamp } from '../../kernel/time';
import { childrenOf, toPlanGraph } from '../graph/plan-graph';
import type { Execution } from '../kinds/execution';
import { GoalPhase, type Goal } from '../kinds/goal';
import type { Graph } from '../kinds/plan';
import { ExecutionPhase, NodePhase } from '../kinds/phases';

type Status = NonNullable<Execution['status']>;
type NodeStatus = NonNullable<Status['nodeStatuses']>[string];

/** What a run tells of itself. The same report twice changes nothing more. */
export interface RunReport {
  /** epoch milliseconds, of the run */
  atMs: number;
  runId: string;
  /** the phase of the whole, where it changes */
  phase?: ExecutionPhase;
  /** why it ended as it did */
  message?: string;
  node?: { id: string; phase: NodePhase; message?: string };
}

const ENDED: readonly unknown[] = [ExecutionPhase.Succeeded, ExecutionPhase.Failed, ExecutionPhase.Cancelled];
const NODE_ENDED: readonly unknown[] = [NodePhase.Succeeded, NodePhase.Failed, NodePhase.Skipped, NodePhase.Cancelled];

/** Whether an execution is over: nothing changes its status any more. */
export function hasEnded({ status }: Pick<Execution, 'status'>): boolean {
  return ENDED.includes(status?.phase);
}

/**
 * The status of an execution after a report of its run. When the run is over, what had not begun is `Skipped`, and a group ends
 * when the last of its children does.
 *
 * @param graph of the plan as it was pinned
 */
export function statusAfter(execution: Execution, report: RunReport, graph: Graph): Status {
  const before = execution.status ?? {};
  if (hasEnded(execution)) return before;
  const time = toTimestamp(report.atMs);
  const phase = report.phase ?? before.phase;
  const isOver = ENDED.includes(phase);
  const nodes = new Map<string, NodeStatus>(
    graph.nodes.map(({ id }) => [id, before.nodeStatuses?.[id] ?? { phase: NodePhase.Pending }]),
  );
  const { node } = report;
  if (node !== undefined && nodes.has(node.id)) nodes.set(node.id, nodeAfter(nodes.get(node.id)!, node, time));
  if (isOver) {
    const left = phase === ExecutionPhase.Cancelled ? NodePhase.Cancelled : NodePhase.Failed;
    for (const [id, status] of nodes) {
      if (NODE_ENDED.includes(status.phase)) continue;
      const end = status.phase === NodePhase.Running ? left : NodePhase.Skipped;
      nodes.set(id, nodeAfter(status, { phase: end }, time));
    }
  }
  endGroups(graph, nodes, time);
  return {
    ...before,
    ...(phase === undefined ? {} : { phase }),
    ...(phase === before.phase ? {} : { lastPhaseTransitionTime: time }),
    runId: report.runId,
    startTime: before.startTime ?? time,
    ...(isOver ? { completionTime: time } : {}),
    ...(report.message === undefined ? {} : { message: report.message }),
    nodeStatuses: Object.fromEntries(nodes),
    observedGeneration: execution.metadata.generation ?? 1,
  };
}

function nodeAfter(
  before: NodeStatus,
  { phase, message }: { phase: NodePhase; message?: string },
  time: string,
): NodeStatus {
  if (NODE_ENDED.includes(before.phase) || (before.phase === phase && message === undefined)) return before;
  const begins = phase !== NodePhase.Pending && phase !== NodePhase.Skipped;
  return {
    ...before,
    phase,
    ...(begins ? { startTime: before.startTime ?? time } : {}),
    ...(NODE_ENDED.includes(phase) ? { completionTime: time } : {}),
    ...(message === undefined ? {} : { message }),
  };
}

/** The worst of its children is a group's end; groups in groups end first. */
function endGroups(graph: Graph, nodes: Map<string, NodeStatus>, time: string): void {
  const planGraph = toPlanGraph(graph);
  const seen = new Set<string>();
  const phaseOf = (id: string): NodePhase | undefined => {
    const children = childrenOf(planGraph, id);
    if (children.length === 0 || seen.has(id)) return nodes.get(id)?.phase as NodePhase | undefined;
    seen.add(id);
    const phases = children.map(phaseOf);
    const isOver = phases.every((phase) => NODE_ENDED.includes(phase));
    const hasBegun = phases.some((phase) => phase !== NodePhase.Pending);
    const worst = [NodePhase.Failed, NodePhase.Cancelled, NodePhase.Skipped].find((phase) => phases.includes(phase));
    const phase = isOver ? (worst ?? NodePhase.Succeeded) : hasBegun ? NodePhase.Running : NodePhase.Pending;
    nodes.set(id, nodeAfter(nodes.get(id)!, { phase }, time));
    return phase;
  };
  for (const { id, kind } of graph.nodes) if (kind === 'Group') phaseOf(id);
}

const GOAL_PHASES: Partial<Record<string, GoalPhase>> = {
  [ExecutionPhase.Running]: GoalPhase.Executing,
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
