import { AuditDomain, type AuditQuery, type AuditRecord, type GateRecord } from './audit-record';

/** Where a record belongs, in the words that all domains share. */
export interface AuditPlace {
  /** as the record says; one that this version does not know is kept as it is */
  domain: string;
  subject: string;
  part: string;
}

export function isGateRecord(record: AuditRecord): record is GateRecord {
  return (record.domain ?? AuditDomain.gate) === AuditDomain.gate;
}

/** Domain, subject and part of any record; the gate's are deployment and stage. */
export function placeOf(record: AuditRecord): AuditPlace {
  return isGateRecord(record)
    ? { domain: AuditDomain.gate, subject: record.deploymentID, part: record.stage }
    : { domain: record.domain, subject: record.subject, part: record.part };
}

/**
 * The place that a query asks for. The names of the gate's own fields mean its domain, and so does a subject or a part
 * without a domain; where both names are given, `subject` and `part` count.
 */
export function scopeOf({ domain, subject, part, deploymentID, stage }: AuditQuery): Partial<AuditPlace> {
  const scope = { subject: subject ?? deploymentID, part: part ?? stage };
  const isPlaced = scope.subject !== undefined || scope.part !== undefined;
  const where = domain ?? (isPlaced ? AuditDomain.gate : undefined);
  return {
    ...(where === undefined ? {} : { domain: where }),
    ...(scope.subject === undefined ? {} : { subject: scope.subject }),
    ...(scope.part === undefined ? {} : { part: scope.part }),
  };
}

/** The subject in one word, for people: a deployment's id as it is, others with their domain, e.g. `rules:balance`. */
export function subjectName(record: AuditRecord): string {
  const { domain, subject } = placeOf(record);
  return domain === AuditDomain.gate ? subject : `${domain}:${subject}`;
}
