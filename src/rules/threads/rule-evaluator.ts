import type { JsonObject } from '../../kernel/json';
import type { CheckedPolicy, DocumentText, EvaluateJob, EvaluateResult, SetDelta, SimulateJob } from './messages';

/** The stored documents of one moment, for threads that may know an earlier one. */
export interface DocumentSet {
  /** grows with each change */
  readonly key: number;
  /** what changed since; all of it for 0 */
  since(key: number): SetDelta;
}

/**
 * Evaluates stored rules away from the main thread. All methods throw GateError: what the thread found wrong (ConfigInvalid,
 * RuleNotFound, RuleInUse, FactStale, FactInvalid), and PolicyEvaluation for one that ran out of time or memory.
 */
export interface RuleEvaluator {
  /** What the changed document is in effect. */
  check(set: DocumentSet, changed: DocumentText): Promise<CheckedPolicy>;
  evaluate(set: DocumentSet, question: Omit<EvaluateJob, 'kind'>): Promise<{ result: EvaluateResult; tookMs: number }>;
  simulate(set: DocumentSet, question: Omit<SimulateJob, 'kind'>): Promise<JsonObject>;
  close(): Promise<void>;
}
