import { condition } from '@temporalio/workflow';
import type { Alert } from '../../alerts/alert';
import {
  isFinal,
  type CarriedGate,
  type DeploymentStatus,
  type OperatorReply,
  type StageProgress,
} from '../../gate/deployments/deployment-state';
import { tooLate } from '../../gate/deployments/explain';
import type { GateEvent } from '../../gate/deployments/gate-progress';
import { misfit, type OperatorCallKind } from '../../gate/deployments/operator-call';
import { openStatus, presentOf } from '../../gate/deployments/open-stages';
import { replyTo } from '../../gate/deployments/operator-reply';
import { carriedProgress } from '../../gate/deployments/gate-progress';
import type { OperatorCall } from '../../kernel/operator-call';
import { CallQueue } from '../parts/call-queue';
import type { Outbox } from '../parts/outbox';
import { Gate, type GateCall, type GateOperation } from './gate';

/** What the gate of one stage has in common with those of the others that are open. */
export interface GateTrunk {
  /** an abort was accepted: no stage goes on */
  readonly isStopping: boolean;
  /** its record is stored, and every open stage has it in its queue */
  readonly isTold: boolean;
  operate(branch: Gate): GateOperation;
  endHold(reason: string): Promise<void>;
  /** as `NoteRest`. @param beforehand to be done before the state is carried */
  rests(stage: string, isAwake: () => boolean, beforehand?: () => Promise<void>): () => void;
  nextWait(): number;
}

interface Resting {
  isAwake(): boolean;
  beforehand?(): Promise<void>;
}

/** What continue-as-new carries of a stage. */
export interface CarriedBranch {
  /** where it is open */
  gate?: CarriedGate;
  /** of a stage that is run again, from 2 */
  attempt?: number;
}

/**
 * The stages of one deployment that are open at the same time, each at a gate of its own. Their common gate, the trunk, takes
 * what operators call, shows them all, and records how the deployment ends.
 */
export class Branches implements GateTrunk {
  private readonly open = new Map<string, Gate>();
  private readonly resting = new Map<string, Resting>();
  private readonly places: ReadonlyMap<string, number>;
  private trunk?: Gate;
  private abort?: OperatorCall;
  /** of the first stage that did not succeed */
  private ended?: DeploymentStatus;
  private over?: string;

  /**
   * @param stages of the deployment, in order
   * @param carriedOver what an earlier run left, by the names of the stages
   */
  constructor(
    stages: readonly string[],
    private readonly carriedOver: Readonly<Record<string, CarriedBranch>> = {},
  ) {
    this.places = new Map(stages.map((stage, place) => [stage, place]));
  }

  /** A call may come with the run's first task: it must find the stages that wait for it open. */
  growOn(trunk: Gate): void {
    this.trunk = trunk;
    for (const [stage, carried] of Object.entries(this.carriedOver))
      if (carried.gate !== undefined) this.openGate(stage, carried);
  }

  /** The gate of a stage: the one that an earlier run left open, or a new one. @param attempt of a stage that is run again, from 2 */
  begin(stage: string, attempt?: number): Gate {
    const carried = this.open.get(stage);
    if (carried !== undefined) return carried;
    const branch = this.openGate(stage, attempt === undefined ? {} : { attempt });
    const { hold } = this.grown.progress;
    if (hold !== undefined) branch.apply({ type: 'held', hold });
    if (this.abort !== undefined) branch.inbox.put({ kind: 'abort', call: this.abort });
    return branch;
  }

  private openGate(stage: string, { gate: carried, attempt }: CarriedBranch): Gate {
    const { deploymentId, attributes, searchAttributes } = this.grown.options;
    const branch = new Gate({
      ...{ deploymentId, stages: [stage], trunk: this, firstPlace: this.places.get(stage) ?? 0 },
      ...(attributes === undefined ? {} : { attributes }),
      ...(searchAttributes === undefined ? {} : { searchAttributes }),
      ...(carried === undefined ? {} : { carried }),
      ...(attempt === undefined ? {} : { attempt }),
    });
    this.open.set(stage, branch);
    return branch;
  }

  /** The stage is over: whoever still calls it is answered. */
  end(stage: string): void {
    const branch = this.open.get(stage);
    if (branch === undefined) return;
    const status = branch.status();
    branch.inbox.close(tooLate(status));
    if (isFinal(status.state) && status.state !== 'done') this.ended ??= status;
    this.open.delete(stage);
    this.grown.apply({ type: 'branch-changed', stageIndex: branch.stagePlace, stage: status.stages[0]! });
  }

  /** Shows how far a stage is that is awaited without a gate of its own. */
  show(stage: string, state: StageProgress['state']): void {
    const stageIndex = this.places.get(stage) ?? 0;
    this.grown.apply({ type: 'branch-changed', stageIndex, stage: { name: stage, state } });
  }

  /** A stage that failed is run again. */
  reopen(stage: string): void {
    if (this.ended?.stage === stage) delete this.ended;
    this.show(stage, 'pending');
  }

  /** No stage goes on or begins any more: whoever calls is told why. */
  close(why: string): void {
    this.over = why;
    this.grown.inbox.close(why);
  }

  get isStopping(): boolean {
    return this.abort !== undefined || (this.trunk?.inbox.urgentAwaits ?? false);
  }

  get isTold(): boolean {
    return this.abort !== undefined;
  }

  /** Takes the abort that was accepted and tells every open stage, once its record is stored. */
  async stop(): Promise<GateCall | undefined> {
    const { inbox, stage } = this.grown;
    if (!inbox.urgentAwaits) return undefined;
    const queued = inbox.take()!;
    await stage!.recordCall(queued);
    this.abort ??= queued.call;
    for (const branch of this.open.values()) branch.inbox.put({ kind: 'abort', call: this.abort });
    return queued;
  }

  operate(branch: Gate): GateOperation {
    const trunk = this.grown;
    return {
      inbox: new BranchQueue(this, branch),
      // A stage that was left open is opened before the trunk has its outbox.
      get outbox(): Outbox<Alert> {
        return trunk.alerts;
      },
      view: {
        publish: () => this.changed(branch),
        showAttributes: () => trunk.showAttributes(),
      },
      settle: async () => undefined,
      continueAsNewIfLong: async () => undefined,
    };
  }

  async endHold(reason: string): Promise<void> {
    await this.grown.holds.end(reason);
  }

  nextWait(): number {
    return this.grown.nextWait();
  }

  /** What happens to the whole deployment happens to each open stage. */
  follow(event: GateEvent): void {
    if (event.type === 'held' || event.type === 'released')
      for (const branch of this.open.values()) branch.apply(event);
  }

  rests(stage: string, isAwake: () => boolean, beforehand?: () => Promise<void>): () => void {
    const resting: Resting = { isAwake, ...(beforehand === undefined ? {} : { beforehand }) };
    this.resting.set(stage, resting);
    return () => {
      if (this.resting.get(stage) === resting) this.resting.delete(stage);
    };
  }

  /** Whether each of these stages rests, so that its state can be carried over. */
  isAtRest(stages: readonly string[]): boolean {
    return stages.every((stage) => this.resting.get(stage)?.isAwake() === false);
  }

  has(stage: string): boolean {
    return this.open.has(stage);
  }

  /** The status of each that is open. */
  openStages(): DeploymentStatus[] {
    return [...this.open.values()].map((branch) => ({ ...branch.status(), stageIndex: branch.stagePlace }));
  }

  /** To be done before the state is carried. */
  async beforeCarried(): Promise<void> {
    for (const { beforehand } of [...this.resting.values()]) await beforehand?.();
  }

  /** Those that are open, by the names of their stages. */
  carried(): Record<string, CarriedGate> {
    const nothing = { handled: [], notes: [], shownAttributes: [] };
    return Object.fromEntries(
      [...this.open].map(([stage, branch]) => [stage, { ...nothing, ...carriedProgress(branch.progress) }]),
    );
  }

  /** The gate of the stage that a query names; undefined where it names none that is open. */
  asked(question: unknown): Gate | undefined {
    if (typeof question !== 'object' || question === null) return undefined;
    const { stage } = question as { stage?: unknown };
    return typeof stage === 'string' ? this.open.get(stage) : undefined;
  }

  status(own: DeploymentStatus): DeploymentStatus {
    return openStatus(own, this.openStages(), this.ended);
  }

  /** A call for a pause or a decision fits where the stage is that has it. */
  misfit(kind: OperatorCallKind, call: OperatorCall): string | undefined {
    if (this.over !== undefined) return this.over;
    const status = this.grown.status();
    if (kind === 'abort' || kind === 'pause' || call.for === status.hold?.id) return misfit(kind, call, status);
    return this.meant(kind, call) === undefined ? misfit(kind, call, this.nearest(call) ?? status) : undefined;
  }

  /** Hands a call to the stage that it is meant for; undefined for what is the whole deployment's. */
  atOnce(queued: GateCall): Promise<void> | undefined {
    const { kind, call } = queued;
    if (kind !== 'resume' && kind !== 'override') return undefined;
    return (async () => {
      const branch = this.meant(kind, call);
      if (branch === undefined) return this.grown.inbox.answer(queued, false, this.misfit(kind, call) ?? 'too late');
      const handed: GateCall = { kind, call };
      branch.inbox.put(handed);
      await condition(() => handed.reply !== undefined);
      const { accepted, message } = handed.reply as OperatorReply;
      this.grown.inbox.answer(queued, accepted, message);
    })();
  }

  private meant(kind: OperatorCallKind, call: OperatorCall): Gate | undefined {
    return [...this.open.values()].find((branch) => misfit(kind, call, branch.status()) === undefined);
  }

  /** Of the stages that cannot take a call, the one whose answer says most. */
  private nearest({ for: meantFor }: OperatorCall): DeploymentStatus | undefined {
    const open = [...this.open.values()].map((branch) => branch.status());
    const named = open.find(({ pause, lastDecision }) => [pause?.id, lastDecision?.decisionId].includes(meantFor));
    return named ?? presentOf(open);
  }

  private changed(branch: Gate): void {
    const stageIndex = branch.stagePlace;
    const stage = branch.progress.stages[0];
    if (stage !== undefined) this.grown.apply({ type: 'branch-changed', stageIndex, stage });
  }

  private get grown(): Gate {
    return this.trunk!;
  }
}

/** What is for one stage of several; an abort of the deployment is for each. */
class BranchQueue extends CallQueue<OperatorCallKind, OperatorReply> {
  constructor(
    private readonly branches: GateTrunk,
    branch: Gate,
  ) {
    super({
      urgent: 'abort',
      misfit: (kind, call) => (kind === 'abort' ? undefined : misfit(kind, call, branch.status())),
      reply: (kind, accepted, message) => replyTo(kind, accepted, message, branch.status()),
    });
  }

  override get urgentAwaits(): boolean {
    return this.branches.isStopping;
  }
}
