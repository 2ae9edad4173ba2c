import { randomUUID } from 'node:crypto';
import {
  ApplicationFailure,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { TypedSearchAttributes, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import type { DeploymentInput } from '../workflows/deployment';
import { abortUpdate, explainQuery, overrideUpdate, resumeUpdate, statusQuery } from '../workflows/messages';
import { DEPLOYMENT_ID } from '../workflows/search-attributes';
import { FailureType, faultsToError, GateError } from '../kernel/failures';
import { workflowIdOf } from '../kernel/names';
import { deploymentSizeFaults } from '../gate/deployments/deployment-size';
import type { DeploymentSpec } from '../gate/deployments/deployment-spec';
import {
  type DeploymentStatus,
  type Explanation,
  type GateState,
  type OperatorReply,
} from '../gate/deployments/deployment-state';
import { closedStatus, remainingStatus } from '../gate/deployments/closed-run';
import { explain } from '../gate/deployments/explain';
import { readTermination, terminationText } from '../platform/temporal/termination';
import { toLookDetails } from '../gate/deployments/looks';
import { decodePendingActivities } from '../platform/temporal/pending-activities';
import type { OperatorCallKind } from '../gate/deployments/operator-call';
import { readStartedInput } from '../platform/temporal/read-started-input';
import { isWedged, wedgedWorkflow, type WedgedWorkflow } from '../platform/temporal/wedged/find-wedged';
import { canonicalJson } from '../kernel/canonical-json';
import { sha256 } from '../kernel/digest';
import type { JsonValue } from '../kernel/json';
import { diffJson } from '../kernel/json-diff';
import type { OperatorCall } from '../kernel/operator-call';
import { isTaskFailing, updateTaken, UpdateTaken } from './update-taken';

export const DEPLOYMENT_WORKFLOW = 'deployment';
/** How workflows that tell nothing themselves ended; any other one failed. */
const END_STATES: Partial<Record<string, GateState>> = {
  CANCELLED: 'aborted',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed-out',
};
const UPDATES = { resume: resumeUpdate, abort: abortUpdate, override: overrideUpdate } as const;

/** What a client of deployments needs, and how long it may take. */
export interface DeploymentClientOptions {
  /** of the namespace; encrypts where the workers do */
  client: Client;
  /** where new deployments start: that of the workers */
  taskQueue: string;
  /** of the deployment workflow; @default Temporal's, 10 s */
  workflowTaskTimeoutMs?: number;
  /** how long a query or an operator's call may take */
  deadlineMs: number;
  /** errors name what differs and not the values, which may be masked; @default false */
  hidesValues?: boolean;
}

/**
 * `unanswered`: Temporal knows the deployment, but no worker reported its state; `wedged` says why, where its workflow task
 * fails again and again.
 */
export type FoundStatus =
  | { found: 'status'; status: DeploymentStatus; closed: boolean }
  | { found: 'unanswered'; closed: false; wedged?: WedgedWorkflow }
  | { found: 'unknown' };

/**
 * What became of an operator's call. `unconfirmed`: no answer came before the deadline, or Temporal takes no call while the
 * workflow task of the deployment fails (`isTaskFailing`); `taken` says what is known of it all the same.
 */
export type CallResult =
  | { result: 'answered'; reply: OperatorReply }
  | { result: 'refused'; message: string }
  | { result: 'unconfirmed'; taken: UpdateTaken; isTaskFailing: boolean };

/** Starts and steers deployments; what the `gate` command and programs use. */
export class DeploymentClient {
  constructor(private readonly options: DeploymentClientOptions) {}

  /**
   * Starts the deployment, or finds the one that was started with the same input.
   *
   * @throws GateError ConfigInvalid when it is too big, or when the id was used with other input; the faults show the
   *   difference
   */
  async start(spec: DeploymentSpec): Promise<{ started: boolean }> {
    refuseTooBig(spec);
    const digest = inputDigest(spec);
    const nonce = randomUUID();
    const input: DeploymentInput = { spec };
    try {
      await this.options.client.workflow.start(DEPLOYMENT_WORKFLOW, {
        workflowId: workflowIdOf(spec.id),
        taskQueue: this.options.taskQueue,
        args: [input],
        // The digest alone: the input is in the history once, and a memo is in every description and list.
        memo: { inputDigest: digest, startedBy: nonce },
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        typedSearchAttributes: new TypedSearchAttributes([{ key: DEPLOYMENT_ID, value: spec.id }]),
        staticSummary: `Deployment ${spec.id}: ${spec.stages.map((stage) => stage.name).join(' → ')}`,
        ...(this.options.workflowTaskTimeoutMs === undefined
          ? {}
          : { workflowTaskTimeout: this.options.workflowTaskTimeoutMs }),
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    const { memo } = await this.describe(spec.id);
    if (memo?.inputDigest !== digest) {
      const earlier = await this.startedSpec(spec.id);
      throw otherInput(spec, earlier, this.options.hidesValues ?? false);
    }
    return { started: memo.startedBy === nonce };
  }

  /**
   * The first of `<id>.2`, `<id>.3`, … that was never used; the ones before must have ended.
   *
   * @param ranBefore whether one that Temporal does not know ran beyond its retention; @default none did
   */
  async nextId(id: string, ranBefore: (candidate: string) => Promise<boolean> = async () => false): Promise<string> {
    for (let run = 1; ; run += 1) {
      const candidate = run === 1 ? id : `${id}.${run}`;
      const description = await this.describeIfKnown(candidate);
      if (!description) {
        if (await ranBefore(candidate)) continue;
        return candidate;
      }
      if (description.status.name === 'RUNNING') {
        const message = `Expected deployment ${candidate} to have ended before it is run again, but it is running`;
        throw new GateError(FailureType.ConfigInvalid, message);
      }
    }
  }

  async status(id: string): Promise<FoundStatus> {
    const description = await this.describeIfKnown(id);
    if (!description) return { found: 'unknown' };
    if (description.status.name !== 'RUNNING')
      return { found: 'status', status: await this.result(id, description), closed: true };
    // A query of a wedged workflow waits until the deadline, and then says only that it did.
    const wedged = await this.wedged(id, description);
    if (wedged) return { found: 'unanswered', closed: false, wedged };
    const status = await this.withDeadline(() => this.handle(id).query(statusQuery));
    if (!status) return { found: 'unanswered', closed: false };
    return { found: 'status', status: await this.withPendingLooks(status, description), closed: false };
  }

  /** undefined when no worker answered in time. */
  async explain(id: string): Promise<Explanation | undefined> {
    const [found, explanation] = await Promise.all([
      this.status(id),
      this.withDeadline(() => this.handle(id).query(explainQuery)),
    ]);
    if (found.found !== 'status' || explanation === undefined) return undefined;
    return explain(found.status, explanation.notes);
  }

  /** What a recheck found last is Temporal's to tell: the workflow hears of changes only. */
  private async withPendingLooks(
    status: DeploymentStatus,
    { raw }: WorkflowExecutionDescription,
  ): Promise<DeploymentStatus> {
    const { recheck } = status;
    if (recheck === undefined) return status;
    const pending = await decodePendingActivities(this.options.client, raw.pendingActivities ?? []);
    const activity = pending.find(({ activityId }) => activityId === recheck.activityId);
    if (activity === undefined) return status;
    const { heartbeatDetails, nextAttemptAtMs: nextAtMs, worker, paused } = activity;
    const pendingLooks = {
      ...(toLookDetails(heartbeatDetails) ?? { count: 0 }),
      ...(nextAtMs === undefined ? {} : { nextAtMs }),
      ...(worker === undefined ? {} : { worker }),
      ...(paused === undefined ? {} : { paused }),
    };
    return { ...status, pendingLooks };
  }

  /** @param updateId the same id is carried out once, however often it is sent */
  async call(
    id: string,
    kind: OperatorCallKind,
    call: OperatorCall,
    updateId: string = randomUUID(),
  ): Promise<CallResult> {
    const deadline = Date.now() + this.options.deadlineMs;
    try {
      const reply = await this.options.client.withDeadline(deadline, () =>
        this.handle(id).executeUpdate(UPDATES[kind], { args: [call], updateId }),
      );
      return { result: 'answered', reply };
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError)
        return { result: 'refused', message: error.cause?.message ?? error.message };
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
        const taken = await updateTaken(this.options.client, workflowIdOf(id), updateId);
        return { result: 'unconfirmed', taken, isTaskFailing: false };
      }
      if (error instanceof WorkflowNotFoundError)
        return { result: 'refused', message: await this.whyNotRunning(id, kind) };
      if (isTaskFailing(error)) return { result: 'unconfirmed', taken: UpdateTaken.no, isTaskFailing: true };
      throw error;
    }
  }

  private async whyNotRunning(id: string, kind: OperatorCallKind): Promise<string> {
    const found = await this.status(id);
    if (found.found !== 'status') return `Cannot ${kind}: deployment ${id} is unknown`;
    return `Cannot ${kind}: deployment ${id} is ${found.status.state} at stage ${found.status.stage}`;
  }

  /** Newest first. */
  async list(filter: { pausedOnly?: boolean; runningOnly?: boolean; limit: number }): Promise<ListedDeployment[]> {
    const conditions = [`WorkflowType = '${DEPLOYMENT_WORKFLOW}'`];
    if (filter.pausedOnly) conditions.push('PauseReason IS NOT NULL');
    if (filter.runningOnly || filter.pausedOnly) conditions.push("ExecutionStatus = 'Running'");
    const listed: ListedDeployment[] = [];
    for await (const execution of this.options.client.workflow.list({ query: conditions.join(' AND ') })) {
      if (listed.length >= filter.limit) break;
      const attribute = (name: string): string | undefined =>
        (execution.searchAttributes[name]?.[0] as string | undefined) ?? undefined;
      listed.push({
        deploymentId: attribute('DeploymentId') ?? execution.workflowId,
        execution: execution.status.name.toLowerCase(),
        stage: attribute('DeploymentStage'),
        outcome: attribute('DecisionOutcome'),
        pauseReason: attribute('PauseReason'),
        startedAt: execution.startTime.toISOString(),
      });
    }
    return listed;
  }

  private async result(id: string, description: WorkflowExecutionDescription): Promise<DeploymentStatus> {
    try {
      return (await this.handle(id).result()) as DeploymentStatus;
    } catch (error) {
      const cause = error instanceof WorkflowFailedError ? error.cause : error;
      const detail =
        cause instanceof ApplicationFailure ? (cause.details?.[0] as DeploymentStatus | undefined) : undefined;
      if (detail?.deploymentId !== undefined) return detail;
      const endReason = await this.endReason(description, cause);
      const state = END_STATES[description.status.name] ?? 'failed';
      // A worker still knows what the stages of a closed workflow did, from its history.
      const known = await this.withDeadline(() => this.handle(id).query(statusQuery)).catch(() => undefined);
      if (known) return closedStatus(known, state, endReason);
      const spec = await this.startedSpec(id);
      const stage = description.searchAttributes.DeploymentStage?.[0] as string | undefined;
      return { ...remainingStatus({ deploymentId: id, state, stage, ...(spec ? { spec } : {}) }), endReason };
    }
  }

  /** Why a workflow is closed; of one that was terminated, by whom too. */
  private async endReason(description: WorkflowExecutionDescription, cause: unknown): Promise<string> {
    if (description.status.name === 'TERMINATED')
      return terminationText(await readTermination(this.options.client, description));
    return cause instanceof Error ? cause.message : description.status.name.toLowerCase();
  }

  private async wedged(id: string, { raw }: WorkflowExecutionDescription): Promise<WedgedWorkflow | undefined> {
    if (!isWedged({ attempt: raw.pendingWorkflowTask?.attempt ?? 0 })) return undefined;
    const { client } = this.options;
    return await wedgedWorkflow(client, client.options.namespace, workflowIdOf(id));
  }

  private async startedSpec(id: string): Promise<DeploymentSpec | undefined> {
    const input = await readStartedInput(this.options.client, { workflowId: workflowIdOf(id) });
    return (input as DeploymentInput | undefined)?.spec;
  }

  private handle(id: string) {
    return this.options.client.workflow.getHandle(workflowIdOf(id));
  }

  private describe(id: string): Promise<WorkflowExecutionDescription> {
    return this.handle(id).describe();
  }

  private async describeIfKnown(id: string): Promise<WorkflowExecutionDescription | undefined> {
    try {
      return await this.describe(id);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  /** undefined when no worker answered before the deadline: without a worker a query waits in vain. */
  private async withDeadline<T>(ask: () => Promise<T>): Promise<T | undefined> {
    const { client, deadlineMs } = this.options;
    try {
      return await client.withDeadline(Date.now() + deadlineMs, ask);
    } catch (error) {
      if (isUnanswered(error)) return undefined;
      throw error;
    }
  }
}

/** One deployment as `gate list` shows it, from Temporal's search attributes; it may lag behind by seconds. */
export interface ListedDeployment {
  deploymentId: string;
  /** Temporal's own word: running, completed, failed, … */
  execution: string;
  /** the present stage */
  stage?: string;
  /** of the newest decision: allow, deny or error */
  outcome?: string;
  /** failure type; absent when it is not paused */
  pauseReason?: string;
  /** RFC 3339 */
  startedAt: string;
}

/** @throws GateError ConfigInvalid: Temporal would end a deployment that is too big, later and without a word */
function refuseTooBig(spec: DeploymentSpec): void {
  const faults = deploymentSizeFaults(spec).map(({ pointer: where, sentence }) => ({
    type: FailureType.ConfigInvalid,
    message: `Deployment ${spec.id}: ${sentence}`,
    where,
  }));
  if (faults.length > 0) throw faultsToError(faults);
}

export function inputDigest(spec: DeploymentSpec): string {
  return sha256(canonicalJson(spec));
}

function otherInput(spec: DeploymentSpec, earlier: DeploymentSpec | undefined, hidesValues: boolean): GateError {
  const message = `Deployment ${spec.id} was started before with other input; use another id, or --again to run it again`;
  const asJson = (document: DeploymentSpec) => document as unknown as JsonValue;
  const changes = earlier ? diffJson(asJson(earlier), asJson(spec), { lists: 'elements' }) : [];
  const faults = changes.map(({ path, a, b }) => {
    const before = a === undefined ? 'was not there when it was started' : `started with ${canonicalJson(a)}`;
    return {
      type: FailureType.ConfigInvalid,
      where: path,
      message: hidesValues
        ? `${path}: differs (values are not shown where they may be masked)`
        : `${path}: ${before}, now ${b === undefined ? 'absent' : canonicalJson(b)}`,
    };
  });
  return new GateError(FailureType.ConfigInvalid, message, [{ type: FailureType.ConfigInvalid, message }, ...faults]);
}

/** gRPC's DEADLINE_EXCEEDED and CANCELLED, and the server's word that no poller took the query. */
function isUnanswered(error: unknown): boolean {
  const DEADLINE_EXCEEDED = 4;
  const CANCELLED = 1;
  const FAILED_PRECONDITION = 9;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (code === DEADLINE_EXCEEDED || code === CANCELLED || code === FAILED_PRECONDITION) return true;
  }
  return false;
}
