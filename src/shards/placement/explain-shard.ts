import type { Arrangement } from '../model/arrangement';
import type { Shard } from '../state/cluster-state';
import { fitReplicas, wantedRoles, type ReplicaFit } from './fit';
import { bestFirst, NONE_DROPPED, rankNodes, type DroppedNodes, type RankedNode } from './rank';
import type { PlacementRules } from './rules';

/** One replica of a shard where it is, beside where it would be put now. */
export interface ExplainedReplica {
  node: string;
  /** the node as a place for this replica, as if it were not there yet */
  here: RankedNode;
  /** the node that would be chosen now; undefined when none is possible */
  best?: RankedNode;
  /** what follows, in one sentence */
  advice: string;
}

export interface ShardExplanation {
  shard: string;
  replicas: ExplainedReplica[];
  /** every node for one more replica, the code that places it being asked */
  nodes: RankedNode[];
  /** the node that one more replica would be put on */
  best?: RankedNode;
  fit: ReplicaFit;
  /** why the node that was asked about is not chosen */
  whyNot?: string;
}

/**
 * Why a shard's replicas are where they are, and where they would be put: `rankNodes`, which decides placements and moves, answers
 * for every node.
 *
 * @param whyNot a node that the state has
 */
export function explainShard(
  shard: Shard,
  arrangement: Arrangement,
  rules: PlacementRules,
  dropped: DroppedNodes = NONE_DROPPED,
  whyNot?: string,
): ShardExplanation {
  const nodes = rankNodes({ shard }, arrangement, rules, dropped);
  const [best] = bestFirst(nodes);
  const held = arrangement.placesOf(shard.id).filter(({ phase }) => phase === 'here');
  const replicas = held
    .map(({ node }) => node)
    .sort()
    .map((node) => explainReplica(shard, node, arrangement, rules, dropped));
  const asked = nodes.find(({ id }) => id === whyNot);
  return {
    shard: shard.id,
    replicas,
    nodes,
    ...(best === undefined ? {} : { best }),
    fit: fitReplicas(shard, arrangement, rules, wantedRoles(rules)),
    ...(asked === undefined ? {} : { whyNot: whyNotChosen(asked, best) }),
  };
}

function explainReplica(
  shard: Shard,
  node: string,
  arrangement: Arrangement,
  rules: PlacementRules,
  dropped: DroppedNodes,
): ExplainedReplica {
  const removal = { shard: shard.id, from: node };
  // Taken away, the replica neither fills its node nor stands in the way of itself.
  arrangement.apply(removal);
  const ranked = rankNodes({ shard }, arrangement, rules, dropped);
  arrangement.undo(removal);
  const here = ranked.find(({ id }) => id === node)!;
  const [best] = bestFirst(ranked);
  return { node, here, ...(best === undefined ? {} : { best }), advice: adviceFor(shard.id, here, best) };
}

function adviceFor(shard: string, here: RankedNode, best: RankedNode | undefined): string {
  if (best === undefined)
    return `leave ${shard} on ${here.id}: no node is possible${here.kept ? '' : `, though it ${here.reason}`}`;
  if (best.id === here.id) return `leave ${shard} on ${here.id}: it is the best`;
  const why = here.kept ? whyNotChosen(here, best) : `${here.id} ${here.reason}`;
  return `move ${shard} from ${here.id} to ${best.id}: ${why}`;
}

/** The terms in which another node is better, the greatest difference first. */
export function whyNotChosen(node: RankedNode, best: RankedNode | undefined): string {
  if (!node.kept) return `${node.id} ${node.reason}`;
  if (best === undefined || best.id === node.id) return `${node.id} is the one that would be chosen`;
  const terms = Object.entries(best.parts!).map(([term, part]) => {
    const mine = (node.parts as Record<string, number>)[term]!;
    return { term, difference: part - mine, text: `${term} ${mine.toFixed(2)} and ${part.toFixed(2)}` };
  });
  const better = terms
    .filter(({ difference }) => difference > 0)
    .sort((one, other) => other.difference - one.difference);
  const why = better.length === 0 ? 'equal, and first by id' : better.map(({ text }) => text).join(', ');
  return `${node.id} has ${node.score} points and ${best.id} ${best.score}: ${why}`;
}
