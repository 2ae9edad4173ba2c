import type { JsonObject } from '../../kernel/json';
import type { PinnedPlan } from '../execution/compile-execution';
import { goalStatusAfter, isForeign, lastReport, statusAfter, type RunReport } from '../execution/follow-run';
import { extensionsOf } from '../execution/gate-verdict';
import type { ExecutionRef } from '../execution/plan-run';
import { requestsOf, type RunRequest } from '../execution/run-requests';
import type { Execution } from '../kinds/execution';
import type { Goal } from '../kinds/goal';
import type { Gate } from '../kinds/gate';
import { ExecutionPhase, NodePhase } from '../kinds/phases';
import type { PlanObject } from '../object';
import { replaceStatus } from '../serving/write-object';
import type { PlanStore, WriteSession } from '../store/plan-store';
import { pinnedPlanOf } from './pin-plan';
import { compensationRecord } from './run-records';

type Status = NonNullable<Execution['status']>;

/**
 * Writes a report of a run into the status of its execution, and into that of the goal whose active plan it executes, as one.
 *
 * @returns whether the execution is still there: one of the same name with another uid is another one
 * @throws GateError StoreUnavailable
 */
export async function followRun(
  store: PlanStore,
  { namespace, name, uid }: ExecutionRef,
  report: RunReport,
): Promise<{ exists: boolean }> {
  return store.write(async (session) => {
    const stored = await session.get({ kind: 'Execution', namespace, name });
    if (stored === undefined || stored.metadata.uid !== uid) return { exists: false };
    const execution = stored as unknown as Execution;
    const plan = pinnedPlanOf(stored);
    if (plan === undefined || isForeign(execution, report)) return { exists: false };
    const status = await withGates(session, execution, report, statusAfter(execution, report, plan.spec.graph), plan);
    await writeStatus(session, stored, status as JsonObject);
    for (const node of report.nodes ?? []) {
      const record = compensationRecord(stored, node);
      if (record !== undefined) session.record(record);
    }
    await followGoal(session, execution, plan, status.phase);
    return { exists: true };
  });
}

/** What was asked of a run and is not yet taken up. @throws GateError StoreUnavailable */
export async function readRunRequests(store: PlanStore, { namespace, name, uid }: ExecutionRef): Promise<RunRequest[]> {
  const stored = await store.get({ kind: 'Execution', namespace, name });
  return stored?.metadata.uid === uid ? requestsOf(stored.status) : [];
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
  const { namespace, name, uid } = ref;
  const stored = await store.write((session) => session.get({ kind: 'Execution', namespace, name }));
  if (stored?.metadata.uid !== uid || !isUnderWay(stored.status?.phase)) return;
  await followRun(store, ref, lastReport(stored as unknown as Execution, atMs, why));
}

/** The goal of an execution that was deleted while it ran: its run has no Execution any more to tell of. */
export async function endGoal(store: PlanStore, execution: PlanObject): Promise<void> {
  const plan = pinnedPlanOf(execution);
  if (plan === undefined || !isUnderWay(execution.status?.phase)) return;
  await store.write((session) =>
    followGoal(session, execution as unknown as Execution, plan, ExecutionPhase.Cancelled),
  );
}

/** Whether a run tells of this phase, and has not told of its end. */
export function isUnderWay(phase: unknown): boolean {
  return phase === ExecutionPhase.Running || phase === ExecutionPhase.Blocked;
}

async function followGoal(
  session: WriteSession,
  { metadata, spec }: Execution,
  plan: PinnedPlan,
  phase: string | undefined,
): Promise<void> {
  const name = spec.goalRef?.name ?? plan.spec.goalRef?.name;
  if (name === undefined) return;
  const goal = await session.get({ kind: 'Goal', namespace: metadata.namespace, name });
  const status = goal && goalStatusAfter(goal as unknown as Goal, plan.name, phase);
  if (goal !== undefined && status !== undefined) await writeStatus(session, goal, status);
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
