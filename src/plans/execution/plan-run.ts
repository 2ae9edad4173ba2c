import type { JsonObject } from '../../kernel/json';
import type { Execution } from '../kinds/execution';
import type { PlanNode } from '../kinds/plan';
import type { PlanObject } from '../object';
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

/** What runs executions, as the domain knows it. */
export interface PlanRuntime {
  /** faults that only who acts can see, such as settings of an action; a sentence each, empty for none */
  check(run: PlanRun): readonly string[];
  /**
   * Starts it, or finds that it was started: the same execution is one run, however often it is started.
   *
   * @returns `taken` where the deployment's id was used by something else
   */
  start(run: PlanRun, execution: ExecutionRef): Promise<'started' | 'taken'>;
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
