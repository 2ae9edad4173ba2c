import type { JsonObject } from '../../kernel/json';
import type { Execution } from '../kinds/execution';
import type { PlanNode } from '../kinds/plan';
import type { PlanObject } from '../object';
import type { NodePhase } from '../kinds/phases';
import type { NodeCriterion } from './criteria';
import type { Schedule, ScheduledNode } from './schedule';

/** The runtime that `spec.runtimeRef.name` names for an execution that this server runs. */
export const GATE_RUNTIME = 'gate';

/** An execution as the gate runs it: a deployment, whose stages are the plan's nodes in an order that they could run in. */
export interface PlanRun {
  /** of the deployment: `<namespace>.<execution>` */
  id: string;
  attributes: JsonObject;
  stages: PlanStage[];
  graph: RunGraph;
}

/** How the nodes follow from one another. */
export interface RunGraph extends Schedule {
  /** one a stage, in their order */
  nodes: readonly RunNode[];
}

/** A node as it is run. A group is none: who waits for it waits for its members, and its status follows from theirs. */
export interface RunNode extends ScheduledNode {
  kind: RunKind;
  /** of a node of kind Gate: the name of what it waits for, in the namespace of the execution */
  gate?: string;
  /** of a node of kind External: what is asked, and how often */
  external?: { uri: string; intervalMs: number };
  /** of a node of kind External: it is asked for by its stage's request, and calls back */
  callsBack?: boolean;
  /** must hold before it counts as done; @default none */
  criteria?: readonly NodeCriterion[];
  /** whether it has a `when`, to be looked at before it begins */
  isConditional?: boolean;
  /** names of what it gives, all of which must be there; @default none */
  outputs?: readonly string[];
  /** how often it is tried again when it failed; @default 0 */
  retries?: number;
  /** of one attempt, from its begin to its end; @default none */
  timeoutMs?: number;
}

export type RunKind = Exclude<PlanNode['kind'], 'Group'>;

export interface PlanStage {
  /** the node's id */
  name: string;
  /** the node's inputs */
  attributes: JsonObject;
  /** as a stage of a deployment file has it */
  action: JsonObject;
}

/** Which execution a run belongs to. One of the same name that was created later has another uid. */
export interface ExecutionRef {
  namespace: string;
  name: string;
  uid: string;
}

/** How far a node was when the run before ended. */
export interface NodeSoFar {
  phase: NodePhase;
  /** of the newest one, or of the next one where it is to begin again */
  attempt?: number;
  /** a node that succeeded: the how-manieth it was, from 1; what was done last is taken back first */
  place?: number;
  outputs?: JsonObject;
  message?: string;
}

/** Where a new run continues. */
export interface RunSoFar {
  /** by their ids; one that is absent has not begun */
  nodes: Readonly<Record<string, NodeSoFar>>;
  /** how many reports were written */
  reports: number;
  /** what the run is started for */
  request: string;
}

/** Says that something happened in the store that nodes may wait for; it carries nothing, as each node looks for itself. */
export const LOOK_SIGNAL = 'look';
/** Says that something was asked of the run; it carries nothing, as the run reads it from the store. */
export const ASKED_SIGNAL = 'asked';

/** What runs executions, as the domain knows it. */
export interface PlanRuntime {
  /** where work outside calls back, up to the path of the callbacks; undefined where it cannot */
  callbackUrl(): string | undefined;
  /** faults that only who acts can see, such as settings of an action; a sentence each, empty for none */
  check(run: PlanRun): readonly string[];
  /**
   * Starts it, or finds that it was started: the same execution is one run, however often it is started.
   *
   * @returns `taken` where the deployment's id was used by something else
   */
  start(run: PlanRun, execution: ExecutionRef): Promise<'started' | 'taken'>;
  /**
   * Starts a new run of an execution whose run is closed, for somebody who asked for it: one request is one run, however often
   * it is started.
   *
   * @returns `closing` while the run before is still open: it is to be tried again
   */
  resume(run: PlanRun, execution: ExecutionRef, from: RunSoFar): Promise<'started' | 'closing'>;
  /** Has a run read what was asked of it; does nothing where none is under way. */
  ask(execution: ExecutionRef): Promise<void>;
  /** Why the run of an execution is closed, a clause; undefined where it is open, or Temporal does not know it. */
  whyClosed(execution: ExecutionRef): Promise<string | undefined>;
  /** Has a run look at once at what it waits for; does nothing where none is under way. */
  nudge(execution: ExecutionRef): Promise<void>;
  /** Ends the run of an execution that was deleted; does nothing where none is under way. */
  cancel(execution: ExecutionRef): Promise<void>;
}

/** Whether the server runs this object: an execution whose runtime is the gate. */
export function isRunByGate({ kind, spec }: PlanObject): boolean {
  const { runtimeRef } = spec as Partial<Execution['spec']>;
  return kind === 'Execution' && runtimeRef?.name === GATE_RUNTIME;
}

/** The id under which the gate's commands know an execution. A name has no dot, so that no two have one id. */
export function deploymentIdOf({ namespace, name }: Pick<ExecutionRef, 'namespace' | 'name'>): string {
  return `${namespace}.${name}`;
}
