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
import {
  abortUpdate,
  explainQuery,
  overrideUpdate,
  pauseUpdate,
  resumeUpdate,
  statusQuery,
  type GateQuestion,
} from '../workflows/messages';
import { DEPLOYMENT_ID } from '../workflows/search-attributes';
import { FailureType, faultsToError, GateError } from '../kernel/failures';
import { workflowIdOf } from '../kernel/names';
import { deploymentSizeFaults } from '../gate/deployments/deployment-size';
import type { DeploymentSpec } from '../gate/deployments/deployment-spec';
import { type DeploymentStatus, type Explanation, type OperatorReply } from '../gate/deployments/deployment-state';
import { closedStatus, remainingStatus } from '../gate/deployments/closed-run';
import { explain } from '../gate/deployments/explain';
import { shownState } from '../gate/deployments/shown-state';
import { describeIfKnown } from '../platform/temporal/connection/describe-if-known';
import { readTermination, terminationText } from '../platform/temporal/termination';
import { toLookDetails } from '../gate/deployments/looks';
import { decodePendingActivities } from '../platform/temporal/pending-activities';
import { ENDED_ADVICE, type OperatorCallKind } from '../gate/deployments/operator-call';
import { readStartedInput } from '../platform/temporal/read-started-input';
import { isWedged, wedgedWorkflow, type WedgedWorkflow } from '../platform/temporal/wedged/find-wedged';
import { canonicalJson } from '../kernel/canonical-json';
import { sha256 } from '../kernel/digest';
import type { JsonValue } from '../kernel/json';
import { diffJson } from '../kernel/json-diff';
import type { OperatorCall } from '../kernel/operator-call';
import { BoundedMap } from '../kernel/bounded-map';
import { isUnanswered } from './is-unanswered';
import { findWorkflow, otherOpenWorkflows } from './find-workflow';
import {
  listDeployments,
  listRunning,
  type ListedDeployment,
  type ListFilter,
  type RunningDeployment,
} from './list-deployments';
import { isTaskFailing, updateTaken, UpdateTaken } from './update-taken';

export const DEPLOYMENT_WORKFLOW = 'deployment';
const UPDATES = { resume: resumeUpdate, abort: abortUpdate, override: overrideUpdate, pause: pauseUpdate } as const;

const PLACE_HOLDS_MS = 5_000;
const MOST_PLACES = 1_000;

/** A deployment, and the workflow that operates it. */
interface Place {
  id: string;
  workflowId: string;
}

const isOwn = ({ id, workflowId }: Place): boolean => workflowId === workflowIdOf(id);

/** Whom a query is for: only a workflow of other people may have several gates, and only an execution of a plan several open stages. */
const argumentsFor = (place: Place, stage?: string): [question?: GateQuestion] => {
  if (stage !== undefined) return [{ deploymentId: place.id, stage }];
  return isOwn(place) ? [] : [place.id];
};

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
 * workflow task of the deployment fails (`isTaskFailing`); `taken` says what is known of it all the same. `hasEnded`: it was
 * refused because nothing runs any more.
 */
export type CallResult =
  | { result: 'answered'; reply: OperatorReply }
  | { result: 'refused'; message: string; hasEnded?: true }
  | { result: 'unconfirmed'; taken: UpdateTaken; isTaskFailing: boolean };

/** Starts and steers deployments; what the `gate` command and programs use. */
export class DeploymentClient {
  private readonly places = new BoundedMap<string, { place: Place; atMs: number }>(MOST_PLACES);

  constructor(private readonly options: DeploymentClientOptions) {}

  /**
   * Starts the deployment, or finds the one that was started with the same input.
   *
   * @throws GateError ConfigInvalid when it is too big, when the id was used with other input (the faults show the
   *   difference), or when an open workflow of other people awaits the gate under it
   */
  async start(spec: DeploymentSpec): Promise<{ started: boolean }> {
    refuseTooBig(spec);
    await this.refuseSecond(spec.id);
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
    const { memo, status } = await this.handle({ workflowId: workflowIdOf(spec.id) }).describe();
    if (memo?.inputDigest !== digest) {
      const earlier = await this.startedSpec(workflowIdOf(spec.id));
      const hidesValues = this.options.hidesValues ?? false;
      throw otherInput(spec, earlier, { hidesValues, isOpen: status.name === 'RUNNING' });
    }
    return { started: memo.startedBy === nonce };
  }

  /**
   * Two workflows under one id would share its records, and every operator's call would have to name one. What Temporal
   * lists may lag behind by seconds.
   */
  private async refuseSecond(id: string): Promise<void> {
    const [other] = await otherOpenWorkflows(this.options.client, id);
    if (other === undefined || (await describeIfKnown(this.options.client, workflowIdOf(id)))) return;
    const message =
      `Expected no other open workflow of deployment ${id}, but ${other} awaits the gate for it: ` +
      `${workflowIdOf(id)} would be a second one. Use another id, or wait until ${other} has ended`;
    throw new GateError(FailureType.ConfigInvalid, message);
  }

  /**
   * The first of `<id>.2`, `<id>.3`, … that was never used; the ones before must have ended.
   *
   * @param ranBefore whether one that Temporal does not know ran beyond its retention; @default none did
   */
  async nextId(id: string, ranBefore: (candidate: string) => Promise<boolean> = async () => false): Promise<string> {
    for (let run = 1; ; run += 1) {
      const candidate = run === 1 ? id : `${id}.${run}`;
      const description = await describeIfKnown(this.options.client, workflowIdOf(candidate));
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

  /**
   * @param workflowId of the workflow that awaits the gate; @default the one that `findWorkflow` finds
   * @param stage of several that are open, whose own status is asked for
   * @throws GateError ConfigInvalid when several open workflows have the deployment, and none is named
   */
  async status(id: string, workflowId?: string, stage?: string): Promise<FoundStatus> {
    const place = await this.place(id, workflowId);
    const description = await describeIfKnown(this.options.client, place.workflowId);
    if (!description) return { found: 'unknown' };
    if (description.status.name !== 'RUNNING')
      return { found: 'status', status: await this.result(place, description), closed: true };
    // A query of a wedged workflow waits until the deadline, and then says only that it did.
    const wedged = await this.wedged(description);
    if (wedged) return { found: 'unanswered', closed: false, wedged };
    const status = await this.withDeadline(() => this.handle(place).query(statusQuery, ...argumentsFor(place, stage)));
    if (!status) return { found: 'unanswered', closed: false };
    return { found: 'status', status: await this.withPendingLooks(status, description), closed: false };
  }

  /**
   * Undefined when no worker answered in time.
   *
   * @param workflowId as for `status`
   * @param stage as for `status`
   */
  async explain(id: string, workflowId?: string, stage?: string): Promise<Explanation | undefined> {
    const place = await this.place(id, workflowId);
    const [found, explanation] = await Promise.all([
      this.status(id, place.workflowId, stage),
      this.withDeadline(() => this.handle(place).query(explainQuery, ...argumentsFor(place, stage))),
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

  /**
   * @param updateId the same id is carried out once, however often it is sent
   * @param workflowId as for `status`
   */
  async call(
    id: string,
    kind: OperatorCallKind,
    call: OperatorCall,
    updateId: string = randomUUID(),
    workflowId?: string,
  ): Promise<CallResult> {
    const place = await this.place(id, workflowId);
    const deadline = Date.now() + this.options.deadlineMs;
    // A workflow of other people may have several gates; workers of an earlier release know no such key.
    const addressed = isOwn(place) ? call : { ...call, deploymentId: id };
    try {
      const reply = await this.options.client.withDeadline(deadline, () =>
        this.handle(place).executeUpdate(UPDATES[kind], { args: [addressed], updateId }),
      );
      return { result: 'answered', reply };
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError)
        return { result: 'refused', message: error.cause?.message ?? error.message };
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
        const taken = await updateTaken(this.options.client, place.workflowId, updateId);
        return { result: 'unconfirmed', taken, isTaskFailing: false };
      }
      if (error instanceof WorkflowNotFoundError)
        return { result: 'refused', message: await this.whyNotRunning(place, kind), hasEnded: true };
      if (isTaskFailing(error)) return { result: 'unconfirmed', taken: UpdateTaken.no, isTaskFailing: true };
      throw error;
    }
  }

  private async whyNotRunning({ id, workflowId }: Place, kind: OperatorCallKind): Promise<string> {
    const found = await this.status(id, workflowId);
    if (found.found !== 'status') return `Cannot ${kind}: deployment ${id} is unknown`;
    const advice = kind === 'pause' ? ENDED_ADVICE : '';
    return `Cannot ${kind}: deployment ${id} is ${found.status.state} at stage ${found.status.stage}${advice}`;
  }

  /** Open ones first, then the ones that closed last. */
  async list(filter: ListFilter): Promise<ListedDeployment[]> {
    return await listDeployments(this.options.client, filter);
  }

  /** Those that run now, as Temporal lists them: one that began a moment ago may be missing. */
  async running(): Promise<RunningDeployment[]> {
    return await listRunning(this.options.client);
  }

  private async result(place: Place, description: WorkflowExecutionDescription): Promise<DeploymentStatus> {
    const { id } = place;
    let cause: unknown;
    try {
      const result: unknown = await this.handle(place).result();
      if (isOwn(place)) return result as DeploymentStatus;
    } catch (error) {
      cause = error instanceof WorkflowFailedError ? error.cause : error;
      const detail =
        cause instanceof ApplicationFailure ? (cause.details?.[0] as DeploymentStatus | undefined) : undefined;
      if (detail?.deploymentId === id) return detail;
    }
    const endReason = await this.endReason(description, cause);
    const state = shownState({ execution: description.status.name });
    // A worker still knows what the stages of a closed workflow did, from its history.
    const ask = () => this.handle(place).query(statusQuery, ...argumentsFor(place));
    const known = await this.withDeadline(ask).catch(() => undefined);
    if (known) return closedStatus(known, state, endReason);
    const spec = isOwn(place) ? await this.startedSpec(place.workflowId) : undefined;
    const stage = description.searchAttributes.DeploymentStage?.[0] as string | undefined;
    return { ...remainingStatus({ deploymentId: id, state, stage, ...(spec ? { spec } : {}) }), endReason };
  }

  /** Why a workflow is closed; of one that was terminated, by whom too. */
  private async endReason(description: WorkflowExecutionDescription, cause: unknown): Promise<string> {
    if (description.status.name === 'TERMINATED')
      return terminationText(await readTermination(this.options.client, description));
    return cause instanceof Error ? cause.message : `the workflow is ${description.status.name.toLowerCase()}`;
  }

  private async wedged({ workflowId, raw }: WorkflowExecutionDescription): Promise<WedgedWorkflow | undefined> {
    if (!isWedged({ attempt: raw.pendingWorkflowTask?.attempt ?? 0 })) return undefined;
    const { client } = this.options;
    return await wedgedWorkflow(client, client.options.namespace, workflowId);
  }

  private async startedSpec(workflowId: string): Promise<DeploymentSpec | undefined> {
    const input = await readStartedInput(this.options.client, { workflowId });
    return (input as DeploymentInput | undefined)?.spec;
  }

  /** Looked for again after a while: another workflow may await the gate for the same deployment meanwhile. */
  private async place(id: string, workflowId?: string): Promise<Place> {
    if (workflowId !== undefined) return { id, workflowId };
    const earlier = this.places.get(id);
    if (earlier !== undefined && Date.now() - earlier.atMs < PLACE_HOLDS_MS) return earlier.place;
    const own = await describeIfKnown(this.options.client, workflowIdOf(id));
    const known = own === undefined ? 'unknown' : own.status.name === 'RUNNING' ? 'open' : 'closed';
    const place = { id, workflowId: await findWorkflow(this.options.client, id, known) };
    this.places.set(id, { place, atMs: Date.now() });
    return place;
  }

  private handle({ workflowId }: Pick<Place, 'workflowId'>) {
    return this.options.client.workflow.getHandle(workflowId);
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

function otherInput(
  spec: DeploymentSpec,
  earlier: DeploymentSpec | undefined,
  { hidesValues, isOpen }: { hidesValues: boolean; isOpen: boolean },
): GateError {
  // One that is running cannot be run again.
  const advice = isOpen ? 'it is running: use another id' : 'use another id, or --again to run it again';
  const message = `Deployment ${spec.id} was started before with other input; ${advice}`;
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
