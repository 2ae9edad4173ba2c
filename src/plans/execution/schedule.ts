import { NodePhase } from '../kinds/phases';

/** A node, and what it waits for. */
export interface ScheduledNode {
  id: string;
  /** must have succeeded */
  hard: readonly string[];
  /** must have ended, in any way */
  soft: readonly string[];
}

export interface Schedule {
  /** each behind all that it waits for */
  nodes: readonly ScheduledNode[];
  /** nodes at once; 1 or more */
  maxParallel: number;
  /** once a node has failed nothing more begins, and what was done is taken back; @default false */
  compensates?: boolean;
}

/** By the ids of the nodes; one that is absent is Pending. */
export type NodePhases = ReadonlyMap<string, NodePhase>;

/** What follows from how far the nodes are. */
export interface Turn {
  /** those that can begin now, in the order of the plan */
  start: string[];
  /** those that never can, and why */
  skip: { id: string; because: string }[];
  /** nothing is under way, and nothing can begin any more */
  isOver: boolean;
}

const ENDED: readonly NodePhase[] = [NodePhase.Succeeded, NodePhase.Failed, NodePhase.Skipped, NodePhase.Cancelled];
const ACTIVE: readonly NodePhase[] = [NodePhase.Running, NodePhase.Blocked];

/** Whether a node in this phase does nothing any more. */
export function nodeHasEnded(phase: NodePhase): boolean {
  return ENDED.includes(phase);
}

/** Whether a node in this phase did something, or was about to. */
export function nodeHasBegun(phase: NodePhase): boolean {
  return phase !== NodePhase.Pending && phase !== NodePhase.Skipped;
}

/**
 * Which nodes begin now, and which never will: a node begins when what it waits for hard has succeeded and what it waits for
 * softly has ended. One whose hard dependency ended otherwise is skipped, and so is what depends on it in turn; so is every one
 * after a failure that is compensated.
 */
export function nextTurn({ nodes, maxParallel, compensates = false }: Schedule, phases: NodePhases): Turn {
  const known = new Map(phases);
  const phaseOf = (id: string): NodePhase => known.get(id) ?? NodePhase.Pending;
  const failed = compensates ? nodes.find(({ id }) => phaseOf(id) === NodePhase.Failed) : undefined;
  let free = maxParallel - nodes.filter(({ id }) => ACTIVE.includes(phaseOf(id))).length;
  const start: string[] = [];
  const skip: Turn['skip'] = [];
  for (const { id, hard, soft } of nodes) {
    if (phaseOf(id) !== NodePhase.Pending) continue;
    const broken = hard.find((from) => nodeHasEnded(phaseOf(from)) && phaseOf(from) !== NodePhase.Succeeded);
    if (broken !== undefined) {
      skip.push({ id, because: `node ${broken}, which it depends on, ${ENDS[phaseOf(broken)] ?? 'ended'}` });
      known.set(id, NodePhase.Skipped);
      continue;
    }
    if (failed !== undefined) {
      skip.push({ id, because: `node ${failed.id} failed, and what was done is compensated` });
      known.set(id, NodePhase.Skipped);
      continue;
    }
    const isReady = [...hard, ...soft].every((from) => nodeHasEnded(phaseOf(from)));
    if (!isReady || free <= 0) continue;
    free -= 1;
    start.push(id);
  }
  const isOver = start.length === 0 && nodes.every(({ id }) => nodeHasEnded(phaseOf(id)));
  return { start, skip, isOver };
}

const ENDS: Partial<Record<NodePhase, string>> = {
  [NodePhase.Failed]: 'failed',
  [NodePhase.Skipped]: 'was skipped',
  [NodePhase.Cancelled]: 'was cancelled',
};

/** The nodes that are no longer skipped when this one is run again: those that depend on it through skipped ones alone. */
export function skippedBehind({ nodes }: Pick<Schedule, 'nodes'>, phases: NodePhases, id: string): string[] {
  const behind = new Set([id]);
  for (const node of nodes) {
    if (phases.get(node.id) === NodePhase.Skipped && node.hard.some((from) => behind.has(from))) behind.add(node.id);
  }
  behind.delete(id);
  return [...behind];
}
