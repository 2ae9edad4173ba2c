import { CancellationScope, condition, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { DeploymentSpec } from '../../gate/deployments/deployment-spec';
import type { CarriedGate } from '../../gate/deployments/deployment-state';
import { formatDuration } from '../../kernel/duration';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { outputsFault } from '../../plans/execution/node-outputs';
import type { ExecutionRef, RunGraph, RunNode } from '../../plans/execution/plan-run';
import { nextTurn, nodeHasEnded } from '../../plans/execution/schedule';
import { NodePhase } from '../../plans/kinds/phases';
import type { Branches } from '../gate/branches';
import type { Gate, GateCall } from '../gate/gate';
import { rest } from '../parts/rest';
import { shouldContinueAsNew } from '../parts/should-continue-as-new';
import { steadyNow } from '../parts/steady-now';
import { NODE_KINDS } from './node-kinds';
import type { NodeEnd, NodeRun } from './node-run';
import type { Nudges } from './nudges';
import { lookAtWhen } from './plan-activities';
import type { RunReporter } from './run-reporter';

/** What continue-as-new carries of one node. */
export interface CarriedNode {
  phase: NodePhase;
  attempt?: number;
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
  /** by the ids of the nodes */
  carried?: Readonly<Record<string, CarriedNode>>;
  historyLimit?: number | undefined;
}

/** How all nodes together ended: by themselves, by an abort, or because the Execution is gone. */
export type NodesEnd = { by: 'nodes' } | { by: 'abort'; call: GateCall } | { by: 'deletion' };

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
  private readonly ends = new Map<string, Omit<NodeEnd, 'phase'>>();
  private readonly active = new Map<string, ActiveNode>();
  private readonly places: ReadonlyMap<string, number>;
  private readonly shortest: number;
  private changes = 0;
  private fault?: { error: unknown };
  private isStopping = false;

  constructor(private readonly options: NodesOptions) {
    const { graph, carried = {} } = options;
    this.places = new Map(graph.nodes.map(({ id }, place) => [id, place]));
    for (const [id, { phase, attempt, end }] of Object.entries(carried)) {
      this.phases.set(id, phase);
      if (attempt !== undefined) this.attempts.set(id, attempt);
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
        const end = this.ends.get(id);
        const { kept, startedAtMs } = this.active.get(id) ?? {};
        const gate = gates[id];
        return [
          id,
          {
            phase,
            ...(attempt === undefined ? {} : { attempt }),
            ...(end === undefined ? {} : { end }),
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
    const { graph, reporter, branches, trunk } = this.options;
    for (;;) {
      if (this.fault) throw this.fault.error;
      if (reporter.isDeleted) {
        this.stop();
        await this.untilEnded();
        return { by: 'deletion' };
      }
      const call = await branches.stop();
      if (call !== undefined) {
        this.stop();
        await this.untilEnded();
        return { by: 'abort', call };
      }
      this.showBlocked();
      const isLong = this.isLong();
      if (!isLong && !trunk.holds.isHeld) {
        const { start, skip, isOver } = nextTurn(graph, this.phases);
        for (const { id, because } of skip) this.end(id, NodePhase.Skipped, { message: because });
        for (const id of start) this.begin(id);
        if (isOver) return { by: 'nodes' };
      }
      if (isLong && this.isAtRest) await this.continueAsNew();
      await this.awaitChange(isLong);
    }
  }

  /** Nodes that an earlier run began, and that rested when it continued as new. */
  private takeUp(): void {
    const { carried = {} } = this.options;
    for (const [id, { kept, startedAtMs = steadyNow() }] of Object.entries(carried)) {
      if (nodeHasEnded(this.phases.get(id)!)) continue;
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
    this.put(id, NodePhase.Running);
    this.launch(id, { scope: new CancellationScope(), startedAtMs: steadyNow() });
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
      if (!isFailure || attempt > retries || this.isStopping) return end;
      this.attempts.set(id, attempt + 1);
      this.put(id, NodePhase.Running, {
        message: `attempt ${attempt + 1} of ${retries + 1}, after: ${end.message ?? 'failed'}`,
      });
      delete active.kept;
      active.scope = new CancellationScope();
      await this.pauseBefore(id, attempt, active);
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
        if (reporter.isDeleted || this.isStopping) return { phase: NodePhase.Cancelled };
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
        () => branches.isStopping || this.isStopping,
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
        // People see that it runs before it does anything.
        await this.options.reporter.flush();
        if (this.options.reporter.isDeleted || this.isStopping) {
          this.options.branches.end(id);
          return { phase: NodePhase.Cancelled };
        }
        return await NODE_KINDS[node.kind](this.nodeRun(node, active));
      });
    } catch (error) {
      if (!isCancellation(error)) throw error;
      return isTimedOut
        ? { phase: NodePhase.Failed, message: `timed out after ${formatDuration(node.timeoutMs!)} (timeout)` }
        : { phase: NodePhase.Cancelled, message: STOPPED };
    } finally {
      hasEnded = true;
    }
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

  private end(id: string, ended: NodePhase, told: Omit<NodeEnd, 'phase'>): void {
    const { phase, ...end } = this.withinSize(id, { phase: ended, ...told });
    this.ends.set(id, end);
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
    const attempt = this.attempts.get(id);
    this.options.reporter.note({
      ...{ id, phase, atMs: Date.now() },
      ...(attempt === undefined ? {} : { attempt }),
      ...(message === undefined ? {} : { message }),
      ...(outputs === undefined ? {} : { outputs }),
    });
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
    await condition(() => this.active.size === 0 || this.fault !== undefined);
    if (this.fault) throw this.fault.error;
  }

  private isLong(): boolean {
    const info = workflowInfo();
    return info.historyLength >= this.shortest && shouldContinueAsNew(info, this.options.historyLimit);
  }

  private get isAtRest(): boolean {
    return this.options.branches.isAtRest([...this.active.keys()]);
  }

  private async continueAsNew(): Promise<void> {
    const { trunk, branches, reporter } = this.options;
    await trunk.continueAsNewIfLong(async () => {
      await reporter.flush();
      await branches.beforeCarried();
    });
  }

  /** Whether the state may be carried, asked at the last moment. */
  get isCarriable(): boolean {
    return this.isAtRest && this.options.reporter.isIdle && !this.isStopping;
  }

  private async awaitChange(wasLong: boolean): Promise<void> {
    const { trunk, reporter } = this.options;
    const { changes } = this;
    const { hold } = trunk.progress;
    const isAwake = (): boolean =>
      this.changes !== changes ||
      this.fault !== undefined ||
      reporter.isDeleted ||
      trunk.inbox.urgentAwaits ||
      trunk.progress.hold?.id !== hold?.id ||
      (this.isLong() && (!wasLong || this.isAtRest)) ||
      this.newlyBlocked().length > 0;
    const untilMs = hold?.untilMs ?? Infinity;
    await rest(isAwake, untilMs);
    if (trunk.progress.hold?.id === hold?.id && steadyNow() >= untilMs) await trunk.holds.end('its time is over');
  }

  private nodeOf(id: string): RunNode {
    return this.options.graph.nodes[this.places.get(id)!]!;
  }
}
