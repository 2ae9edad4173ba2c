import type { Fault, FailureType } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { ExecutionPlan } from '../execution/execution';
import type { ExecutionOutcome } from '../execution/make-plan';
import type { PlanQuestion } from '../execution/planner';
import type { PolicyPin } from '../store/stored-execution';

/** A stored document; without a text it is gone. */
export interface DocumentText {
  id: string;
  name: string;
  revision: number;
  text?: string;
}

/** What changed of the set since the thread last heard of it; `key` is its revision. */
export interface SetDelta {
  key: number;
  documents: DocumentText[];
}

/** Is the set still sound with this change? */
export interface CheckJob {
  kind: 'check';
  changed: DocumentText;
}

export interface EvaluateJob {
  kind: 'evaluate';
  state: JsonObject;
  nowMs: number;
  maxStateAgeMs: number;
  operation?: string;
  policies?: readonly string[];
  subject?: string;
  onlyMatched: boolean;
}

export interface SimulateJob {
  kind: 'simulate';
  state: JsonObject;
  nowMs: number;
  operation?: string;
  policies?: readonly string[];
  subject?: string;
  documents: readonly JsonObject[];
  options: JsonObject;
}

/** What do policies that come with the question come to, for an execution? */
export interface PlanJob extends PlanQuestion {
  kind: 'plan';
  maxAgeMs: number;
}

/** What has an execution come to? */
export interface OutcomeJob extends PlanQuestion {
  kind: 'outcome';
  plannedOnMs: number;
}

export type RuleJob = CheckJob | EvaluateJob | SimulateJob | PlanJob | OutcomeJob;

/** What a policy is in effect, with what it extends. */
export interface CheckedPolicy {
  type: string;
  version: string;
  priority: number;
  enabled: boolean;
}

/** How often something came to each outcome. */
export interface OutcomeCounts {
  true: number;
  false: number;
  unknown: number;
}

export interface EvaluateResult {
  answer: JsonObject;
  /** the policies that have a result, in its order */
  policies: PolicyPin[];
  /** the set that was evaluated; it may be newer than the one that was given */
  key: number;
  stateDigest: string;
  stateVersion?: string;
  /** by type of policy: results, and single conditions */
  results: Record<string, OutcomeCounts>;
  conditions: Record<string, OutcomeCounts>;
}

export type RuleResult = CheckedPolicy | EvaluateResult | JsonObject | ExecutionPlan | ExecutionOutcome | undefined;

export interface ToThread {
  callId: number;
  delta?: SetDelta;
  job: RuleJob;
}

export interface FromThread {
  callId: number;
  tookNs: number;
  result?: RuleResult;
  failure?: { type: FailureType; message: string; faults: readonly Fault[] };
}

export interface ThreadData {
  clock: SharedArrayBuffer;
}
