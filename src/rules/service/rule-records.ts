import { AuditDomain, RecordKind, type DomainRecord } from '../../audit/audit-record';
import { boundedFaults } from '../../kernel/bounded-faults';
import { derivedId } from '../../kernel/derived-id';
import type { Fault } from '../../kernel/failures';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { jsonBytes } from '../../kernel/limits';
import type { ExecutionStep, PolicyPin, StoredExecution } from '../store/stored-execution';
import type { PolicyVersion, StoredPolicy } from '../store/stored-policy';
import type { PolicyEvent, RefusedCall, RuleEvaluationAnswer } from './rule-service';

/** A record's details stay below this, so that every store takes them; what is bigger is in the store of policies. */
const DETAILS_BYTES = 200 * 1024;
/** What a record is about that names no policy. */
const NO_SUBJECT = 'policies';

const BASE = { schemaVersion: 2, domain: AuditDomain.rules, reasons: [], errorDetails: [], usedFacts: [] } as const;

type Act = Pick<DomainRecord, 'actor' | 'timestamp'> & { reason?: string };

/** A change of a policy, with what it was before and is after. Its id follows from policy and revision. */
export function changeRecord(version: PolicyVersion, before: StoredPolicy | undefined): DomainRecord {
  const { policyId, revision, change, name, type, restores, actor, reason, createdAt } = version;
  const state = (found: Pick<StoredPolicy, 'revision' | 'document'>, isThere: boolean): JsonValue =>
    isThere ? { revision: found.revision, document: found.document } : null;
  return {
    ...base(),
    decisionID: derivedId('rules', policyId, revision),
    kind: RecordKind[change],
    subject: policyId,
    part: '',
    timestamp: createdAt,
    actor,
    reason,
    details: fitting({
      name,
      type,
      revision,
      ...(restores === undefined ? {} : { restores }),
      before: before === undefined ? null : state(before, before.deletedAt === undefined),
      after: state(version, change !== 'deleted'),
    }),
  };
}

/** A call that changed nothing because it was refused. */
export function refusedRecord(
  id: string,
  act: Act,
  { call, policy, fault }: RefusedCall,
  faults: readonly Fault[],
): DomainRecord {
  const named = policy === undefined ? undefined : 'id' in policy ? policy.id : policy.name;
  return {
    ...base(),
    ...act,
    decisionID: id,
    kind: RecordKind.refused,
    subject: named === undefined || named === '' ? NO_SUBJECT : named.slice(0, 512),
    part: '',
    errorDetails: boundedFaults(faults),
    details: { call, type: fault.type },
  };
}

/** Who keeps a policy, or all, from running by their triggers, or lets them run again. */
export function pauseRecord(
  id: string,
  kind: 'pause' | 'resume',
  act: Required<Act>,
  policy: Pick<StoredPolicy, 'id' | 'name' | 'revision'> | undefined,
): DomainRecord {
  return {
    ...base(),
    ...act,
    decisionID: id,
    kind: RecordKind[kind],
    subject: policy?.id ?? NO_SUBJECT,
    part: '',
    details: policy === undefined ? { all: true } : { name: policy.name, revision: policy.revision },
  };
}

/** An evaluation that was to be recorded, as one of its policies saw it. */
export function evaluatedRecord(
  id: string,
  act: Act,
  pin: PolicyPin,
  evaluation: RuleEvaluationAnswer,
  operation: string | undefined,
): DomainRecord {
  const own = (key: string): JsonValue[] => {
    const list = evaluation.answer[key];
    return (Array.isArray(list) ? (list as JsonObject[]) : []).filter(
      ({ policy, policies }) => policy === pin.name || (Array.isArray(policies) && policies.includes(pin.name)),
    );
  };
  return {
    ...base(),
    ...act,
    decisionID: id,
    kind: RecordKind.evaluated,
    subject: pin.policyId,
    part: '',
    evalDurationNS: Math.round(evaluation.evalDurationMs * 1e6),
    details: fitting({
      name: pin.name,
      revision: pin.revision,
      setRevision: evaluation.setRevision,
      stateDigest: evaluation.stateDigest,
      ...(evaluation.stateVersion === undefined ? {} : { stateVersion: evaluation.stateVersion }),
      ...(operation === undefined ? {} : { operation }),
      results: own('results'),
      actions: own('actions'),
    }),
  };
}

/** An evaluation that was to be recorded and gave no answer. */
export function failedEvaluationRecord(
  id: string,
  act: Act,
  about: string | undefined,
  faults: readonly Fault[],
): DomainRecord {
  return {
    ...base(),
    ...act,
    decisionID: id,
    kind: RecordKind.evaluated,
    subject: about === undefined || about === '' ? NO_SUBJECT : about.slice(0, 512),
    part: '',
    errorDetails: boundedFaults(faults),
    details: {},
  };
}

/** One record for each policy: an execution begins. Its part is the execution's id. */
export function startedRecords(execution: StoredExecution): DomainRecord[] {
  const { id, actor, reason, startedAt, operation, stateDigest, stateVersion, setRevision, workflowId, steps } =
    execution;
  return execution.policies.map((pin) => ({
    ...ofExecution(execution, pin, 'started'),
    kind: RecordKind.started,
    timestamp: startedAt,
    actor,
    reason,
    ...(workflowId === undefined ? {} : { workflowID: workflowId }),
    details: fitting({
      execution: id,
      name: pin.name,
      revision: pin.revision,
      setRevision,
      stateDigest,
      ...(stateVersion === undefined ? {} : { stateVersion }),
      ...(operation === undefined ? {} : { operation }),
      steps: steps
        .filter(({ policies }) => policies.includes(pin.name))
        .map(({ action, settings }) => ({ action, settings })),
    }),
  }));
}

/** One record for each policy that asked for the step: what became of it. */
export function actedRecords(execution: StoredExecution, at: number, step: ExecutionStep, act: Act): DomainRecord[] {
  return execution.policies
    .filter(({ name }) => step.policies.includes(name))
    .map((pin) => ({
      ...ofExecution(execution, pin, `step-${at}-${step.status}`),
      ...act,
      kind: RecordKind.acted,
      details: fitting({
        execution: execution.id,
        name: pin.name,
        step: at,
        action: step.action,
        result: step.status,
        ...(step.details === undefined ? {} : { report: step.details }),
      }),
    }));
}

/** One record for each policy: an execution is over. */
export function endedRecords(execution: StoredExecution, act: Act): DomainRecord[] {
  const { id, status, result } = execution;
  return execution.policies.map((pin) => ({
    ...ofExecution(execution, pin, 'ended'),
    ...act,
    kind: RecordKind.ended,
    details: fitting({
      execution: id,
      name: pin.name,
      end: status,
      ...(result === undefined ? {} : { result }),
    }),
  }));
}

/** A record as the API shows it. */
export function toPolicyEvent({
  subject,
  timestamp,
  kind,
  actor,
  reason,
  details = {},
  errorDetails,
}: DomainRecord): PolicyEvent {
  return {
    policyId: subject,
    timestamp,
    eventType: kind,
    details: { actor, ...(reason === undefined ? {} : { reason }), ...details },
    result: resultOf(kind, details, errorDetails),
  };
}

function resultOf(kind: DomainRecord['kind'], details: JsonObject, faults: readonly Fault[]): string {
  if (faults.length > 0) return faults.map(({ type, message }) => `${type}: ${message}`).join('; ');
  switch (kind) {
    case RecordKind.acted:
      return `${String(details.action)} ${String(details.result)}`;
    case RecordKind.ended:
      return String(details.end);
    case RecordKind.started:
      return 'running';
    case RecordKind.evaluated:
      return outcomesOf(details.results);
    case RecordKind.deleted:
      return 'deleted';
    case RecordKind.pause:
      return 'paused';
    case RecordKind.resume:
      return 'runs by its trigger';
    default:
      return `revision ${String(details.revision)}`;
  }
}

function outcomesOf(results: JsonValue | undefined): string {
  const outcomes = Array.isArray(results) ? (results as JsonObject[]).map(({ outcome }) => String(outcome)) : [];
  const counts = [...new Set(outcomes)]
    .sort()
    .map((outcome) => `${outcomes.filter((one) => one === outcome).length} ${outcome}`);
  return outcomes.length === 1 ? outcomes[0]! : counts.join(', ') || 'no result';
}

function ofExecution({ id, workflowId }: StoredExecution, pin: PolicyPin, what: string) {
  return {
    ...base(),
    decisionID: derivedId('rules-execution', id, pin.policyId, what),
    subject: pin.policyId,
    part: id,
    ...(workflowId === undefined ? {} : { workflowID: workflowId }),
  };
}

function base(): Pick<DomainRecord, keyof typeof BASE> {
  return { ...BASE, reasons: [], errorDetails: [], usedFacts: [] };
}

/** What makes details too big is replaced by its size, the biggest first. */
function fitting(details: JsonObject): JsonObject {
  const kept = { ...details };
  while (jsonBytes(kept) > DETAILS_BYTES) {
    const [biggest] = Object.entries(kept).sort(([, one], [, other]) => jsonBytes(other) - jsonBytes(one));
    const [key, value] = biggest!;
    kept[key] = { omitted: `${jsonBytes(value)} bytes` };
  }
  return kept;
}
