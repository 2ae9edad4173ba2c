import type { Fault } from '../../kernel/failures';
import type { JsonChange } from '../../kernel/json-diff';
import type { JsonObject } from '../../kernel/json';
import type { ExecutionFilter, StoredExecution, PolicyPin } from '../store/stored-execution';
import type { ExecutionEnd, StepStatus } from '../execution/execution';
import type { SchedulePause } from '../schedules/schedule-pause';
import type { PolicyFilter, PolicyRef, PolicyVersion, StoredPolicy } from '../store/stored-policy';

/** Who calls. Which calls a role may make is the surface's to decide; the service knows only of types of policies. */
export interface RuleCaller {
  /** 1 to 1,000 characters */
  actor: string;
  /** types of policies that the caller may change and execute; absent: all */
  policyTypes?: readonly string[];
}

/** A page of a list, and what gives the next one. */
export interface Page<T> {
  items: T[];
  /** absent on the last page; good for the same filter only */
  nextPageToken?: string;
}

export interface PageRequest {
  /** 1 to 1,000; @default 50 */
  pageSize?: number;
  pageToken?: string;
}

export interface CreatePolicyRequest {
  /** a policy, a template, or `{ "fragments": … }` */
  document: JsonObject;
  /** only for fragments, which have no name of their own */
  name?: string;
  /** for the parameters that the policy declares: they are filled in now, and the stored document has none */
  arguments?: JsonObject;
  /** a UUID; the same request under the same id again gives the policy that the first one created */
  id?: string;
  /** why, for the audit log: 1 to 1,000 characters */
  reason: string;
}

export interface UpdatePolicyRequest {
  policy: PolicyRef;
  document: JsonObject;
  /** the revision that the caller has read */
  revision: number;
  reason: string;
}

export interface DeletePolicyRequest {
  policy: PolicyRef;
  revision: number;
  reason: string;
}

export interface RollbackPolicyRequest {
  /** by its id a deleted one too */
  policy: PolicyRef;
  /** the revision that becomes current, as a new one */
  to: number;
  /** the revision that the caller has read */
  revision: number;
  reason: string;
}

/** Which policies are put to which state. */
export interface EvaluatePolicyRequest {
  /** names; absent: all that apply to the operation */
  policies?: readonly string[];
  operation?: string;
  /** id of one subject, such as a shard; absent: every one of the state */
  subject?: string;
  /** with `observed_at` */
  state: JsonObject;
  /** only policies that hold are in the answer: then the time depends on how many these are; @default false */
  onlyMatched?: boolean;
  /** writes the evaluation into the audit log before it answers */
  record?: boolean;
  /** only for records */
  reason?: string;
}

export interface RuleEvaluationAnswer {
  /** `{ results, conflicts, actions }` as `gate rules evaluate -o json` prints it */
  answer: JsonObject;
  /** the revisions of the policies that have a result */
  policies: PolicyPin[];
  /** revision of all policies together */
  setRevision: number;
  /** SHA-256 of the state as canonical JSON */
  stateDigest: string;
  /** what the source calls the state */
  stateVersion?: string;
  /** RFC 3339; the time that the evaluation took as now */
  decidedAt: string;
  evalDurationMs: number;
}

export interface SimulatePoliciesRequest extends Omit<EvaluatePolicyRequest, 'record' | 'reason' | 'onlyMatched'> {
  /** policies put in the place of those stored, or beside them, for this simulation alone */
  documents?: readonly JsonObject[];
  /** what else the domain's simulation takes, such as the nodes to leave out */
  options?: JsonObject;
}

/** What happened to a policy, from the audit log. */
export interface PolicyEvent {
  policyId: string;
  /** RFC 3339 */
  timestamp: string;
  eventType: string;
  details: JsonObject;
  result: string;
}

export interface BeginExecutionRequest {
  /** a UUID that follows from what is executed: a repeated call gives the execution that is there */
  id: string;
  policies: readonly [PolicyPin, ...PolicyPin[]];
  operation?: string;
  stateDigest: string;
  stateVersion?: string;
  setRevision: number;
  steps: readonly { action: string; policies: readonly string[]; settings: JsonObject }[];
  workflowId?: string;
  reason: string;
}

/** A report on one step; repeated, it changes nothing. */
export interface AdvanceExecutionRequest {
  id: string;
  /** from 0 */
  step: number;
  status: StepStatus;
  details?: JsonObject;
}

export interface EndExecutionRequest {
  id: string;
  status: ExecutionEnd;
  result?: JsonObject;
}

/** Which policy runs by its trigger no more, or again; absent: all of them. */
export interface PauseRequest {
  policy?: PolicyRef;
  /** why, for the audit log: 1 to 1,000 characters */
  reason: string;
}

/** A call that was refused, before or by the service. */
export interface RefusedCall {
  /** the method, such as `UpdatePolicy` */
  call: string;
  /** what it was about, as far as it is known */
  policy?: PolicyRef;
  /** why */
  fault: Fault;
}

/**
 * The use cases of rule policies. A surface (gRPC, HTTP, a workflow's activities) parses, makes one call and shows its answer.
 *
 * Every change and every execution is in the audit log, domain `rules`, with who, why, before and after; a refused change too.
 * All methods throw GateError: ConfigInvalid with every fault (`faultField` gives its JSON path), RuleNotFound,
 * RuleNameTaken, RuleInUse, RevisionConflict for a revision that is not the current one, QuotaExceeded, AccessDenied,
 * FactInvalid and FactStale for a state without a time or too old, PolicyEvaluation, StoreUnavailable, AuditWriteFailed.
 */
export interface RuleService {
  create(caller: RuleCaller, request: CreatePolicyRequest): Promise<StoredPolicy>;
  /** A document that is equal to the current one makes no revision. */
  update(caller: RuleCaller, request: UpdatePolicyRequest): Promise<StoredPolicy>;
  delete(caller: RuleCaller, request: DeletePolicyRequest): Promise<StoredPolicy>;
  rollback(caller: RuleCaller, request: RollbackPolicyRequest): Promise<StoredPolicy>;
  get(policy: PolicyRef): Promise<StoredPolicy>;
  list(filter: PolicyFilter, page?: PageRequest): Promise<Page<StoredPolicy>>;
  /** newest first; of a deleted policy too, by its id */
  versions(policy: PolicyRef, page?: PageRequest): Promise<Page<PolicyVersion>>;
  /** one revision as it was */
  version(policy: PolicyRef, revision: number): Promise<PolicyVersion>;
  diff(policy: PolicyRef, from: number, to: number): Promise<JsonChange[]>;
  evaluate(caller: RuleCaller, request: EvaluatePolicyRequest): Promise<RuleEvaluationAnswer>;
  simulate(request: SimulatePoliciesRequest): Promise<JsonObject>;
  /** newest first */
  events(policy: PolicyRef, page?: PageRequest): Promise<Page<PolicyEvent>>;
  executions: RuleExecutions;
  pauses: RulePauses;
  /** Puts a call that a surface refused into the audit log. */
  refused(caller: RuleCaller, call: RefusedCall): Promise<void>;
  /** Brings records that wait in the store of policies to the audit log; a program does so now and again. */
  deliverRecords(): Promise<void>;
  /** Ends threads and timers; the store and the audit log stay open. */
  close(): Promise<void>;
}

/** What is executed, reported as it goes. Its caller decides what is done, and when. */
export interface RuleExecutions {
  /** Its record is durable when this resolves: nothing may act before. */
  begin(caller: RuleCaller, request: BeginExecutionRequest): Promise<StoredExecution>;
  advance(caller: RuleCaller, request: AdvanceExecutionRequest): Promise<StoredExecution>;
  /** The record of the end is durable when this resolves. */
  end(caller: RuleCaller, request: EndExecutionRequest): Promise<StoredExecution>;
  get(id: string): Promise<StoredExecution>;
  list(filter: ExecutionFilter, page?: PageRequest): Promise<Page<StoredExecution>>;
}

/**
 * What keeps policies from running by their triggers. A pause of all also holds for policies that are yet to come, and for those
 * with a pause of their own. What runs already is not stopped, and whoever starts an execution by hand is not kept from it.
 */
export interface RulePauses {
  list(): Promise<SchedulePause[]>;
  /** False where it was paused already: the first one's actor and reason stay. */
  pause(caller: RuleCaller, request: PauseRequest): Promise<{ changed: boolean }>;
  /** Without a policy the pause of all ends; those of single policies stay. */
  unpause(caller: RuleCaller, request: PauseRequest): Promise<{ changed: boolean }>;
}
