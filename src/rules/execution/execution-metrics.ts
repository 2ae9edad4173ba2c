import type { Measures } from './execution';

/** What executions report. Each hook is a plain function that throws nothing. */
export interface ExecutionMetrics {
  /** one attempt at a step */
  stepped(kind: string, outcome: 'done' | 'failed', seconds: number): void;
  /** one attempt at taking a step back */
  rolledBack(kind: string, outcome: 'done' | 'failed'): void;
  /** subjects for which the policy asks for something, as it was last evaluated for an execution */
  noncompliant(policy: string, subjects: number): void;
  /** measures after an execution, as predicted and as found, for each type of policy that acted */
  impact(policyTypes: readonly string[], predicted: Measures | undefined, found: Measures): void;
}
