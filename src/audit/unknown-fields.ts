import type { AuditRecord, DomainRecord, GateRecord } from './audit-record';

/** Every field that this version knows, in the order of the interfaces. */
const KNOWN: { [field in keyof GateRecord | keyof DomainRecord]-?: true } = {
  schemaVersion: true,
  decisionID: true,
  kind: true,
  domain: true,
  subject: true,
  part: true,
  deploymentID: true,
  stage: true,
  timestamp: true,
  outcome: true,
  reasons: true,
  errorDetails: true,
  usedFacts: true,
  policySHA: true,
  configRev: true,
  manifestVersion: true,
  evalDurationNS: true,
  evaluation: true,
  workflowID: true,
  runID: true,
  actor: true,
  reason: true,
  refersTo: true,
  deployment: true,
  leaseExpiresAt: true,
  details: true,
  damaged: true,
  masked: true,
};

/** A record with the lists that every reader walks, also where a later version has left one out. */
export function completed<R extends AuditRecord>(record: R): R {
  return { ...{ reasons: [], errorDetails: [], usedFacts: [], actor: '' }, ...record };
}

/** Fields that a later version has added, as they were written; they are shown, never refused. */
export function unknownFields(record: AuditRecord): [name: string, value: unknown][] {
  return Object.entries(record).filter(([name, value]) => value !== undefined && !Object.hasOwn(KNOWN, name));
}
