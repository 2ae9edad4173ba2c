import type { JsonObject, JsonValue } from '../../kernel/json';
import { toTimestamp } from '../../kernel/time';
import { hasEnded } from '../execution/follow-run';
import { GATE_RUNTIME, isRunByGate, type PlanRuntime } from '../execution/plan-run';
import { retryFault, unknownNodeFault } from '../execution/retry-node';
import { requestsOf, withRequest, type RunRequest } from '../execution/run-requests';
import { goalNameOf, pinnedPlanOf } from '../execution/pinned-plan';
import type { Execution } from '../kinds/execution';
import { ExecutionPhase, NodePhase } from '../kinds/phases';
import { objectName, type PlanObject } from '../object';
import type { WriteSession } from '../store/plan-store';
import { readWords, type AskedShape } from './asked-words';
import { writeStatus } from './follow-run';
import { compileStored, underWay } from './pin-plan';
import { planFailure } from './plan-failure';
import type { Caller, Written } from './plan-service';
import { requestRecord } from './run-records';

/** What somebody asks of the run of an execution, as a client says it. */
export type RunAsk = Pick<RunRequest, 'kind' | 'actor' | 'reason' | 'node'>;

const SHAPES: Record<RunAsk['kind'], AskedShape> = {
  cancel: { needed: ['reason'], other: ['actor'] },
  retry: { needed: ['node'], other: ['reason', 'actor'] },
};

/**
 * What a body asks of a run.
 *
 * @throws PlanFailure Invalid with every fault, Forbidden for another's name
 */
export function readAsk(kind: RunAsk['kind'], body: JsonValue, caller: Caller): RunAsk {
  return { kind, ...readWords(body, SHAPES[kind], caller) };
}

export interface AskParts {
  runtime: PlanRuntime | undefined;
  nowMs: number;
  newId(): string;
}

/**
 * Notes in the status of an execution what is asked of its run, with its audit record; the server tells the run. The same again
 * changes nothing. An execution that has not begun is cancelled at once.
 *
 * @throws PlanFailure with why: Conflict where it cannot be done now, Invalid where it never can
 */
export async function askRun(
  session: WriteSession,
  stored: PlanObject,
  ask: RunAsk,
  parts: AskParts,
): Promise<Written> {
  const execution = stored as unknown as Execution;
  const plan = pinnedPlanOf(stored);
  if (!isRunByGate(stored) || plan === undefined)
    refuse(stored, 'Invalid', `its spec.runtimeRef.name is not ${GATE_RUNTIME}: whoever runs it alone ends it`);
  const { kind, node } = ask;
  if (kind === 'cancel' && hasEnded(execution))
    refuse(
      stored,
      'Conflict',
      `it is ${execution.status?.phase}, since ${execution.status?.completionTime ?? 'its start'}`,
    );
  if (node !== undefined) {
    const unknown = unknownNodeFault(plan, node);
    if (unknown !== undefined) refuse(stored, 'Invalid', unknown);
    const unfit = retryFault(execution, node);
    if (unfit !== undefined) refuse(stored, 'Conflict', unfit);
  }
  const same = requestsOf(stored.status).find((each) => each.kind === kind && each.node === node);
  if (same !== undefined) return { action: 'unchanged', object: stored, warnings: [] };
  if (kind === 'retry' && hasEnded(execution)) await requireStartable(session, stored, parts);
  const request: RunRequest = { id: parts.newId(), ...ask, time: toTimestamp(parts.nowMs) };
  const status =
    execution.status?.phase === ExecutionPhase.Pending
      ? cancelled(execution, request)
      : withRequest(execution.status ?? {}, request);
  session.record(requestRecord(stored, request));
  const object = await writeStatus(session, stored, status as JsonObject);
  return { action: 'updated', object, warnings: [] };
}

/** A run that has not told anything yet finds its execution ended, and does nothing. */
function cancelled({ status }: Execution, { actor, reason = '', time }: RunRequest): JsonObject {
  const nodes = Object.entries(status?.nodeStatuses ?? {}).map(([id]) => [id, { phase: NodePhase.Skipped }]);
  return {
    ...(status as JsonObject),
    phase: ExecutionPhase.Cancelled,
    message: `cancelled by ${actor}: ${reason}`,
    completionTime: time,
    lastPhaseTransitionTime: time,
    ...(nodes.length === 0 ? {} : { nodeStatuses: Object.fromEntries(nodes) as JsonObject }),
  };
}

/** A new run needs what a first one does. */
async function requireStartable(session: WriteSession, stored: PlanObject, { runtime }: AskParts): Promise<void> {
  if (runtime === undefined) refuse(stored, 'Invalid', 'this server runs no executions');
  const plan = pinnedPlanOf(stored)!;
  const goal = goalNameOf(stored);
  const other = goal === undefined ? undefined : await underWay(session, stored.metadata.namespace, goal);
  if (other !== undefined) refuse(stored, 'Conflict', other);
  const { run, faults } = await compileStored(session, stored, plan, runtime);
  const found = faults ?? runtime.check(run);
  if (found.length > 0) refuse(stored, 'Conflict', `plan ${plan.name}: ${found.join('; ')}`);
}

/** A request that would be right at another time is a conflict, as in Kubernetes. */
function refuse(stored: PlanObject, reason: 'Invalid' | 'Conflict', why: string): never {
  const { kind, name } = { kind: 'executions', name: stored.metadata.name };
  throw planFailure(reason, `${objectName(stored)}: ${why}`, { kind, name });
}
