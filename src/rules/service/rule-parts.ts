import type { AuditLog } from '../../audit/audit-log';
import type { AuditReader } from '../../audit/audit-reader';
import type { PolicyStore } from '../store/policy-store';
import type { RuleEvaluator } from '../threads/rule-evaluator';
import type { RuleMetrics } from './rule-metrics';

/** How many policies there may be, and how big. */
export interface RuleQuotas {
  policies: number;
  /** of one document as JSON, in UTF-8 */
  documentBytes: number;
}

export interface RuleLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

/** What the use cases are made of. */
export interface RuleParts {
  store: PolicyStore;
  log: AuditLog;
  /** where records are read again; absent where the settings have no store of record */
  records?: AuditReader;
  evaluator: RuleEvaluator;
  quotas: RuleQuotas;
  /** an older state is an error */
  maxStateAgeMs: number;
  metrics: RuleMetrics;
  logger: RuleLogger;
  /** epoch milliseconds */
  now(): number;
  newId(): string;
}
