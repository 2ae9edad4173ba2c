import { FailureType, faultsToError, GateError } from '../../kernel/failures';
import { parseTime } from '../../kernel/time';
import { StepStatus } from '../execution/execution';
import { StoredStatus, type ExecutionStep, type StoredExecution } from '../store/stored-execution';
import type { RecordDelivery } from '../../audit/service/deliver-records';
import type { PolicyDocuments } from './policy-documents';
import type { RuleParts } from './rule-parts';
import { readPage } from './page-token';
import { isUuid, requireActor, requireReason, requireType, versionNotFound } from './requests';
import { actedRecords, endedRecords, startedRecords } from './rule-records';
import type {
  AdvanceExecutionRequest,
  BeginExecutionRequest,
  EndExecutionRequest,
  RuleCaller,
  RuleExecutions,
} from './rule-service';

/** What a step may become. A failed one may have taken effect, so it may be rolled back; a failed rollback is tried again. */
const NEXT: Readonly<Record<StepStatus, readonly StepStatus[]>> = {
  pending: ['running', 'done', 'failed', 'rolled_back', 'rollback_failed'],
  running: ['done', 'failed', 'rolled_back', 'rollback_failed'],
  done: ['rolled_back', 'rollback_failed'],
  failed: ['rolled_back', 'rollback_failed'],
  rolled_back: [],
  rollback_failed: ['rolled_back'],
};

export interface ExecutionContext extends Pick<RuleParts, 'store' | 'now'> {
  delivery: RecordDelivery;
  /** what must still be in force when an execution begins; absent: one may begin for any revision that there is */
  documents?: { current(): Promise<PolicyDocuments> };
}

/** Executions as they are reported. A report that comes twice changes nothing; one that comes late is refused. */
export function createExecutions(context: ExecutionContext): RuleExecutions {
  const { store, delivery, now } = context;
  const timestamp = () => new Date(now()).toISOString();

  return {
    begin: (caller, request) => begin(context, caller, request),

    async advance(caller, { id, step: at, status, details }: AdvanceExecutionRequest) {
      requireActor(caller);
      let records: ReturnType<typeof actedRecords> = [];
      const execution = await change(context, id, (found) => {
        const step = found.steps[at];
        if (step === undefined) throw invalid('step', `expected one of the ${found.steps.length} steps, got ${at}`);
        // Whoever reported it first may have died before its record was brought.
        if (step.status === status) records = recordsOf(found, at, step, caller, timestamp());
        if (step.status === status || isOver(found)) {
          if (step.status === status) return undefined;
          throw conflict(`the execution ${id} is over (${found.status}), and its step ${at} cannot become ${status}`);
        }
        if (!NEXT[step.status].includes(status)) {
          throw conflict(`step ${at} of the execution ${id} is ${step.status}, and cannot become ${status}`);
        }
        const changed: ExecutionStep = { ...step, status, ...(details === undefined ? {} : { details }) };
        const steps = found.steps.map((one, index) => (index === at ? changed : one));
        const after: StoredExecution = { ...found, status: StoredStatus.running, steps };
        records = recordsOf(after, at, changed, caller, timestamp());
        return { execution: after, records };
      });
      await delivery.now(records);
      return execution;
    },

    async end(caller, { id, status, result }: EndExecutionRequest) {
      requireActor(caller);
      let records: ReturnType<typeof endedRecords> = [];
      const execution = await change(context, id, (found) => {
        if (isOver(found)) {
          if (found.status !== status)
            throw conflict(`the execution ${id} has ended as ${found.status}, not ${status}`);
          records = endedRecords(found, { actor: caller.actor, timestamp: found.completedAt! });
          return undefined;
        }
        const after: StoredExecution = {
          ...found,
          status,
          completedAt: timestamp(),
          ...(result === undefined ? {} : { result }),
        };
        records = endedRecords(after, { actor: caller.actor, timestamp: after.completedAt! });
        return { execution: after, records };
      });
      await delivery.now(records);
      return execution;
    },

    async get(id) {
      const found = isUuid(id) ? await store.execution(id) : undefined;
      if (found === undefined) throw noExecution(id);
      return found;
    },

    list: (filter, page = {}) =>
      readPage<StoredExecution, { startedAt: string; id: string }>(
        page,
        { list: 'executions', ...filter },
        (after, limit) => store.executions(filter, { ...(after === undefined ? {} : { after }), limit }),
        ({ startedAt, id }) => ({ startedAt, id }),
        ({ startedAt, id }) => parseTime(startedAt) !== undefined && typeof id === 'string' && isUuid(id),
      ),
  };
}

async function begin(
  context: ExecutionContext,
  caller: RuleCaller,
  request: BeginExecutionRequest,
): Promise<StoredExecution> {
  const { store, delivery, now } = context;
  requireActor(caller);
  requireReason(request.reason);
  if (!isUuid(request.id)) throw invalid('id', `expected a UUID, got ${JSON.stringify(request.id)}`);
  for (const { type } of request.policies) requireType(caller, type);
  let execution = await store.execution(request.id);
  if (execution === undefined) {
    await requireRevisions(context, request);
    const { steps, ...rest } = request;
    const wanted: StoredExecution = {
      ...rest,
      status: StoredStatus.pending,
      steps: steps.map((step) => ({ ...step, status: StepStatus.pending })),
      actor: caller.actor,
      startedAt: new Date(now()).toISOString(),
    };
    execution = await store.beginExecution(wanted, startedRecords(wanted));
  }
  if (execution.stateDigest !== request.stateDigest || !samePolicies(execution, request)) {
    throw conflict(`the id ${request.id} belongs to an execution of other policies, or of another state`);
  }
  await delivery.now(startedRecords(execution));
  return execution;
}

async function requireRevisions(
  { documents, store }: ExecutionContext,
  { policies }: BeginExecutionRequest,
): Promise<void> {
  const current = await documents?.current();
  for (const { name, policyId, revision } of policies) {
    if (current === undefined) {
      if ((await store.version(policyId, revision)) === undefined) throw versionNotFound(name, revision);
      continue;
    }
    const found = current.byName(name);
    if (found?.id === policyId && found.revision === revision) continue;
    const now = found === undefined ? 'there is none of that name' : `it is at revision ${found.revision}`;
    throw conflict(`the execution is for revision ${revision} of the policy ${name}, and ${now}`);
  }
}

function samePolicies({ policies }: StoredExecution, request: BeginExecutionRequest): boolean {
  const named = (pins: BeginExecutionRequest['policies'] | StoredExecution['policies']) =>
    pins.map(({ policyId, revision }) => `${policyId}@${revision}`).join(' ');
  return named(policies) === named(request.policies);
}

async function change(
  { store }: ExecutionContext,
  id: string,
  act: Parameters<ExecutionContext['store']['changeExecution']>[1],
): Promise<StoredExecution> {
  const changed = isUuid(id) ? await store.changeExecution(id, act) : undefined;
  if (changed === undefined) throw noExecution(id);
  return changed;
}

/** None while a step is under way: what it came to is what counts. */
function recordsOf(
  execution: StoredExecution,
  at: number,
  step: ExecutionStep,
  { actor }: RuleCaller,
  timestamp: string,
) {
  if (step.status === StepStatus.pending || step.status === StepStatus.running) return [];
  return actedRecords(execution, at, step, { actor, timestamp });
}

function isOver({ status }: StoredExecution): boolean {
  return status !== StoredStatus.pending && status !== StoredStatus.running;
}

function noExecution(id: string): GateError {
  return new GateError(FailureType.RuleNotFound, `No execution has the id ${id}`);
}

function conflict(message: string): GateError {
  return new GateError(FailureType.RevisionConflict, message);
}

function invalid(where: string, sentence: string): GateError {
  return faultsToError([{ type: FailureType.ConfigInvalid, message: `${where}: ${sentence}`, where }]);
}
