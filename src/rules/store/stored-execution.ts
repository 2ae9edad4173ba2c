import type { JsonObject } from '../../kernel/json';
import { ExecutionEnd, type StepStatus } from '../execution/execution';

/** An execution is pending until something is told of a step, then running until it ends; the store knows no more of it. */
export const StoredStatus = { pending: 'pending', running: 'running', ...ExecutionEnd } as const;
export type StoredStatus = (typeof StoredStatus)[keyof typeof StoredStatus];

/** The very revision of a policy that an execution acts for. */
export interface PolicyPin {
  policyId: string;
  name: string;
  type: string;
  revision: number;
}

/** One action of an execution, in its order. */
export interface ExecutionStep {
  action: string;
  /** names of the policies that ask for it */
  policies: readonly string[];
  settings: JsonObject;
  status: StepStatus;
  /** what the last report said: attempts, the answer, why it failed */
  details?: JsonObject;
}

/** What was or is done for policies. Times are RFC 3339 in UTC with milliseconds. */
export interface StoredExecution {
  id: string;
  /** at least one; the first is the one that was asked for, or comes first in the order of evaluation */
  policies: readonly PolicyPin[];
  operation?: string;
  /** SHA-256 of the state as canonical JSON */
  stateDigest: string;
  /** what the source calls that state */
  stateVersion?: string;
  /** revision of all policies together */
  setRevision: number;
  status: StoredStatus;
  steps: readonly ExecutionStep[];
  result?: JsonObject;
  actor: string;
  reason: string;
  workflowId?: string;
  startedAt: string;
  completedAt?: string;
}

/** Which executions are listed, newest first; what is absent matches all. */
export interface ExecutionFilter {
  policyId?: string;
  status?: StoredStatus;
  /** RFC 3339; inclusive from, exclusive to */
  since?: string;
  until?: string;
}
