import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { toTimestamp } from '../../kernel/time';
import { childrenOf, toPlanGraph } from '../graph/plan-graph';
import type { Execution } from '../kinds/execution';
import { GoalPhase, type Goal } from '../kinds/goal';
import type { Graph } from '../kinds/plan';
import { ExecutionPhase, NodePhase } from '../kinds/phases';
import { conditionOf, EXECUTED, TIMED_OUT, withCondition } from '../resolver/conditions';
import { artifactsOf } from './node-outputs';
import { requestsOf, resumedBy, withoutRequests, withResumed, type RunRequest } from './run-requests';
import { nodeHasBegun, nodeHasEnded } from './schedule';

type Status = NonNullable<Execution['status']>;
export type NodeStatus = NonNullable<Status['nodeStatuses']>[string];

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
  /** ids of requests that it has taken up */
  taken?: readonly string[];
  /** the first report of a run that continues an execution which had ended: the id of the request for that */
  resumes?: string;
  /** why nothing of it begins; null once that is over */
  hold?: string | null;
}

/** How far one node is. */
export interface NodeReport {
  id: string;
  phase: NodePhase;
  /** epoch milliseconds: since when */
  atMs: number;
  /** epoch milliseconds: when it began, be it that nothing was told of it then */
  beganAtMs?: number;
  /** of a node that was begun, from 1 */
  attempt?: number;
  message?: string;
  outputs?: JsonObject;
  /** of a node that succeeded: the how-manieth it was, from 1 */
  place?: number;
  /** what it did is being taken back, or was, or could not be; a node that begins again has none */
  compensation?: Compensated;
}

/** How far the compensation of a node is. */
export interface Compensated {
  /** `due` before anything is sent */
  state: 'due' | 'done' | 'failed';
  /** under which it is sent, however often */
  key: string;
  /** why it failed */
  error?: string;
}

/** What a run learns of its execution from a report. */
export interface Followed {
  /** whether it is still there: one of the same name with another uid is another one */
  exists: boolean;
  /** of the execution as JSON, which each report writes again; absent where it is not there */
  bytes?: number;
}

const ENDED: readonly unknown[] = [ExecutionPhase.Succeeded, ExecutionPhase.Failed, ExecutionPhase.Cancelled];

/** Whether an execution is over: nothing changes its status any more. */
export function hasEnded({ status }: Pick<Execution, 'status'>): boolean {
  return ENDED.includes(status?.phase);
}

/** Whether a report is of a run that an execution no longer has: that ended without it, or is continued by another one. */
export function isForeign(execution: Pick<Execution, 'status'>, { order, resumes }: RunReport): boolean {
  const { status } = execution;
  if (resumes !== undefined)
    return !requestsOf(status).some(({ id }) => id === resumes) && resumedBy(status) !== resumes;
  return hasEnded(execution) && order > reportsOf(status);
}

/**
 * The status of an execution after a report of its run. It is `Blocked` while some of its nodes wait for somebody and no other
 * one goes on. When the run is over, what had not begun is `Skipped`. A group ends when the last of its children does.
 *
 * @param graph of the plan as it was pinned
 */
export function statusAfter(execution: Execution, report: RunReport, graph: Graph): Status {
  if (isForeign(execution, report) || reportsOf(execution.status) >= report.order) return execution.status ?? {};
  const before = reopened(execution.status ?? {}, report);
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
  const extensions = (before.extensions ?? {}) as JsonObject;
  const hold = report.hold === undefined ? extensions[HOLD] : report.hold;
  const isHeld = typeof hold === 'string' && end === undefined;
  const { [HOLD]: _before, ...kept } = extensions;
  const phase = end ?? phaseOf(graph, nodes, isHeld);
  // Of a pause that is over.
  const { message: said, ...bare } = before;
  const isOld = said !== undefined && said === extensions[HOLD];
  const message =
    endMessage(execution.status, report) ??
    (isHeld && phase === ExecutionPhase.Blocked ? hold : isOld ? undefined : said);
  const artifacts = artifactsOf(nodes);
  return {
    ...bare,
    phase,
    ...(phase === before.phase ? {} : { lastPhaseTransitionTime: time }),
    runId: report.runId,
    startTime: before.startTime ?? time,
    ...(end === undefined ? {} : { completionTime: time }),
    ...(message === undefined ? {} : { message }),
    nodeStatuses: Object.fromEntries(nodes),
    ...(artifacts.length === 0 ? {} : { artifacts }),
    observedGeneration: execution.metadata.generation ?? 1,
    extensions: { ...kept, ...(isHeld ? { [HOLD]: hold } : {}), [REPORTS]: report.order },
  };
}

/** A cancel that was accepted, and that the run did not hear of any more, is not passed over in silence. */
function endMessage(status: Execution['status'], { end, message, taken = [] }: RunReport): string | undefined {
  if (end === undefined || end === ExecutionPhase.Cancelled) return message;
  const late = requestsOf(status).filter(({ id, kind }) => kind === 'cancel' && !taken.includes(id));
  const said = late.map(({ actor }) => `it ended before the cancel of ${actor} reached it`);
  const all = [...(message === undefined ? [] : [message]), ...said];
  return all.length === 0 ? undefined : all.join('; ');
}

/** Without what a report has taken up; one that had ended goes on when it is continued. */
function reopened(status: Status, { end, taken = [], resumes }: RunReport): Status {
  const isAnswered = ({ id, kind }: RunRequest): boolean =>
    taken.includes(id) ||
    id === resumes ||
    // What failed meanwhile can be run again: then the next run does.
    (end !== undefined && (kind === 'cancel' || end !== ExecutionPhase.Failed));
  const left = withoutRequests(status, isAnswered);
  if (resumes === undefined) return left;
  const { completionTime: _ended, message: _why, reason: _reason, ...open } = left;
  return withResumed(open, resumes);
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
  return { order: reportsOf(status) + 1, atMs, runId: status?.runId ?? '', end: ExecutionPhase.Failed, message, nodes };
}

/** Where an execution keeps the number of the newest report, under `status.extensions`. */
const REPORTS = 'reports';
/** Where it keeps why nothing of it begins. */
const HOLD = 'hold';

/** How many reports were written into a status. */
export function reportsOf(status: Execution['status']): number {
  const told = (status?.extensions as JsonObject | undefined)?.[REPORTS];
  return typeof told === 'number' ? told : 0;
}

function phaseOf(graph: Graph, nodes: ReadonlyMap<string, NodeStatus>, isHeld: boolean): ExecutionPhase {
  const phases = graph.nodes.flatMap(({ id, kind }) => (kind === 'Group' ? [] : [nodes.get(id)!.phase]));
  const isBlocked = (isHeld || phases.includes(NodePhase.Blocked)) && !phases.includes(NodePhase.Running);
  return isBlocked ? ExecutionPhase.Blocked : ExecutionPhase.Running;
}

/** A node that is begun once more, or is no longer skipped, has nothing of what was before. */
function nodeAfter(before: NodeStatus, report: NodeReport): NodeStatus {
  const { phase, atMs, beganAtMs = atMs, attempt, message, outputs, place, compensation } = report;
  const isAgain = isNodeEnd(before.phase) && (attempt ?? 1) !== (before.attempt ?? 1);
  const time = toTimestamp(atMs);
  // What succeeded and is taken back ended when it did.
  const ended = compensation === undefined ? undefined : before.completionTime;
  const { [PLACE]: _place, [COMPENSATION]: _compensation, ...kept } = (before.extensions ?? {}) as JsonObject;
  const extensions: JsonObject = {
    ...kept,
    ...(place === undefined ? {} : { [PLACE]: place }),
    ...(compensation === undefined ? {} : { [COMPENSATION]: { ...compensation } as JsonObject }),
  };
  return {
    phase,
    ...(nodeHasBegun(phase) ? { startTime: (isAgain ? undefined : before.startTime) ?? toTimestamp(beganAtMs) } : {}),
    ...(isNodeEnd(phase) ? { completionTime: ended ?? time } : {}),
    ...(attempt === undefined ? {} : { attempt }),
    ...(message === undefined ? {} : { message }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(Object.keys(extensions).length === 0 ? {} : { extensions }),
  };
}

/** Where the status of a node keeps the how-manieth it was to succeed, under `extensions`. */
const PLACE = 'place';
/** Where it keeps how far its compensation is. */
const COMPENSATION = 'compensation';

/** The how-manieth a node was to succeed; undefined where it is not known. */
export function placeOf({ extensions }: NodeStatus): number | undefined {
  const place = (extensions as JsonObject | undefined)?.[PLACE];
  return typeof place === 'number' ? place : undefined;
}

function isNodeEnd(phase: string | undefined): boolean {
  return nodeHasEnded(phase as NodePhase);
}

/** The worst of its children is a group's end; groups in groups end first. A group's times are those of its children. */
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
    if (before.phase === phase) return phase;
    const timesOf = (key: 'startTime' | 'completionTime'): number[] =>
      children.flatMap((child) => nodes.get(child)?.[key] ?? []).map((time) => Date.parse(time));
    const beganAtMs = Math.min(atMs, ...timesOf('startTime'));
    const endedAtMs = Math.max(...(isOver ? timesOf('completionTime') : []));
    const sinceMs = Number.isFinite(endedAtMs) ? endedAtMs : isOver ? atMs : beganAtMs;
    nodes.set(id, nodeAfter(before, { id, phase, atMs: sinceMs, beganAtMs }));
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

/** How far an execution of a goal is. */
export interface GoalExecution {
  name: string;
  /** the name of the plan that is executed */
  plan: string;
  /** of the execution */
  phase: string | undefined;
  /** epoch milliseconds: since when */
  atMs: number;
}

/**
 * The status of a goal whose plan is executed: its phase follows the execution, unless the goal was given up or its time is over,
 * and the condition `Executed` tells of the execution in any case. It is of the generation that the goal was resolved for.
 *
 * @returns undefined where it stays, or where the goal has another plan
 */
export function goalStatusAfter(goal: Goal, { name, plan, phase, atMs }: GoalExecution): JsonObject | undefined {
  const status = goal.status as JsonObject | undefined;
  const wanted = GOAL_PHASES[phase ?? ''];
  const ref = status?.activePlanRef;
  if (status === undefined || wanted === undefined || !isJsonObject(ref) || ref.name !== plan) return undefined;
  const isOver = wanted !== GoalPhase.Executing;
  const { observedGeneration = goal.metadata.generation ?? 1 } = status;
  const conditions = withCondition(
    status.conditions,
    {
      type: EXECUTED,
      status: !isOver ? 'Unknown' : wanted === GoalPhase.Succeeded ? 'True' : 'False',
      reason: isOver ? phase! : wanted,
      message: `Execution '${name}' of plan '${plan}' is ${isOver ? phase! : 'under way'}`,
      observedGeneration: Number(observedGeneration),
    },
    atMs,
  );
  const stays = status.phase === GoalPhase.Cancelled || conditionOf(status.conditions, TIMED_OUT)?.status === 'True';
  const next = stays ? status.phase! : wanted;
  if (next === status.phase && conditions === status.conditions) return undefined;
  return { ...status, phase: next, conditions: conditions as JsonValue[] };
}
