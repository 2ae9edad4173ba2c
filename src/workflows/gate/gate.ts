import { ApplicationFailure, CancellationScope, setHandler, workflowInfo } from '@temporalio/workflow';
import type { GateDefaults } from '../../activities/gate-activities';
import type { Alert } from '../../alerts/alert';
import { GATE_ACTOR } from '../../gate/deployments/act-record';
import { boundedStatus } from '../../gate/deployments/bounded-status';
import { currentDetails } from '../../gate/deployments/current-details';
import {
  isFinal,
  type CarriedGate,
  type DeploymentStatus,
  type OperatorReply,
} from '../../gate/deployments/deployment-state';
import type { StageSpec } from '../../gate/deployments/deployment-spec';
import { attributesSize } from '../../gate/deployments/deployment-size';
import { explain, tooLate } from '../../gate/deployments/explain';
import {
  advance,
  carriedProgress,
  initialProgress,
  toStatus,
  type GateEvent,
  type GateProgress,
} from '../../gate/deployments/gate-progress';
import { PATCHES, type Patch } from '../../gate/deployments/patches';
import { compileBehaviour, type CompiledBehaviour } from '../../gate/deployments/stage-behaviour';
import { misfit, type OperatorCallKind } from '../../gate/deployments/operator-call';
import { replyTo } from '../../gate/deployments/operator-reply';
import { FailureType } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import { LIMITS } from '../../kernel/limits';
import { PAUSED_BY_OPERATOR } from '../../kernel/pause';
import {
  abortSignal,
  abortUpdate,
  explainQuery,
  overrideSignal,
  overrideUpdate,
  pauseSignal,
  pauseUpdate,
  resumeSignal,
  resumeUpdate,
  statusQuery,
} from '../messages';
import { messageTypeInfo } from '../../platform/temporal/payloads/messages';
import { readArguments } from '../parts/unknown-messages';
import { DECISION_OUTCOME, DEPLOYMENT_ID, DEPLOYMENT_STAGE, PAUSE_REASON, POLICY_REVISION } from '../search-attributes';
import { holdsAcceptedCalls } from '../parts/accepted-calls';
import { createAddressBook } from '../parts/address-book';
import type { CallQueue, QueuedCall } from '../parts/call-queue';
import { OperatedWorkflow, type CarriedOperation } from '../parts/operated-workflow';
import type { NoteRest } from '../parts/rest';
import type { Outbox } from '../parts/outbox';
import { passes, passPatches } from '../parts/patches';
import type { ShownAttribute, WorkflowView, WrittenAttributes } from '../parts/view';
import { readDefaults } from './activity-proxies';
import type { Branches, GateTrunk } from './branches';
import { GateHolds } from './gate-holds';
import { GateIncidents } from './gate-incidents';
import { leaveAlerts } from './leave-alerts';
import { StageGate } from './stage-gate';

/** Runs that pass it refuse attributes that are too big. */
const SIZES_PATCH: Patch = 'sizes';

type FinalState = 'done' | 'denied' | 'aborted' | 'failed';

/** A stage as the gate sees it: its action is the caller's business. */
export type GatedStage = Omit<StageSpec, 'action'>;

export interface GateOptions {
  deploymentId: string;
  attributes?: JsonObject;
  /** all stages in order, when they are known; `begin` adds what is missing */
  stages?: readonly string[];
  /** false in namespaces without the gate's search attributes; @default true */
  searchAttributes?: boolean;
  carried?: CarriedGate;
  /** continues as new with the given state; without it the history is left to grow */
  continueAsNew?: (carried: CarriedGate) => Promise<void>;
  /** no other messages than the gate's reach this workflow: signals of other names are noted; @default false */
  ownsMessages?: boolean;
  /** continue as new beyond this many events, earlier than the server suggests */
  historyLimit?: number;
  /** its workers have the workflow `deliverAlerts`: no receiver of alerts holds up its end; @default false */
  leavesAlerts?: boolean;
  /** several stages are open at once, each at a gate of its own: this one answers for all of them */
  branches?: Branches;
  /** this is such a gate of one stage */
  trunk?: GateTrunk;
  /** the place of its first stage among those of the deployment; @default 0 */
  firstPlace?: number;
  /** of a stage that is run again, from 2; @default the first */
  attempt?: number;
}

export type GateInbox = CallQueue<OperatorCallKind, OperatorReply>;
export type GateCall = QueuedCall<OperatorCallKind, OperatorReply>;

/** What a gate has of the workflow that it is in. */
export interface GateOperation {
  readonly inbox: GateInbox;
  readonly outbox: Outbox<Alert>;
  readonly view: Pick<WorkflowView, 'publish' | 'showAttributes'> & Partial<Pick<WorkflowView, 'share'>>;
  settle: OperatedWorkflow<OperatorCallKind, OperatorReply, Alert>['settle'];
  continueAsNewIfLong: OperatedWorkflow<OperatorCallKind, OperatorReply, Alert>['continueAsNewIfLong'];
}

/** Runs that pass it show overrides in the search attributes. */
const OVERRIDES_PATCH: Patch = 'shown-overrides';
/** Runs that pass it show in the search attributes whose gate a workflow of your own has. */
const OWNERS_PATCH: Patch = 'shown-owners';

// A workflow runs in a module scope of its own, so these are of one execution.
const gates = createAddressBook();
const ownersWritten: WrittenAttributes = new Map();

/**
 * The gate of one deployment, over all of its stages: what is known of it, what operators call, and what is shown. Its
 * state changes only by events from the caller's own line of control; handlers do no more than queue.
 */
export class Gate {
  private known: GateProgress;
  private readonly operated: GateOperation;
  private present?: StageGate;
  private defaults?: GateDefaults;
  private gated?: GatedStage;
  private inForce?: { defaults: GateDefaults; times: CompiledBehaviour };
  readonly incidents: GateIncidents;
  readonly holds = new GateHolds(this);
  private waits = 0;
  /** signals that were not accepted */
  private notes: () => readonly string[] = () => [];
  private showsOwner = false;

  constructor(readonly options: GateOptions) {
    const { carried, branches, trunk } = options;
    this.known = initialProgress(options.deploymentId, options.stages ?? [], carried);
    branches?.growOn(this);
    this.operated = trunk?.operate(this) ?? this.operate(carried);
    this.incidents = new GateIncidents(
      {
        status: () => this.status(),
        progress: () => this.known,
        put: (incident) => this.apply({ type: 'incident-changed', incident }),
        inForce: () => this.inForce,
        isBranch: trunk !== undefined,
        send: (deliver, alert) => this.alerts.send(deliver, alert),
      },
      carried?.incident === undefined ? carried?.pause?.id : undefined,
    );
    if (trunk === undefined) this.answerQueries();
  }

  private operate(carried: CarriedGate | undefined): GateOperation {
    const { deploymentId, branches, ownsMessages } = this.options;
    const operated = new OperatedWorkflow<OperatorCallKind, OperatorReply, Alert>(
      {
        inbox: {
          subject: deploymentId,
          calls: {
            resume: { update: resumeUpdate, signal: resumeSignal, needsFor: true },
            abort: { update: abortUpdate, signal: abortSignal, needsFor: false },
            override: { update: overrideUpdate, signal: overrideSignal, needsFor: true },
            pause: { update: pauseUpdate, signal: pauseSignal, needsFor: false, takesDuration: true },
          },
          urgent: 'abort',
          misfit: (kind, call) =>
            branches === undefined ? misfit(kind, call, this.status()) : branches.misfit(kind, call),
          atOnce: (queued) => this.holds.atOnce(queued) ?? branches?.atOnce(queued),
          reply: (kind, accepted, message) => replyTo(kind, accepted, message, this.status()),
        },
        details: (notes) => currentDetails(this.status(), notes),
        attributes: () => (this.options.searchAttributes === false ? [] : this.searchAttributes()),
      },
      carried,
    );
    this.notes = () => operated.inbox.notes;
    if (ownsMessages) operated.inbox.noteUnknownSignals();
    return operated;
  }

  private answerQueries(): void {
    const { deploymentId } = this.options;
    const typeInfo = messageTypeInfo();
    // Of several open stages a query may name one.
    if (this.options.branches !== undefined) [statusQuery, explainQuery].forEach(({ name }) => readArguments(name));
    const addressed = gates.add<Gate>(deploymentId, this);
    const asked = (question: unknown): Gate => {
      const { to, why } = addressed(question);
      if (to === undefined) throw ApplicationFailure.nonRetryable(why);
      return to.options.branches?.asked(question) ?? to;
    };
    setHandler({ ...statusQuery, ...typeInfo }, (question) => asked(question).shownStatus());
    setHandler({ ...explainQuery, ...typeInfo }, (question) => {
      const gate = asked(question);
      return explain(gate.status(), gate.notes());
    });
  }

  get inbox(): GateInbox {
    return this.operated.inbox;
  }

  get alerts(): Outbox<Alert> {
    return this.operated.outbox;
  }

  get progress(): GateProgress {
    return this.known;
  }

  /** The stage that began last; absent until the first one knows the defaults in force, and nothing was decided before. */
  get stage(): StageGate | undefined {
    return this.present;
  }

  /** The place of the present stage among those of the deployment. */
  get stagePlace(): number {
    return Math.max(0, this.known.stageIndex) + (this.options.firstPlace ?? 0);
  }

  status(): DeploymentStatus {
    const own = toStatus(this.known);
    const status = this.options.branches?.status(own) ?? own;
    // No search attribute leads to this workflow: whoever calls must name it.
    return this.options.searchAttributes === false ? { ...status, workflowId: workflowInfo().workflowId } : status;
  }

  /** The status as it leaves the workflow, small enough for Temporal. */
  shownStatus(): DeploymentStatus {
    return boundedStatus(this.status());
  }

  apply(event: GateEvent): void {
    const before = this.known;
    this.known = advance(before, event);
    this.operated.view.publish();
    this.options.branches?.follow(event);
    if (event.type !== 'incident-changed') this.incidents.follow(before, this.known);
  }

  /** Whoever starts a workflow without `DeploymentClient`, or calls `awaitGate`, is told here. */
  private refuseTooBig({ name, attributes }: GatedStage): void {
    const most = LIMITS.attributesBytes;
    const bytes = attributesSize([this.options.attributes, attributes]);
    if (bytes <= most || !passes(SIZES_PATCH)) return;
    const message = `Expected the attributes of the deployment and of its stage ${name} to have at most ${most} bytes as JSON, got ${bytes}`;
    throw ApplicationFailure.nonRetryable(message, FailureType.ConfigInvalid);
  }

  showAttributes(): void {
    this.operated.view.showAttributes();
  }

  /** A workflow of your own is found by the deployment of its newest stage; the deployment's workflow began with it. */
  private showOwner(): void {
    if (this.options.ownsMessages || this.options.searchAttributes === false || !passes(OWNERS_PATCH)) return;
    this.showsOwner = true;
    // Several gates write to one workflow: each must know what another wrote.
    this.operated.view.share?.(ownersWritten);
    this.showAttributes();
  }

  private searchAttributes(): ShownAttribute[] {
    const status = this.status();
    const { stage, stages, stageIndex, lastDecision, pause } = status;
    const isOverridden = stages[stageIndex]?.overridden === true && passes(OVERRIDES_PATCH);
    const outcome = isOverridden ? 'override' : (lastDecision?.decision.outcome ?? null);
    return [
      ...(this.showsOwner ? [{ key: DEPLOYMENT_ID, value: status.deploymentId }] : []),
      { key: DEPLOYMENT_STAGE, value: stage },
      { key: DECISION_OUTCOME, value: outcome },
      { key: POLICY_REVISION, value: lastDecision?.release?.policySha ?? null },
      { key: PAUSE_REASON, value: this.holds.isHeld ? PAUSED_BY_OPERATOR : (pause?.reason ?? null) },
    ];
  }

  /**
   * Begins a stage, or takes it up again, under the defaults in force now.
   *
   * @throws ApplicationFailure ConfigInvalid when its attributes and the deployment's are too big together
   */
  async begin(stage: GatedStage): Promise<StageGate> {
    // Of several stages that are open none is the present one.
    if (this.options.branches === undefined) this.apply({ type: 'stage-entered', stage: stage.name });
    this.gated = stage;
    // They name the patches that the run passes.
    const defaults = await this.readDefaults();
    this.refuseTooBig(stage);
    this.showOwner();
    this.present = new StageGate(this, stage, defaults);
    this.incidents.takeUp();
    // Those that are open are not taken up yet, and a call for one of them waits for that.
    if (this.options.branches === undefined) await this.continueAsNewIfLong();
    return this.present;
  }

  /**
   * Sets the final state; an open pause is resolved and recorded first, then the end itself.
   *
   * @param by who ended it; @default the gate
   */
  async end(state: FinalState, reason?: string, by = GATE_ACTOR): Promise<void> {
    if (this.known.hold && !this.options.trunk) await this.holds.end(`deployment ${state}`);
    if (this.known.pause) await this.present?.resolvePause(`deployment ${state}`);
    const event: GateEvent = { type: 'ended', state, reason };
    // The deployment goes on in its other stages, or ends with them.
    if (this.options.trunk) return this.apply(event);
    // Whoever sees the final state finds the record of the end.
    const { stages } = toStatus(advance(this.known, event));
    await this.present?.recordEnd({ end: state, by, reason: reason ?? 'every stage is done' }, stages);
    this.apply(event);
    this.showAttributes();
  }

  /**
   * Ends the deployment of a workflow that was cancelled in Temporal: an abort by `temporal`. Does nothing after an end.
   *
   * @param first begun where no stage has, so that its records have one
   */
  async endCancelled(first?: GatedStage): Promise<void> {
    if (isFinal(this.known.state)) return;
    // Runs of earlier releases recorded no cancellation that came before the first stage began.
    if (this.present === undefined && first !== undefined && holdsAcceptedCalls())
      await CancellationScope.nonCancellable(() => this.begin(first));
    if (this.present === undefined) return;
    const reason = await this.present.recordCancellation();
    await this.end('aborted', reason, 'temporal');
    await this.settle();
  }

  /** Before the workflow closes: every caller has an answer, and every message is sent, or left to `deliverAlerts`. */
  async settle(): Promise<void> {
    const { deploymentId, leavesAlerts } = this.options;
    const { defaults } = this;
    const handOver =
      leavesAlerts === true && defaults?.leavesAlerts === true
        ? (unsent: Alert[]) => leaveAlerts(deploymentId, unsent, defaults.activities)
        : undefined;
    await this.operated.settle(tooLate(this.status()), handOver);
  }

  /** @param beforehand runs before the state is read that is carried */
  async continueAsNewIfLong(beforehand?: () => Promise<void>): Promise<void> {
    const { historyLimit = this.defaults?.historyLimit, continueAsNew } = this.options;
    if (!continueAsNew) return;
    const carry = (operation: CarriedOperation<OperatorReply>): Promise<void> =>
      continueAsNew({ ...operation, ...carriedProgress(this.known) });
    await this.operated.continueAsNewIfLong(historyLimit, carry, beforehand);
  }

  /** The defaults in force now. */
  async readDefaults(): Promise<GateDefaults> {
    const defaults = await readDefaults();
    passPatches(defaults.patches, PATCHES);
    this.defaults = defaults;
    this.inForce = { defaults, times: compileBehaviour(defaults.stages, this.gated ?? {}) };
    return defaults;
  }

  /** To be told of rests, where the state is carried over by somebody else. @param beforehand what is to be done then */
  notesRests(beforehand?: () => Promise<void>): NoteRest | undefined {
    const { trunk } = this.options;
    return trunk && ((isAwake) => trunk.rests(this.status().stage, isAwake, beforehand));
  }

  /** Numbers the waits of this run, from 0. */
  nextWait(): number {
    if (this.options.trunk) return this.options.trunk.nextWait();
    this.waits += 1;
    return this.waits - 1;
  }
}
