import type { DomainRecord, RecordKind } from '../../audit/audit-record';
import type { Fault } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { ExecutionStatus } from './execution';

/** The actor of records that an execution writes by itself. */
export const RULES_ACTOR = 'rules';

export interface ExecutionAct {
  id: string;
  kind: RecordKind;
  atMs: number;
  /** @default the execution itself */
  actor?: string;
  reason: string;
  refersTo?: string;
  faults?: readonly Fault[];
  workflowId: string;
  runId: string;
  details?: JsonObject;
}

/** What the records of an execution are about: the first policy that acts, else what was asked for. */
export function subjectOf({ question, plan }: Pick<ExecutionStatus, 'question' | 'plan'>): string {
  return plan?.policies[0]?.policyId ?? question.policies?.[0] ?? question.operation ?? 'rules';
}

/** The record of a pause, an operator's call or an early end. */
export function executionRecord(status: ExecutionStatus, act: ExecutionAct): DomainRecord {
  const { id: execution } = status;
  return {
    schemaVersion: 2,
    domain: 'rules',
    subject: subjectOf(status),
    part: '',
    decisionID: act.id,
    kind: act.kind,
    timestamp: new Date(act.atMs).toISOString(),
    reasons: [],
    errorDetails: [...(act.faults ?? [])],
    usedFacts: [],
    workflowID: act.workflowId,
    runID: act.runId,
    actor: act.actor ?? RULES_ACTOR,
    reason: act.reason,
    ...(act.refersTo === undefined ? {} : { refersTo: act.refersTo }),
    details: { execution, ...act.details },
  };
}
