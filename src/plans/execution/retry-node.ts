import type { Execution } from '../kinds/execution';
import { ExecutionPhase, NodePhase } from '../kinds/phases';
import type { PinnedPlan } from './compile-execution';
import { hasEnded, placeOf, reportsOf, type NodeStatus } from './follow-run';
import type { NodeSoFar, RunSoFar } from './plan-run';
import type { Schedule } from './schedule';

/** Why a node can never be run again, a sentence: the plan, as it was pinned, has none of that name, or it is a group. */
export function unknownNodeFault(plan: PinnedPlan, node: string): string | undefined {
  const { nodes } = plan.spec.graph;
  const found = nodes.find(({ id }) => id === node);
  if (found === undefined)
    return `expected one of its nodes ${nodes.map(({ id }) => id).join(', ')}, got ${JSON.stringify(node)}`;
  return found.kind === 'Group' ? `node ${node} is a group: run the node of it again that failed` : undefined;
}

/**
 * Why a node of an execution is not run again now, a sentence; undefined where it can be. Only what failed is run again, of an
 * execution that is under way or has failed.
 */
export function retryFault({ metadata, status = {} }: Execution, node: string): string | undefined {
  const phase = status.nodeStatuses?.[node]?.phase ?? NodePhase.Pending;
  if (hasEnded({ status }) && status.phase !== ExecutionPhase.Failed)
    return `execution ${metadata.name} is ${status.phase}: only one that failed, or is under way, can be continued`;
  if (phase !== NodePhase.Failed) return `node ${node} is ${phase}: only a node that failed is run again`;
  return undefined;
}

/**
 * Where a new run of an execution continues that has failed: what succeeded stays, and the node begins again, with all that was
 * skipped, stopped or taken back. Another node that failed stays so, unless failures are compensated: it would end this run too.
 */
export function runAgain({ status }: Execution, schedule: Schedule, node: string, request: string): RunSoFar {
  const known = status?.nodeStatuses ?? {};
  const phases = new Map(
    schedule.nodes.map(({ id }) => [id, (known[id]?.phase ?? NodePhase.Pending) as NodePhase] as const),
  );
  const isAgain = (id: string): boolean => {
    const phase = phases.get(id);
    if (phase === NodePhase.Failed) return id === node || schedule.compensates === true;
    return phase !== NodePhase.Succeeded;
  };
  const places = placesOf(schedule, known);
  const nodes = schedule.nodes.map(({ id }): [string, NodeSoFar] => {
    const { attempt, message, outputs } = known[id] ?? {};
    if (isAgain(id))
      return [id, { phase: NodePhase.Pending, ...(attempt === undefined ? {} : { attempt: attempt + 1 }) }];
    const place = places.get(id);
    return [
      id,
      {
        phase: phases.get(id)!,
        ...(attempt === undefined ? {} : { attempt }),
        ...(place === undefined ? {} : { place }),
        ...(outputs === undefined ? {} : { outputs: outputs as NonNullable<NodeSoFar['outputs']> }),
        ...(message === undefined ? {} : { message }),
      },
    ];
  });
  return { nodes: Object.fromEntries(nodes), reports: reportsOf(status), request };
}

/** The nodes that succeeded, numbered in the order in which they did; where that is not known, in that of the plan. */
function placesOf({ nodes }: Schedule, known: Readonly<Record<string, NodeStatus>>): Map<string, number> {
  const done = nodes.flatMap(({ id }, at) => {
    const status = known[id];
    return status?.phase === NodePhase.Succeeded ? [{ id, at, place: placeOf(status) ?? 0 }] : [];
  });
  done.sort((one, other) => one.place - other.place || one.at - other.at);
  return new Map(done.map(({ id }, index) => [id, index + 1]));
}
