import type { DomainRecord } from '../../audit/audit-record';
import type { JsonObject } from '../../kernel/json';
import type { ExecutionPlan, ExecutionQuestion, ExecutionState, StepStatus } from './execution';

/** An execution begins: what it rests on is durable before its first step. */
export interface BeginReport {
  report: 'begin';
  /** a UUID, of the execution or of a later evaluation of it */
  id: string;
  plan: ExecutionPlan;
  question: ExecutionQuestion;
  actor: string;
  reason: string;
  workflowId: string;
}

export interface StepReport {
  report: 'step';
  id: string;
  /** id of the first policy that acts */
  subject: string;
  /** from 0 */
  index: number;
  status: StepStatus;
  details?: JsonObject;
}

export interface EndReport {
  report: 'end';
  id: string;
  /** id of the first policy that acts */
  subject: string;
  state: ExecutionState;
  details?: JsonObject;
}

/** A record that is stored as it is: of a pause, or of an operator's call. */
export interface RecordReport {
  report: 'record';
  record: DomainRecord;
}

/** What an execution tells of itself. Each may come twice, and changes nothing then. */
export type ExecutionReport = BeginReport | StepReport | EndReport | RecordReport;

/** Where executions are kept. What is reported is durable when the method resolves. */
export interface ExecutionJournal {
  /** @throws GateError AuditWriteFailed or StoreUnavailable: nothing may act then */
  write(report: ExecutionReport): Promise<void>;
}
