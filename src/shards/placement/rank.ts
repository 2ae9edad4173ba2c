import type { Arrangement } from '../model/arrangement';
import { barriers, type Wanted } from './barriers';
import type { PlacementRules } from './rules';
import { scoreOf, type ScoreParts } from './score';

/** A node as a place for a replica. */
export interface RankedNode {
  id: string;
  kept: boolean;
  /** why it is dropped; empty for one that is kept */
  reason: string;
  score?: number;
  parts?: ScoreParts;
}

/** Why the conditions of policies drop a node, by its id; a node that is absent is kept. */
export type DroppedNodes = ReadonlyMap<string, string>;

export const NONE_DROPPED: DroppedNodes = new Map();

/** Every node by id, with what forbids it or what speaks for it. */
export function rankNodes(
  wanted: Wanted,
  arrangement: Arrangement,
  rules: PlacementRules,
  dropped: DroppedNodes = NONE_DROPPED,
): RankedNode[] {
  return arrangement.nodes.map((node) => {
    const found = barriers(node, wanted, arrangement, rules);
    const reason = found.length > 0 ? found.join('; ') : dropped.get(node.id);
    if (reason !== undefined) return { id: node.id, kept: false, reason };
    const { score, parts } = scoreOf(node, wanted, arrangement, rules);
    return { id: node.id, kept: true, reason: '', score, parts };
  });
}

/** Those that are kept, the best first; of equal ones the first by id. */
export function bestFirst(ranked: readonly RankedNode[]): RankedNode[] {
  return ranked
    .filter(({ kept }) => kept)
    .sort((one, other) => other.score! - one.score! || (one.id < other.id ? -1 : 1));
}
