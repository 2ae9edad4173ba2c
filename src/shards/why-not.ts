import type { DomainQuestion, DomainStep } from '../rules/domain';
import { droppedBy, joined } from './decide';
import { arrangementAfter, ownState } from './evaluation/own-state';
import type { Arrangement } from './model/arrangement';
import { ofDomainStep } from './model/domain-step';
import type { Wanted } from './placement/barriers';
import { explainShard, whyNotChosen } from './placement/explain-shard';
import { bestFirst, rankNodes, type DroppedNodes, type RankedNode } from './placement/rank';
import type { Shard } from './state/cluster-state';
import { toPlacementRules, type PlacementChoice, type PlacementRules } from './placement/rules';

export const WhyNotOutcome = {
  /** the replica goes to the node that was asked about */
  chosen: 'chosen',
  /** something forbids the node */
  dropped: 'dropped',
  /** another node has more points */
  worse: 'worse',
  /** of equal points another one is the first by id */
  equal: 'equal',
  /** it has more points, but with it another replica would have no place, or a limit of the run forbids it */
  impossible: 'impossible',
} as const;
export type WhyNotOutcome = (typeof WhyNotOutcome)[keyof typeof WhyNotOutcome];

/** Why one replica goes where it goes, and not to the node that was asked about. */
export interface WhyNot {
  policies: readonly string[];
  action: string;
  /** undefined where nothing is placed: then the answer is for one more replica */
  step?: DomainStep;
  outcome: WhyNotOutcome;
  /** in one sentence */
  sentence: string;
  /** what to do so that the node is chosen, in one sentence */
  advice: string;
  /** the node that was asked about */
  node: RankedNode;
  /** the node that gets the replica; undefined where none is possible */
  chosen?: RankedNode;
  /** of the possible nodes, the best being 1; undefined for one that is not possible */
  rank?: number;
}

/** Actions that look for a node for one shard; the others look at all shards at once. */
const PLACING: readonly string[] = ['placement', 'replication', 'migration'];

/**
 * Why a shard's replicas are not put on a node: what was asked of the decision and what it came to, and before each step every
 * node ranked as the decision ranks it.
 *
 * @param question about the shard, as it was decided
 * @param steps what it came to
 * @param node one that the state has
 */
export function explainWhyNot(question: DomainQuestion, steps: readonly DomainStep[], node: string): WhyNot[] {
  const own = ownState(question.state);
  const shard = own.state.shards.get(question.subject.id ?? own.shard ?? '');
  if (shard === undefined) return [];
  const { arrangement } = arrangementAfter(question.earlier ?? [], own);
  return arrangement.trial(() => {
    const found: WhyNot[] = [];
    for (const { wanted, index } of joined(question.actions)) {
      const { name, settings } = wanted.action;
      const rules = toPlacementRules(settings as unknown as PlacementChoice);
      const dropped = droppedBy(wanted);
      const about = { policies: wanted.policies, action: name };
      const own = steps.filter(({ action, settings: { to } }) => action === index && to !== undefined);
      if (PLACING.includes(name)) {
        for (const step of own) {
          const asked = wantedBy(step, shard, rules);
          found.push({
            ...about,
            step,
            ...compare(node, asked, String(step.settings.to), arrangement, rules, dropped),
          });
          arrangement.apply(ofDomainStep(step));
        }
        if (own.length === 0) {
          const best = explainShard(shard, arrangement, rules, dropped).best?.id;
          found.push({ ...about, ...compare(node, { shard }, best, arrangement, rules, dropped) });
        }
      }
      for (const step of steps) {
        const isOther = step.action === index && !(PLACING.includes(name) && own.includes(step));
        if (isOther) arrangement.apply(ofDomainStep(step));
      }
    }
    return found;
  });
}

/** What the replica of a step was to be, as the decision asked for it. */
function wantedBy({ settings: { from, role } }: DomainStep, shard: Shard, { roles = [] }: PlacementRules): Wanted {
  const constraints = roles.find((one) => one.role === role)?.constraints;
  return {
    shard,
    ...(typeof from === 'string' ? { leaving: from } : {}),
    ...(constraints === undefined ? {} : { constraints }),
  };
}

function compare(
  node: string,
  wanted: Wanted,
  to: string | undefined,
  arrangement: Arrangement,
  rules: PlacementRules,
  dropped: DroppedNodes,
): Omit<WhyNot, 'policies' | 'action' | 'step'> {
  const ranked = rankNodes(wanted, arrangement, rules, dropped);
  const asked = ranked.find(({ id }) => id === node)!;
  const chosen = ranked.find(({ id }) => id === to);
  const possible = bestFirst(ranked).map(({ id }) => id);
  const rank = possible.indexOf(node) + 1;
  const outcome = outcomeOf(asked, chosen);
  return {
    outcome,
    sentence: SENTENCES[outcome](asked, chosen),
    advice: adviceFor(outcome, node, possible.slice(0, Math.max(0, rank - 1))),
    node: asked,
    ...(chosen === undefined ? {} : { chosen }),
    ...(rank === 0 ? {} : { rank }),
  };
}

function outcomeOf(asked: RankedNode, chosen: RankedNode | undefined): WhyNotOutcome {
  if (!asked.kept) return WhyNotOutcome.dropped;
  if (asked.id === chosen?.id) return WhyNotOutcome.chosen;
  const ahead = (chosen?.score ?? -Infinity) - asked.score!;
  if (ahead > 0) return WhyNotOutcome.worse;
  return ahead === 0 && chosen!.id < asked.id ? WhyNotOutcome.equal : WhyNotOutcome.impossible;
}

const SENTENCES: Readonly<Record<WhyNotOutcome, (asked: RankedNode, chosen: RankedNode | undefined) => string>> = {
  chosen: ({ id }) => `${id} is the one that is chosen`,
  dropped: ({ id, reason }) => `${id} ${reason}`,
  worse: whyNotChosen,
  equal: whyNotChosen,
  impossible: ({ id }) =>
    `${id} is possible and no worse, but with it the shard's other replicas have no place, or a limit of the run forbids it`,
};

function adviceFor(outcome: WhyNotOutcome, node: string, better: readonly string[]): string {
  switch (outcome) {
    case WhyNotOutcome.chosen:
      return 'nothing is to be done';
    case WhyNotOutcome.dropped:
      return `${node} becomes possible once that no longer holds`;
    case WhyNotOutcome.worse:
    case WhyNotOutcome.equal:
      return `${node} is number ${better.length + 1} of the possible nodes: it is chosen once it has more points than ${listed(better)}, or they are not possible`;
    case WhyNotOutcome.impossible:
      return `see what is refused, and the limits of the policy`;
    default:
      return outcome satisfies never;
  }
}

const MOST_NAMES = 5;

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
