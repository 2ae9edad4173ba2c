import { jsonBytes, LIMITS } from '../../kernel/limits';
import { shortText } from '../../kernel/short-text';
import type { PlanRun, RunKind } from './plan-run';

/**
 * What a run carries must pass through Temporal, which ends a run for a payload of more than 2 MB and takes no message of more
 * than 4 MB. The stages of a run are limited as those of every deployment.
 */
const MOST_GRAPH_BYTES = 512 * 1024;
/** Of the attributes of all nodes that may begin in one workflow task: each request for facts and for an action has them. */
const MOST_ATTRIBUTES_AT_ONCE = 2 * 1024 * 1024;
/** Of a run and of what it carries through continue-as-new, with room for encryption. */
export const MOST_CARRIED_BYTES = 1_900_000;
/** Characters of the messages of all nodes that are carried; the status of the Execution has them whole. */
const CARRIED_CHARS = 100_000;
const LEAST_CHARS = 100;

/** Why a run is too large for its workflow; undefined where it is not. */
export function graphSizeFault({ graph }: Pick<PlanRun, 'graph'>): string | undefined {
  const bytes = jsonBytes(graph);
  if (bytes <= MOST_GRAPH_BYTES) return undefined;
  return (
    `expected all that nodes wait for, and their criteria, to have at most ${MOST_GRAPH_BYTES} bytes as JSON, got ${bytes}: ` +
    'let a group wait for a single node in place of another group'
  );
}

/** How many nodes may run at once, so that their requests fit into one message. @param wanted at most */
export function parallelFor(wanted: number, attributes: object): number {
  return Math.max(1, Math.min(wanted, Math.floor(MOST_ATTRIBUTES_AT_ONCE / jsonBytes(attributes))));
}

/**
 * How a node ended, as it is carried to the next run: its message shortened where there are many nodes, and without the names of
 * those who approved a gate, which nothing in the run reads.
 *
 * @param nodes how many the run has
 */
export function carriedEnd<End extends { message?: string; outputs?: unknown }>(
  end: End,
  kind: RunKind,
  nodes: number,
): End {
  const most = Math.min(LIMITS.failureChars, Math.max(LEAST_CHARS, Math.floor(CARRIED_CHARS / nodes)));
  const carried = { ...end, ...(end.message === undefined ? {} : { message: shortText(end.message, most) }) };
  if (kind === 'Gate') delete carried.outputs;
  return carried;
}
