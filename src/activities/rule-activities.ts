import type { Alert } from '../alerts/alert';
import type { ExecutionPlan, ExecutionQuestion, Measures, PlannedStep, StepResult } from '../rules/execution/execution';
import type { ExecutionDefaults } from '../rules/execution/execution-defaults';
import type { ExecutionReport } from '../rules/execution/report';

// Types only: workflows import this file with `import type`.

export interface PlanRequest {
  question: ExecutionQuestion;
}

export interface CheckStateRequest {
  stateDigest: string;
  stateVersion?: string;
}

export interface RunStepRequest {
  step: PlannedStep;
  key: string;
  onVersion?: string;
}

export interface UndoStepRequest {
  step: PlannedStep;
  key: string;
  stepKey: string;
  stepOnVersion?: string;
  result?: StepResult;
}

/** What was executed, for what was asked. */
export interface ImpactRequest extends Pick<ExecutionPlan, 'policies' | 'impact' | 'observedAtMs'> {
  question: ExecutionQuestion;
}

/** What an execution of rule policies does outside its workflow. Each is safe to run twice. */
export interface RuleActivities {
  /** read once, when an execution begins; throws nothing */
  readExecutionDefaults(): Promise<ExecutionDefaults>;
  /** evaluates the policies in force on the state as it is now; throws FactStale, FactInvalid, FactSourceUnavailable, … */
  planExecution(request: PlanRequest): Promise<ExecutionPlan>;
  /** whether the state is still the one of the plan */
  checkState(request: CheckStateRequest): Promise<{ changed: boolean }>;
  /** one attempt at a step; throws RevisionConflict, where the state has another version, or ActionFailed */
  runStep(request: RunStepRequest): Promise<StepResult>;
  /** one attempt at taking a step back */
  undoStep(request: UndoStepRequest): Promise<StepResult>;
  /** durable when it returns */
  reportExecution(report: ExecutionReport): Promise<void>;
  /** measures of the state as it is now; null where there are none, or none since the plan */
  measureImpact(request: ImpactRequest): Promise<Measures | null>;
  /** a name of its own: on a queue shared with deployments, an earlier release's `sendAlert` would expect a deployment's id */
  sendExecutionAlert(alert: Alert): Promise<void>;
}
