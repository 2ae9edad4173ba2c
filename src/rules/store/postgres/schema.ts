import type { ColumnType, Generated } from 'kysely';

/** JSON goes in as its text and is only read by SQL; what this code reads back is text beside it. */
type JsonbColumn = ColumnType<unknown, string, string>;
type Time = ColumnType<Date, string, string>;

export interface PolicyRow {
  id: string;
  name: string;
  type: string;
  version: string;
  revision: number;
  /** a bigint, which pg gives as text */
  priority: ColumnType<string | number, number, number>;
  enabled: boolean;
  definition: JsonbColumn;
  /** the policy's document as it was given, character for character */
  document: string;
  /** the revision of the set that this one's last change made */
  set_revision: ColumnType<string | number, number, number>;
  created_at: Time;
  updated_at: Time;
  deleted_at: ColumnType<Date | null, string | null, string | null>;
}

export interface PolicyVersionRow {
  policy_id: string;
  revision: number;
  version: string;
  change: string;
  name: string;
  type: string;
  definition: JsonbColumn;
  document: string;
  restores: number | null;
  actor: string;
  reason: string;
  created_at: Time;
}

export interface PolicyExecutionRow {
  id: string;
  policy_id: string;
  policy_revision: number;
  operation: string | null;
  status: string;
  state_digest: string;
  state_version: string | null;
  actor: string;
  workflow_id: string | null;
  result: ColumnType<unknown, string | null, string | null>;
  started_at: Time;
  completed_at: ColumnType<Date | null, string | null, string | null>;
  /** the execution as JSON: what is read back */
  execution: string;
}

/** Which policies an execution acts for; the first is in the execution's own row too. */
export interface ExecutedPolicyRow {
  policy_id: string;
  execution_id: string;
  started_at: Time;
}

export interface WaitingRecordRow {
  seq: Generated<string>;
  decision_id: string;
  record: string;
}

export interface SchedulePauseRow {
  /** the id of a policy, or `all` */
  scope: string;
  actor: string;
  reason: string;
  paused_at: Time;
}

export interface RuleSchema {
  policies: PolicyRow;
  policy_versions: PolicyVersionRow;
  policy_executions: PolicyExecutionRow;
  policy_execution_policies: ExecutedPolicyRow;
  policy_records_waiting: WaitingRecordRow;
  policy_schedule_pauses: SchedulePauseRow;
  policy_set: { one: boolean; revision: ColumnType<string | number, number, number> };
}
