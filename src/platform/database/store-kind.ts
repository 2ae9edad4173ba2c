import { FailureType } from '../../kernel/failures';

/** Whose tables a database holds: what is said of it, and where its schema's steps are counted. */
export interface StoreKind {
  /** in messages, after an article */
  called: string;
  /** the setting that names its place */
  setting: string;
  stepsTable: string;
  /** of the error when it cannot be opened */
  failure: FailureType;
}

export const AUDIT_STORE: StoreKind = {
  called: 'audit store',
  setting: 'audit.store',
  stepsTable: 'gate_store_migrations',
  failure: FailureType.AuditUnavailable,
};

export const RULE_STORE: StoreKind = {
  called: 'store of rule policies',
  setting: 'rules.store',
  stepsTable: 'gate_rules_migrations',
  failure: FailureType.StoreUnavailable,
};

export const PLAN_STORE: StoreKind = {
  called: 'store of plans',
  setting: 'plans.store',
  stepsTable: 'gate_plans_migrations',
  failure: FailureType.StoreUnavailable,
};
