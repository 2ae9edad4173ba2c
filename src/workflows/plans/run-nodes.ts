import { CancellationScope, condition, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { DeploymentSpec } from '../../gate/deployments/deployment-spec';
import type { FactTarget } from '../../gate/facts/fact';
import type { CarriedGate } from '../../gate/deployments/deployment-state';
import { holdText } from '../../gate/deployments/hold';
import { formatDuration } from '../../kernel/duration';
import type { JsonObject, JsonValue } from '../../kernel/json';
import type { Compensated } from '../../plans/execution/follow-run';
import { outputsFault } from '../../plans/execution/node-outputs';
import type { ExecutionRef, RunGraph, RunNode } from '../../plans/execution/plan-run';
import { carriedEnd } from '../../plans/execution/run-size';
import { nextTurn, nodeHasBegun, nodeHasEnded, skippedBehind } from '../../plans/execution/schedule';
import { NodePhase } from '../../plans/kinds/phases';
import type { Branches } from '../gate/branches';
import type { Gate, GateCall } from '../gate/gate';
import { rest } from '../parts/rest';
import { shouldContinueAsNew } from '../parts/should-continue-as-new';
import { steadyNow } from '../parts/steady-now';
import { NODE_KINDS } from './node-kinds';
import type { NodeEnd, NodeRun } from './node-run';
import type { Nudges } from './nudges';
import { whenAccepted } from './accept-node';
import { compensationOf } from './compensate-nodes';
import { lookAtWhen } from './plan-activities';
import type { RunReporter } from './run-reporter';
import type { RunRequests } from './run-requests';

/** What continue-as-new carries of one node. */
export interface CarriedNode {
  phase: NodePhase;
  attempt?: number;
  /** attempts before somebody had it run again: its retries count from there; @default 0 */
  before?: number;
  /** of a node that succeeded: the how-manieth it was, from 1 */
  place?: number;
  /** how far its compensation is */
  compensation?: Compensated;
  /** why it ended as it did */
  end?: Omit<NodeEnd, 'phase'>;
  /** of its gate, where that is open */
  gate?: CarriedGate;
  /** what its kind keeps */
  kept?: JsonValue;
  /** epoch milliseconds, of the present attempt; its time counts from there */
  startedAtMs?: number;
}

export interface NodesOptions {
  spec: DeploymentSpec;
  graph: RunGraph;
  execution: ExecutionRef;
  trunk: Gate;
  branches: Branches;
  reporter: RunReporter;
  nudges: Nudges;
  requests: RunRequests;
  /** by the ids of the nodes */
  carried?: Readonly<Record<string, CarriedNode>>;
  historyLimit?: number | undefined;
}

/** How all nodes together ended: by themselves, by an abort or a cancel, or because the Execution is gone. */
export type NodesEnd =
  { by: 'nodes' } | { by: 'abort'; call: GateCall } | { by: 'cancel'; call: GateCall } | { by: 'deletion' };

/** A node that succeeded and whose action can be taken back. */
export interface DoneNode {
  id: string;
  attempt: number;
  decisionId?: string;
}

/** Events of a run that takes up one open node, at most: below that no run is long. */
const EVENTS_PER_NODE = 20;

const STOPPED = 'the execution was stopped';

interface ActiveNode {
  scope: CancellationScope;
  startedAtMs: number;
  /** an earlier run began it */
  isCarried?: boolean;
  kept?: JsonValue;
}

/**
 * Runs the nodes of a plan as their graph allows, many at once. It alone changes their phases; a node is a function that
 * returns how it ended.
 */
export class NodeRunner {
  private readonly phases = new Map<string, NodePhase>();
  private readonly attempts = new Map<string, number>();
  /** when nodes began, of those that this run began */
  private readonly began = new Map<string, number>();
  /** attempts of nodes before somebody had them run again */
  private readonly before = new Map<string, number>();
  /** the nodes that succeeded, numbered in this order */
  private readonly done = new Map<string, number>();
  private readonly compensations = new Map<string, Compensated>();
  private readonly ends = new Map<string, Omit<NodeEnd, 'phase'>>();
  private readonly active = new Map<string, ActiveNode>();
  private readonly places: ReadonlyMap<string, number>;
  private readonly shortest: number;
  private changes = 0;
  private stayedAt = -1;
  private fault?: { error: unknown };
  private isStopping = false;
  /** a failure that is compensated */
  private isFailing = false;
  private shownHold: string | undefined;

  constructor(private readonly options: NodesOptions) {
    const { graph, carried = {} } = options;
    this.places = new Map(graph.nodes.map(({ id }, place) => [id, place]));
    for (const [id, { phase, attempt, before, place, compensation, end }] of Object.entries(carried)) {
      this.phases.set(id, phase);
      if (attempt !== undefined) this.attempts.set(id, attempt);
      if (before !== undefined) this.before.set(id, before);
      if (place !== undefined) this.done.set(id, place);
      if (compensation !== undefined) this.compensations.set(id, compensation);
      if (end !== undefined) this.ends.set(id, end);
    }
    const open = Object.values(carried).filter(({ phase }) => !nodeHasEnded(phase)).length;
    this.shortest = EVENTS_PER_NODE * (open + 2);
  }

  /** The nodes that did not succeed and were not skipped, in the order of the plan, each with why. */
  failures(): { id: string; end: Omit<NodeEnd, 'phase'> }[] {
    return this.options.graph.nodes.flatMap(({ id }) =>
      this.phases.get(id) === NodePhase.Failed ? [{ id, end: this.ends.get(id) ?? {} }] : [],
    );
  }

  /** Whether a node that was stopped said more than why: how its action was taken back. */
  messages(): { id: string; message: string }[] {
    return [...this.ends].flatMap(([id, { message }]) => (message === undefined ? [] : [{ id, message }]));
  }

  carried(): Record<string, CarriedNode> {
    const gates = this.options.branches.carried();
    return Object.fromEntries(
      [...this.phases].map(([id, phase]): [string, CarriedNode] => {
        const attempt = this.attempts.get(id);
        const before = this.before.get(id);
        const place = this.done.get(id);
        const compensation = this.compensations.get(id);
        const end = this.ends.get(id);
        const { kept, startedAtMs } = this.active.get(id) ?? {};
        const gate = gates[id];
        return [
          id,
          {
            phase,
            ...(attempt === undefined ? {} : { attempt }),
            ...(before === undefined ? {} : { before }),
            ...(place === undefined ? {} : { place }),
            ...(compensation === undefined ? {} : { compensation }),
            ...(end === undefined ? {} : { end: carriedEnd(end, this.nodeOf(id).kind, this.phases.size) }),
            ...(gate === undefined ? {} : { gate }),
            ...(kept === undefined ? {} : { kept }),
            ...(startedAtMs === undefined ? {} : { startedAtMs }),
          },
        ];
      }),
    );
  }

  /**
   * Returns when no node is under way and none can begin.
   *
   * @throws the cancellation of the workflow, once every node has ended
   */
  async run(): Promise<NodesEnd> {
    this.takeUp();
    try {
      return await this.runAll();
    } catch (error) {
      // Each is cancelled with the workflow, and takes back what was under way.
      if (isCancellation(error)) await CancellationScope.nonCancellable(() => this.untilEnded());
      throw error;
    }
  }

  private async runAll(): Promise<NodesEnd> {
    const { graph, reporter, branches, trunk, requests } = this.options;
    for (let cancel: GateCall | undefined; ;) {
      if (this.fault) throw this.fault.error;
      requests.look();
      if (reporter.isDeleted) {
        this.stop();
        await this.untilEnded();
        return { by: 'deletion' };
      }
      const call = await branches.stop();
      if (call !== undefined) {
        this.stop();
        await this.untilEnded();
        return { by: call === cancel ? 'cancel' : 'abort', call };
      }
      cancel ??= this.takeRequests();
      if (cancel !== undefined) {
        trunk.inbox.put(cancel);
        continue;
      }
      this.showBlocked();
      this.showHold();
      // What ends begins nothing, and its history grows little.
      const isLong = !this.isEnding && this.isLong();
      if (!isLong && !trunk.holds.isHeld) {
        const { start, skip, isOver } = nextTurn(graph, this.phases);
        for (const { id, because } of skip) this.end(id, NodePhase.Skipped, { message: because });
        for (const id of start) this.begin(id);
        // Each after all are noted: they are one report.
        for (const id of start) this.launch(id, { scope: new CancellationScope(), startedAtMs: steadyNow() });
        this.stopWaiting();
        if (isOver) return { by: 'nodes' };
      }
      reporter.tell();
      if (isLong && this.isAtRest) {
        await this.continueAsNew();
        if (!this.isLong()) continue;
      }
      await this.awaitChange(isLong);
    }
  }

  /**
   * What was asked of the run: nodes are run again, and a cancel is given to the trunk as a call.
   *
   * @returns the cancel
   */
  private takeRequests(): GateCall | undefined {
    const { requests, reporter, graph } = this.options;
    for (let request = requests.take(); request !== undefined; request = requests.take()) {
      const { id, kind, node, actor, reason = '' } = request;
      if (kind === 'cancel') {
        reporter.noteTaken(id);
        return { kind: 'abort', call: { actor, reason } };
      }
      // What is left to the next run: the end of this one is compensated.
      if (graph.compensates === true) continue;
      reporter.noteTaken(id);
      if (node !== undefined && this.phases.get(node) === NodePhase.Failed) this.runAgain(node);
    }
    return undefined;
  }

  /** A node that failed, and what was skipped because of it, are as if they had not begun. */
  private runAgain(id: string): void {
    const { graph, branches } = this.options;
    const attempt = this.attempts.get(id) ?? 1;
    this.before.set(id, attempt);
    this.attempts.set(id, attempt + 1);
    this.compensations.delete(id);
    branches.reopen(id);
    for (const each of [id, ...skippedBehind(graph, this.phases, id)]) {
      this.ends.delete(each);
      this.put(each, NodePhase.Pending);
    }
  }

  /** After a failure that is compensated: what acts comes to its end, and all else is stopped. */
  private stopWaiting(): void {
    const { graph, branches } = this.options;
    if (graph.compensates !== true || this.failures().length === 0) return;
    this.isFailing = true;
    const acting = new Set(branches.openStages().flatMap(({ stage, state }) => (state === 'acting' ? [stage] : [])));
    for (const [id, { scope }] of this.active) if (!acting.has(id)) scope.cancel();
  }

  /** The nodes that succeeded and are not compensated, what was done last first. */
  completed(): DoneNode[] {
    const isLeft = (id: string): boolean => (this.compensations.get(id)?.state ?? 'due') === 'due';
    const done = [...this.done].filter(([id]) => this.phases.get(id) === NodePhase.Succeeded && isLeft(id));
    done.sort(([, one], [, other]) => other - one);
    return done.map(([id]) => {
      const { decisionId } = this.ends.get(id) ?? {};
      return { id, attempt: this.attempts.get(id) ?? 1, ...(decisionId === undefined ? {} : { decisionId }) };
    });
  }

  /** Tells how far the compensation of a node is; one that was taken back is cancelled. */
  compensated(id: string, compensation: Compensated): void {
    const { state, error } = compensation;
    this.compensations.set(id, compensation);
    const { decisionId, outputs } = this.ends.get(id) ?? {};
    const end = decisionId === undefined ? {} : { decisionId };
    if (state === 'done') return this.end(id, NodePhase.Cancelled, { ...end, message: 'compensated' });
    const message = state === 'due' ? 'is being compensated' : `the compensation failed: ${error}`;
    this.end(id, NodePhase.Succeeded, { ...end, ...(outputs === undefined ? {} : { outputs }), message });
  }

  /** What came of compensations, for the end reason; empty where there were none. */
  compensationRemark(): string {
    // What failed by itself says so itself.
    const all = [...this.compensations].filter(([id]) => this.phases.get(id) !== NodePhase.Failed);
    const done = all.flatMap(([id, { state }]) => (state === 'done' ? [id] : []));
    const failed = all.flatMap(([id, { state, error }]) =>
      state === 'failed' ? [`; the compensation of node ${id} failed: ${error}`] : [],
    );
    return `${done.length === 0 ? '' : `; compensated: ${done.join(', ')}`}${failed.join('')}`;
  }

  /** Nodes that an earlier run began, and that rested when it continued as new. */
  private takeUp(): void {
    const { carried = {}, branches } = this.options;
    for (const [id, { kept, startedAtMs = steadyNow() }] of Object.entries(carried)) {
      const phase = this.phases.get(id)!;
      if (phase === NodePhase.Succeeded) branches.show(id, 'done');
      if (phase === NodePhase.Failed) branches.show(id, 'failed');
      if (phase === NodePhase.Pending) this.put(id, phase);
      if (phase === NodePhase.Pending || nodeHasEnded(phase)) continue;
      this.launch(id, {
        scope: new CancellationScope(),
        startedAtMs,
        isCarried: true,
        ...(kept === undefined ? {} : { kept }),
      });
    }
  }

  private begin(id: string): void {
    this.attempts.set(id, this.attempts.get(id) ?? 1);
    this.began.set(id, Date.now());
    this.put(id, NodePhase.Running);
  }

  private launch(id: string, active: ActiveNode): void {
    this.active.set(id, active);
    void this.runNode(id, active)
      .then(({ phase, ...end }) => this.end(id, phase, end))
      .catch((error: unknown) => (this.fault = { error }))
      .finally(() => {
        this.active.delete(id);
        this.changes += 1;
      });
  }

  private async runNode(id: string, active: ActiveNode): Promise<NodeEnd> {
    const { retries = 0, isConditional = false } = this.nodeOf(id);
    // One that an earlier run began was looked at there.
    const ended = isConditional && !active.isCarried ? await this.whyNot(id, active) : undefined;
    if (ended !== undefined) return ended;
    for (;;) {
      const end = await this.attempt(id, active);
      const attempt = this.attempts.get(id) ?? 1;
      // A policy that denied for good, and whoever aborted, have said their word.
      const isFailure = end.phase === NodePhase.Failed && (end.state === undefined || end.state === 'failed');
      const tried = attempt - (this.before.get(id) ?? 0);
      if (!isFailure || tried > retries || this.isEnding) return end;
      this.attempts.set(id, attempt + 1);
      this.compensations.delete(id);
      this.put(id, NodePhase.Running, {
        message: `attempt ${tried + 1} of ${retries + 1}, after: ${end.message ?? 'failed'}`,
      });
      delete active.kept;
      active.scope = new CancellationScope();
      await this.pauseBefore(id, tried, active);
      active.startedAtMs = steadyNow();
    }
  }

  /** How a node ends that is not to run, by its `when`. */
  private async whyNot(id: string, { scope }: ActiveNode): Promise<NodeEnd | undefined> {
    const { reporter, execution } = this.options;
    try {
      return await scope.run(async () => {
        // It reads what was told of the nodes before.
        await reporter.flush();
        if (reporter.isDeleted || this.isEnding) return { phase: NodePhase.Cancelled };
        const look = await lookAtWhen(execution, id);
        if (look.state === 'begin') return undefined;
        const phase = look.state === 'skip' ? NodePhase.Skipped : NodePhase.Failed;
        return { phase, message: look.message };
      });
    } catch (error) {
      if (!isCancellation(error)) throw error;
      return { phase: NodePhase.Cancelled, message: STOPPED };
    }
  }

  /** The pause doubles with each attempt, from a second up to a minute. */
  private async pauseBefore(id: string, attempt: number, { scope }: ActiveNode): Promise<void> {
    const untilMs = steadyNow() + Math.min(60_000, 1_000 * 2 ** (attempt - 1));
    const { branches } = this.options;
    const pause = () =>
      rest(
        () => branches.isStopping || this.isEnding,
        untilMs,
        (awake) => branches.rests(id, awake),
      );
    await scope.run(pause).catch((error: unknown) => {
      if (!isCancellation(error)) throw error;
    });
  }

  private async attempt(id: string, active: ActiveNode): Promise<NodeEnd> {
    const node = this.nodeOf(id);
    const { scope } = active;
    let hasEnded = false;
    let isTimedOut = false;
    let remark = '';
    if (node.timeoutMs !== undefined) {
      const leftMs = Math.max(1, active.startedAtMs + node.timeoutMs - steadyNow());
      const watch = condition(() => hasEnded, leftMs).then((ended) => {
        isTimedOut = !ended;
        if (isTimedOut) scope.cancel();
      });
      watch.catch(() => undefined);
    }
    try {
      return await scope.run(async () => {
        // What others may decide or answer finds in the status that the node waits; a run that nobody wants does nothing.
        if (node.kind !== 'Task' || !this.options.reporter.isHeard) await this.options.reporter.flush();
        if (this.options.reporter.isDeleted || this.isEnding) {
          this.options.branches.end(id);
          return { phase: NodePhase.Cancelled };
        }
        const end = await NODE_KINDS[node.kind](this.nodeRun(node, active));
        if (node.criteria === undefined || end.phase !== NodePhase.Succeeded) return end;
        let accepted: NodeEnd | undefined;
        try {
          accepted = await whenAccepted(node.criteria, end, this.targetOf(id));
        } finally {
          // It does not count as done: neither here nor where it is stopped before that is known.
          if (accepted?.phase !== NodePhase.Succeeded) remark = await this.takeBack(id, end);
        }
        return remark === '' ? accepted : { ...accepted, message: `${accepted.message}${remark}` };
      });
    } catch (error) {
      if (!isCancellation(error)) throw error;
      return isTimedOut
        ? { phase: NodePhase.Failed, message: `timed out after ${formatDuration(node.timeoutMs!)} (timeout)${remark}` }
        : { phase: NodePhase.Cancelled, message: `${STOPPED}${remark}` };
    } finally {
      hasEnded = true;
    }
  }

  /**
   * What a node did that does not count as done, as its action says: like an action that failed, and before it is tried again.
   *
   * @returns what came of it, for the node's message; empty where nothing is taken back
   */
  private takeBack(id: string, { decisionId }: NodeEnd): Promise<string> {
    const { spec, trunk, reporter } = this.options;
    return CancellationScope.nonCancellable(async () => {
      const attempt = this.attempts.get(id) ?? 1;
      const compensation = compensationOf(spec, { id, attempt, ...(decisionId === undefined ? {} : { decisionId }) });
      if (compensation === undefined) return '';
      const note = async (compensated: Compensated): Promise<void> => {
        this.compensations.set(id, compensated);
        this.put(id, NodePhase.Running, { message: 'is being compensated' });
        await reporter.flush();
      };
      await note({ state: 'due', key: compensation.key });
      const came = await compensation.run(trunk);
      await note(came);
      return came.state === 'done' ? ' (compensated)' : ` (the compensation failed: ${came.error})`;
    });
  }

  /** What facts are collected for, as the node's gate has it. */
  private targetOf(id: string): FactTarget {
    const { spec } = this.options;
    const stageIndex = this.places.get(id)!;
    const attributesOf = (attributes: unknown): JsonObject => (attributes ?? {}) as JsonObject;
    return {
      ...{ deploymentId: spec.id, stage: id, stageIndex, attributes: attributesOf(spec.attributes) },
      stageAttributes: attributesOf(spec.stages[stageIndex]!.attributes),
    };
  }

  private nodeRun(node: RunNode, active: ActiveNode): NodeRun {
    const { spec, execution, branches, nudges } = this.options;
    const { id } = node;
    const place = this.places.get(id)!;
    return {
      ...{ node, stage: spec.stages[place]!, place, spec, execution, branches, nudges },
      attempt: this.attempts.get(id) ?? 1,
      ...(active.kept === undefined ? {} : { kept: active.kept }),
      keep: (state) => (active.kept = state),
      tell: (phase, message) => this.put(id, phase, message === undefined ? {} : { message }),
      rests: (isAwake) => branches.rests(id, isAwake),
    };
  }

  private get isEnding(): boolean {
    return this.isStopping || this.isFailing;
  }

  private end(id: string, ended: NodePhase, told: Omit<NodeEnd, 'phase'>): void {
    const { phase, ...end } = this.withinSize(id, { phase: ended, ...told });
    this.ends.set(id, end);
    if (phase === NodePhase.Succeeded && !this.done.has(id)) this.done.set(id, Math.max(0, ...this.done.values()) + 1);
    this.put(id, phase, end);
  }

  private withinSize<End extends { phase: NodePhase; outputs?: JsonObject }>(id: string, end: End): End {
    const { outputs, ...rest } = end;
    if (outputs === undefined || this.nodeOf(id).outputs === undefined) return end;
    const others = [...this.ends].flatMap(([other, each]) => (other === id ? [] : [each.outputs]));
    const fault = outputsFault(outputs, others);
    return fault === undefined ? end : ({ ...rest, phase: NodePhase.Failed, message: fault } as unknown as End);
  }

  private put(
    id: string,
    phase: NodePhase,
    { message, outputs }: { message?: string; outputs?: JsonObject } = {},
  ): void {
    this.phases.set(id, phase);
    this.changes += 1;
    const attempt = this.attempts.get(id);
    const beganAtMs = nodeHasBegun(phase) ? this.began.get(id) : undefined;
    const place = phase === NodePhase.Succeeded ? this.done.get(id) : undefined;
    const compensation = this.compensations.get(id);
    this.options.reporter.note({
      ...{ id, phase, atMs: Date.now() },
      ...(attempt === undefined ? {} : { attempt }),
      ...(beganAtMs === undefined ? {} : { beganAtMs }),
      ...(message === undefined ? {} : { message }),
      ...(outputs === undefined ? {} : { outputs }),
      ...(place === undefined ? {} : { place }),
      ...(compensation === undefined ? {} : { compensation }),
    });
  }

  /** Nothing begins while the execution is paused on demand. */
  private showHold(): void {
    const hold = this.saidHold();
    if (hold === this.shownHold) return;
    this.shownHold = hold;
    this.options.reporter.noteHold(hold ?? null);
  }

  private saidHold(): string | undefined {
    const { trunk } = this.options;
    const { hold } = trunk.progress;
    return trunk.holds.isHeld && hold !== undefined ? `paused on demand ${holdText(hold)}` : undefined;
  }

  /** A task is blocked while its gate is paused. */
  private showBlocked(): void {
    for (const [id, reason] of this.newlyBlocked()) {
      if (reason === undefined) this.put(id, NodePhase.Running);
      else this.put(id, NodePhase.Blocked, { message: reason });
    }
  }

  private newlyBlocked(): [id: string, reason: string | undefined][] {
    return this.options.branches
      .openStages()
      .flatMap(({ stage, state, pause, hold }): [string, string | undefined][] => {
        const phase = this.phases.get(stage);
        const isBlocked = state === 'paused';
        if (!this.active.has(stage) || isBlocked === (phase === NodePhase.Blocked)) return [];
        return [
          [stage, isBlocked ? `paused on ${hold === undefined ? (pause?.reason ?? 'an error') : 'demand'}` : undefined],
        ];
      });
  }

  /** Tasks are told by their gates, and take back what is under way; all else is cancelled. */
  private stop(): void {
    this.isStopping = true;
    const { branches } = this.options;
    for (const [id, { scope }] of this.active) if (!branches.has(id)) scope.cancel();
  }

  private async untilEnded(): Promise<void> {
    for (;;) {
      if (this.fault) throw this.fault.error;
      this.options.reporter.tell();
      if (this.active.size === 0) return;
      const { changes } = this;
      await condition(() => this.changes !== changes || this.fault !== undefined);
    }
  }

  /** Whether the history is long enough to be left. */
  isLong(): boolean {
    if (this.changes === this.stayedAt) return false;
    const info = workflowInfo();
    return info.historyLength >= this.shortest && shouldContinueAsNew(info, this.options.historyLimit);
  }

  /** What would be carried is too large: the run goes on, and tries again behind the next change. */
  stay(): void {
    this.stayedAt = this.changes;
  }

  private get isAtRest(): boolean {
    return this.options.branches.isAtRest([...this.active.keys()]);
  }

  private async continueAsNew(): Promise<void> {
    const { trunk, branches, reporter, requests } = this.options;
    await trunk.continueAsNewIfLong(async () => {
      await requests.settled();
      await reporter.flush();
      await branches.beforeCarried();
    });
  }

  /** Whether the state may be carried, asked at the last moment. */
  get isCarriable(): boolean {
    const { reporter, requests } = this.options;
    return this.isAtRest && reporter.isIdle && requests.isIdle && !this.isEnding;
  }

  /** That of a run that has ended, and only compensates. */
  get isCarriableAtEnd(): boolean {
    return this.active.size === 0 && this.options.reporter.isIdle;
  }

  private async awaitChange(wasLong: boolean): Promise<void> {
    const { trunk, reporter, requests } = this.options;
    const { changes } = this;
    const { hold } = trunk.progress;
    const isAwake = (): boolean =>
      this.changes !== changes ||
      this.fault !== undefined ||
      reporter.isDeleted ||
      requests.isAwaited ||
      trunk.inbox.urgentAwaits ||
      trunk.progress.hold?.id !== hold?.id ||
      (!this.isEnding && this.isLong() && (!wasLong || this.isAtRest)) ||
      this.newlyBlocked().length > 0;
    const untilMs = hold?.untilMs ?? Infinity;
    await rest(isAwake, untilMs);
    if (trunk.progress.hold?.id === hold?.id && steadyNow() >= untilMs) await trunk.holds.end('its time is over');
  }

  private nodeOf(id: string): RunNode {
    return this.options.graph.nodes[this.places.get(id)!]!;
  }
}
