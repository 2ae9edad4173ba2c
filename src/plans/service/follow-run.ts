import type { JsonObject } from '../../kernel/json';
import { jsonBytes } from '../../kernel/limits';
import type { PinnedPlan } from '../execution/compile-execution';
import { goalStatusAfter, isForeign, lastReport, statusAfter } from '../execution/follow-run';
import type { Followed, GoalExecution, RunReport } from '../execution/follow-run';
import { extensionsOf } from '../execution/gate-verdict';
import type { ExecutionRef } from '../execution/plan-run';
import { requestsOf, type RunRequest } from '../execution/run-requests';
import { goalNameOf, pinnedPlanOf } from '../execution/pinned-plan';
import type { Execution } from '../kinds/execution';
import { GoalPhase, type Goal } from '../kinds/goal';
import type { Gate } from '../kinds/gate';
import { ExecutionPhase, NodePhase } from '../kinds/phases';
import type { PlanObject } from '../object';
import { replaceStatus } from '../serving/write-object';
import type { PlanStore, WriteSession } from '../store/plan-store';
import { compensationRecord } from './run-records';
import { ofRun } from './of-run';

type Status = NonNullable<Execution['status']>;

/**
 * Writes a report of a run into the status of its execution, and into that of the goal whose active plan it executes, as one.
 *
 * @throws GateError StoreUnavailable
 */
export async function followRun(store: PlanStore, ref: ExecutionRef, report: RunReport): Promise<Followed> {
  return store.write(async (session) => {
    const stored = await ofRun(session, ref);
    if (stored === undefined) return { exists: false };
    const execution = stored as unknown as Execution;
    const plan = pinnedPlanOf(stored);
    if (plan === undefined || isForeign(execution, report)) return { exists: false };
    const status = await withGates(session, execution, report, statusAfter(execution, report, plan.spec.graph), plan);
    const written = await writeStatus(session, stored, status as JsonObject);
    for (const node of report.nodes ?? []) {
      const record = compensationRecord(stored, node);
      if (record !== undefined) session.record(record);
    }
    const told = { name: ref.name, plan: plan.name, phase: status.phase, atMs: report.atMs };
    await followGoal(session, execution, told);
    return { exists: true, bytes: jsonBytes(written) };
  });
}

/** What was asked of a run and is not yet taken up. @throws GateError StoreUnavailable */
export async function readRunRequests(store: PlanStore, ref: ExecutionRef): Promise<RunRequest[]> {
  return requestsOf((await ofRun(store, ref))?.status);
}

/** Of a node that begins to wait for a gate: which decision that had, so that a later one is known by it. */
async function withGates(
  session: WriteSession,
  { metadata }: Execution,
  { nodes = [] }: RunReport,
  status: Status,
  plan: PinnedPlan,
): Promise<Status> {
  const began = new Set(nodes.filter(({ phase }) => phase === NodePhase.Running).map(({ id }) => id));
  const nodeStatuses = { ...status.nodeStatuses };
  for (const { id, gateRef } of plan.spec.graph.nodes) {
    const node = nodeStatuses[id];
    if (gateRef === undefined || node === undefined || !began.has(id)) continue;
    const gate = await session.get({ kind: 'Gate', namespace: metadata.namespace, name: gateRef.name });
    const extensions = extensionsOf(node.extensions as JsonObject | undefined, gate as Gate | undefined);
    nodeStatuses[id] = { ...node, extensions };
  }
  return { ...status, nodeStatuses };
}

/**
 * Ends an execution whose run is closed and told nothing of it, as one that was terminated in Temporal; does nothing where it
 * ended meanwhile.
 */
export async function endClosed(store: PlanStore, ref: ExecutionRef, atMs: number, why: string): Promise<void> {
  const stored = await store.write((session) => ofRun(session, ref));
  if (stored === undefined || !isUnderWay(stored.status?.phase)) return;
  await followRun(store, ref, lastReport(stored as unknown as Execution, atMs, why));
}

/**
 * The goal of an execution that was deleted while it ran: its run has no Execution any more to tell of. A goal that no longer
 * executes was resolved anew meanwhile.
 */
export async function endGoal(store: PlanStore, execution: PlanObject, atMs: number): Promise<void> {
  const plan = pinnedPlanOf(execution);
  if (plan === undefined || !isUnderWay(execution.status?.phase)) return;
  const { name } = execution.metadata;
  await store.write((session) =>
    followGoal(
      session,
      execution as unknown as Execution,
      { name, plan: plan.name, phase: ExecutionPhase.Cancelled, atMs },
      ({ status }) => status?.phase === GoalPhase.Executing,
    ),
  );
}

/** Whether a run tells of this phase, and has not told of its end. */
export function isUnderWay(phase: unknown): boolean {
  return phase === ExecutionPhase.Running || phase === ExecutionPhase.Blocked;
}

async function followGoal(
  session: WriteSession,
  execution: Execution,
  told: GoalExecution,
  isMeant: (goal: PlanObject) => boolean = () => true,
): Promise<void> {
  const name = goalNameOf(execution as unknown as PlanObject);
  if (name === undefined) return;
  const goal = await session.get({ kind: 'Goal', namespace: execution.metadata.namespace, name });
  if (goal === undefined || !isMeant(goal)) return;
  const status = goalStatusAfter(goal as unknown as Goal, told);
  if (status !== undefined) await writeStatus(session, goal, status);
}

/** Writes a status of the controllers' own, where it differs. @returns the object as it is then */
export async function writeStatus(session: WriteSession, stored: PlanObject, status: JsonObject): Promise<PlanObject> {
  const outcome = replaceStatus(stored, { status }, { by: 'controller' });
  if (outcome.action === 'invalid') {
    const faults = outcome.faults.map(({ pointer, sentence }) => `${pointer}: ${sentence}`);
    throw new Error(`The status of ${stored.kind} ${stored.metadata.name} cannot be written: ${faults.join('; ')}`);
  }
  return outcome.action === 'updated' ? session.update(outcome.object, stored) : stored;
}
