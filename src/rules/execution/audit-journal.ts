import type { AuditRecord, DomainRecord, RecordKind } from '../../audit/audit-record';
import { derivedId } from '../../kernel/derived-id';
import type { JsonObject } from '../../kernel/json';
import { RULES_ACTOR, subjectOf } from './execution-record';
import type { ExecutionQuestion } from './execution';
import type { BeginReport, ExecutionJournal, ExecutionReport } from './report';

/**
 * Executions in the audit log alone, where there is no store of policies: `started` with all that it rests on, `acted` for each
 * step that ended, and `ended`.
 *
 * @param record durable when it resolves; an id that is there already is adopted
 */
export function createAuditJournal(
  record: (record: AuditRecord) => Promise<unknown>,
  nowMs: () => number,
): ExecutionJournal {
  return {
    write: async (report) => {
      const toWrite = toRecord(report, nowMs());
      if (toWrite !== undefined) await record(toWrite);
    },
  };
}

function toRecord(report: ExecutionReport, nowMs: number): DomainRecord | undefined {
  switch (report.report) {
    case 'record':
      return report.record;
    case 'begin':
      return toDomainRecord({
        kind: 'started',
        execution: report.id,
        decisionID: derivedId(report.id, 'started'),
        subject: subjectOf(report),
        atMs: nowMs,
        actor: report.actor,
        reason: report.reason,
        workflowId: report.workflowId,
        details: planDetails(report),
      });
    case 'step': {
      const { id, subject, index, status, details = {} } = report;
      if (status === 'running' || status === 'pending') return undefined;
      return toDomainRecord({
        kind: 'acted',
        execution: id,
        decisionID: derivedId(id, 'step', index, status),
        subject,
        atMs: nowMs,
        reason: `step ${index} is ${status}`,
        details: { step: index, status, ...details },
      });
    }
    case 'end': {
      const { id, subject, state, details = {} } = report;
      return toDomainRecord({
        kind: 'ended',
        execution: id,
        decisionID: derivedId(id, 'ended'),
        subject,
        atMs: nowMs,
        reason: `the execution is ${state}`,
        details: { end: state, ...details },
      });
    }
  }
}

/** What an execution rests on: policies with their revisions, the state's digest and version, and the steps. */
function planDetails({ plan, question }: BeginReport): JsonObject {
  const { policies, setRevision, stateDigest, stateVersion, steps, refusals, impact } = plan;
  return {
    question: questionDocument(question),
    policies: policies.map((policy) => ({ ...policy })),
    setRevision,
    stateDigest,
    ...(stateVersion === undefined ? {} : { stateVersion }),
    observedAt: new Date(plan.observedAtMs).toISOString(),
    decidedAt: new Date(plan.decidedAtMs).toISOString(),
    steps: steps.map(({ kind, settings, sentence }) => ({ kind, settings, sentence })),
    refusals: [...refusals],
    ...(impact === undefined ? {} : { impact: { before: { ...impact.before }, predicted: { ...impact.predicted } } }),
  };
}

function questionDocument({ policies, ...question }: ExecutionQuestion): JsonObject {
  return { ...question, ...(policies === undefined ? {} : { policies: [...policies] }) };
}

interface ToRecord {
  kind: RecordKind;
  execution: string;
  decisionID: string;
  subject: string;
  atMs: number;
  actor?: string;
  reason: string;
  workflowId?: string;
  details: JsonObject;
}

function toDomainRecord(of: ToRecord): DomainRecord {
  return {
    schemaVersion: 2,
    domain: 'rules',
    subject: of.subject,
    part: '',
    decisionID: of.decisionID,
    kind: of.kind,
    timestamp: new Date(of.atMs).toISOString(),
    reasons: [],
    errorDetails: [],
    usedFacts: [],
    ...(of.workflowId === undefined ? {} : { workflowID: of.workflowId }),
    actor: of.actor ?? RULES_ACTOR,
    reason: of.reason,
    details: { execution: of.execution, ...of.details },
  };
}
