import type { ColumnType, Generated } from 'kysely';

/**
 * The audit log's table. SQL folds unquoted names to lower case, so auditors write
 * `select * from DeploymentGateAuditLog` and find it.
 */
export const AUDIT_TABLE = 'deploymentgateauditlog';

/** JSON goes in as its text (both drivers take that alike) and is only read by SQL, never by this code. */
type JsonbColumn = ColumnType<unknown, string, never>;

export interface AuditRow {
  /** order of arrival: breaks ties between records of one moment */
  seq: Generated<string>;
  decision_id: string;
  kind: string;
  domain: Generated<string>;
  /** of the gate alone, as is `stage` */
  deployment_id: string | null;
  stage: string | null;
  /** of the other domains alone, as is `part` */
  subject: string | null;
  part: string | null;
  occurred_at: ColumnType<Date, string, never>;
  outcome: string | null;
  actor: string;
  policy_sha: string | null;
  config_rev: string | null;
  manifest_version: string | null;
  /** the codes of the reasons, for the filter */
  reason_codes: JsonbColumn;
  facts: JsonbColumn;
  faults: JsonbColumn;
  /** the record as it was given, character for character: what is read back */
  record: string;
}

/** Facts of decisions that are still to be recorded. */
export const PARTS_TABLE = 'deploymentgateparts';

export interface PartRow {
  /** of `content`, in hex */
  sha256: string;
  content: Uint8Array;
  put_at: Generated<Date>;
}

export interface StoreSchema {
  [AUDIT_TABLE]: AuditRow;
  [PARTS_TABLE]: PartRow;
}
