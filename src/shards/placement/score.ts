import type { Strategy } from '../actions/parts';
import { MEASURES, Measure } from '../actions/parts';
import { pureSha256 } from '../../kernel/sha256';
import type { Arrangement } from '../model/arrangement';
import { NodeStatus, type ClusterNode } from '../state/cluster-state';
import { keptNodes, type Wanted } from './barriers';
import { fulfils, greatestIsolation, isolationBeside } from './locations';
import type { PlacementRules } from './rules';

/** What speaks for a node; each part is the value of a term, 0 to 1, times its weight. */
export type ScoreParts = Readonly<Partial<Record<ScoreTerm, number>>>;

export type ScoreTerm = 'load' | 'isolation' | 'cost' | 'preferred' | 'random';

/** A strategy is a set of weights: its own term counts most, and load decides among what is equal in it. */
const WEIGHTS: Readonly<Record<Strategy, Partial<Record<ScoreTerm, number>>>> = {
  least_loaded: { load: 10 },
  most_loaded: { load: -10 },
  spread: { load: 1 },
  cheapest: { cost: 10, load: 1 },
  random: { random: 10 },
};

/** Location labels come first under every strategy, as in TiKV: a replica that is far away counts more than an even load. */
const ISOLATION_WEIGHT = 100;

/** The weight of each term under the rules; a term without a weight does not count. */
export function weightsOf(rules: PlacementRules): Partial<Record<ScoreTerm, number>> {
  const { load, ...own } = WEIGHTS[rules.strategy];
  return {
    ...own,
    ...(load === undefined ? {} : { load: load * rules.evenness }),
    ...(rules.locationLabels.length === 0 ? {} : { isolation: ISOLATION_WEIGHT }),
    ...(rules.preferred.length === 0 ? {} : { preferred: 10 }),
  };
}

/** The score of one node: the weighted sum of the terms. */
export function scoreOf(
  node: ClusterNode,
  wanted: Wanted,
  arrangement: Arrangement,
  rules: PlacementRules,
): { score: number; parts: ScoreParts } {
  const parts: Partial<Record<ScoreTerm, number>> = {};
  for (const [term, weight] of Object.entries(weightsOf(rules)) as [ScoreTerm, number][]) {
    parts[term] = rounded(weight * TERMS[term](node, wanted, arrangement, rules));
  }
  return { score: rounded(Object.values(parts).reduce((total, part) => total + part, 0)), parts };
}

type Term = (node: ClusterNode, wanted: Wanted, arrangement: Arrangement, rules: PlacementRules) => number;

const TERMS: Readonly<Record<ScoreTerm, Term>> = {
  /** 1 for an idle node, 0 for the fullest possible: the mean over the measures, after the placement */
  load(node, wanted, arrangement, rules) {
    const extra = arrangement.expectedLoad(wanted.shard);
    const measures = measuresOf(rules, arrangement);
    const shares = measures.map((measure) => {
      const at = MEASURES.indexOf(measure);
      const most = scaleOf(measure, arrangement, extra[at]!);
      return most === 0 ? 0 : (arrangement.loadOf(node.id)[at]! + extra[at]!) / most;
    });
    return 1 - shares.reduce((total, share) => total + share, 0) / shares.length;
  },
  /** how far it is from the shard's other replicas; 1 when all labels allow it, and when there is none */
  isolation(node, wanted, arrangement, { locationLabels }) {
    const others = keptNodes(wanted, arrangement);
    if (others.length === 0) return 1;
    return isolationBeside(node, others, locationLabels) / greatestIsolation(others.length, locationLabels);
  },
  /** 1 for what costs nothing, 0 for the dearest node and for one whose cost is not known */
  cost(node, _wanted, arrangement) {
    const dearest = Math.max(...arrangement.nodes.map(({ cost_per_hour: cost = 0 }) => cost));
    if (node.cost_per_hour === undefined) return 0;
    return dearest === 0 ? 1 : 1 - node.cost_per_hour / dearest;
  },
  /** the share of the preferences that it fulfils, by their weights */
  preferred(node, _wanted, _arrangement, { preferred }) {
    const whole = preferred.reduce((total, { weight = 1 }) => total + weight, 0);
    const met = preferred.reduce(
      (total, { weight = 1, ...requirement }) => (fulfils(node, requirement) ? total + weight : total),
      0,
    );
    return whole === 0 ? 0 : met / whole;
  },
  random(node, { shard }, _arrangement, { seed }) {
    return Number.parseInt(pureSha256(`${seed}\n${shard?.id ?? ''}\n${node.id}`).slice(0, 8), 16) / 2 ** 32;
  },
};

/** What load is measured by where the rules do not say: usages that every ready node has, and the number of replicas. */
export function measuresOf({ by }: PlacementRules, { nodes }: Arrangement): readonly Measure[] {
  if (by !== undefined) return by;
  const ready = nodes.filter(({ status }) => status === NodeStatus.ready);
  const usages = [Measure.cpu_usage, Measure.memory_usage, Measure.disk_usage] as const;
  const given = usages.filter((usage) => ready.every((node) => node[usage] !== undefined));
  return [...given, Measure.shards];
}

/** The load that counts as full: 100 percent, else the greatest load that there could be. */
function scaleOf(measure: Measure, arrangement: Arrangement, extra: number): number {
  if (measure !== Measure.qps && measure !== Measure.shards) return 100;
  const at = MEASURES.indexOf(measure);
  return Math.max(...arrangement.nodes.map(({ id }) => arrangement.loadOf(id)[at]!)) + extra;
}

/** Sums of the same terms in another order differ in their last digits, and these must not decide. */
function rounded(value: number): number {
  return Number(value.toFixed(9)) + 0;
}
