import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/kernel/json';
import { readPolicies } from '../../src/rules/document/read-policies';
import type { DomainQuestion, DomainStep, RuleDomain } from '../../src/rules/domain';
import { answerRules } from '../../src/rules/evaluation/answer';
import { shardDomain } from '../../src/shards/domain';
import { Arrangement } from '../../src/shards/model/arrangement';
import { explainShard } from '../../src/shards/placement/explain-shard';
import { toPlacementRules } from '../../src/shards/placement/rules';
import { readState } from '../../src/shards/state/read-state';
import { explainWhyNot, type WhyNot } from '../../src/shards/why-not';
import { randomState } from './random-states';
import { decide, stateOf } from './support';

const STRATEGIES = ['least_loaded', 'most_loaded', 'spread', 'cheapest', 'random'] as const;

describe('explaining a shard', () => {
  it('names the node that would be best, why the present one differs, and what to do', () => {
    const state = readState(
      {
        nodes: [
          { id: 'n1', cpu_usage: 90 },
          { id: 'n2', cpu_usage: 10 },
          { id: 'n3', status: 'down' },
        ],
        shards: [{ id: 's1', replicas: ['n1'] }],
      },
      { file: 'state.json' },
    );
    const rules = toPlacementRules({});
    const found = explainShard(state.shards.get('s1')!, new Arrangement(state), rules, new Map(), 'n3');
    expect(found).toMatchObject({ best: { id: 'n2' }, whyNot: 'n3 is down', fit: { orphans: [] } });
    expect(found.replicas[0]!.advice).toMatch(/^move s1 from n1 to n2: n1 has .* points and n2 .*: load /);
  });

  it('agrees with what is decided on 1,000 random states, node by node', () => {
    let [asked, kept, wrong] = [0, 0, 0];
    for (let seed = 1; seed <= 1000; seed += 1) {
      const document = randomState(seed);
      const [first] = document.shards;
      if (first === undefined) continue;
      const shard = first.id as string;
      const strategy = STRATEGIES[seed % STRATEGIES.length]!;
      const isolated = seed % 3 === 0 ? { location_labels: ['region', 'zone'], isolation_level: 'zone' } : {};
      const settings = { strategy, seed, constraints: isolated };
      const state = stateOf(document);
      const { state: own } = state.own as { state: ReturnType<typeof readState> };
      const found = explainShard(own.shards.get(shard)!, new Arrangement(own), toPlacementRules(settings));
      // One more than count already, so that one is placed.
      const counted = 1 + counting(found);
      const one = { ...settings, constraints: { ...isolated, min_replicas: counted } };
      const decision = decide(state, 'placement', one, { shard });
      const chosen = decision.steps.map(({ settings: { to } }) => to);
      if (chosen[0] !== found.best?.id || chosen.length > 1) wrong += 1;
      for (const { id, kept: isKept } of found.nodes) {
        // Every other node dropped, the decision takes this one exactly when the explanation says that it may.
        const candidates = found.nodes.map((node) => ({
          id: node.id,
          kept: node.id === id,
          outcome: 'true' as const,
          reason: node.id === id ? '' : 'not asked',
        }));
        const actions = [{ policies: ['one'], action: { name: 'placement', settings: one as JsonObject }, candidates }];
        const taken = decide(state, 'placement', one, { shard, actions }).steps.map(({ settings: { to } }) => to);
        if ((taken[0] === id) !== isKept) wrong += 1;
        asked += 1;
        kept += Number(isKept);
      }
    }
    expect({ wrong, isEnough: asked > 4000 && kept > 1000 }).toEqual({ wrong: 0, isEnough: true });
  });
});

describe('explaining why a shard is not put on a node', () => {
  it('agrees with what all policies come to on 1,000 random states, for every node and every replica', () => {
    const outcomes: Record<string, number> = {};
    for (let seed = 1; seed <= 1000; seed += 1) {
      const document = randomState(seed);
      const [first] = document.shards;
      if (first === undefined) continue;
      const shard = first.id as string;
      const constraints = {
        min_replicas: 1 + (seed % 4),
        ...(seed % 3 === 0 ? { location_labels: ['region', 'zone'], isolation_level: 'zone' } : {}),
      };
      const policies = [
        {
          name: 'cool',
          priority: 1,
          conditions: { metric: 'node.cpu_usage', operator: 'lt', value: 70 },
          settings: {},
        },
        {
          name: 'all',
          conditions: { metric: 'shard.id', operator: 'exists' },
          settings: { strategy: STRATEGIES[seed % STRATEGIES.length]!, seed, constraints },
        },
      ];
      const { asked, steps, refusals } = decided(policies, document, shard);
      const taken = steps.map(({ settings: { to } }) => to);
      for (const { id } of document.nodes) {
        const found = asked(id as string);
        expect(found.flatMap(({ step }) => step ?? [])).toEqual(steps);
        for (const { step, outcome, node, chosen, sentence, rank } of found) {
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
          // The node that is said to be chosen is the one of the step, and the other way round.
          if (step !== undefined) {
            expect(chosen?.id).toBe(step.settings.to);
            expect(chosen?.kept).toBe(true);
            expect(outcome === 'chosen').toBe(step.settings.to === id);
          }
          expect(outcome === 'dropped').toBe(!node.kept);
          if (outcome === 'dropped') expect(sentence).toBe(`${id} ${node.reason}`);
          if (outcome === 'worse') expect(node.score!).toBeLessThan(chosen!.score!);
          if (outcome === 'equal') expect(node.score!).toBe(chosen!.score!);
          expect(rank === undefined).toBe(!node.kept);
        }
        // A node that gets a replica is the chosen one of one replica.
        const times = found.filter(({ step, outcome }) => step !== undefined && outcome === 'chosen').length;
        expect(times).toBe(taken.filter((node) => node === id).length);
      }
      if (refusals > 0) expect(steps).toEqual([]);
    }
    expect(Object.keys(outcomes).sort()).toEqual(expect.arrayContaining(['chosen', 'dropped', 'worse']));
    expect(Math.min(outcomes.chosen!, outcomes.dropped!, outcomes.worse!)).toBeGreaterThan(300);
  });
});

/** What policies come to for a shard, and what is said of a node; the question is the one that was decided. */
function decided(
  policies: readonly { name: string; conditions: object; settings: object }[],
  document: object,
  shard: string,
): { asked: (node: string) => WhyNot[]; steps: readonly DomainStep[]; refusals: number } {
  const set = readPolicies(
    policies.map(({ settings, ...policy }) => ({
      where: { file: 'rules.json' },
      document: { type: 'placement', ...policy, actions: { placement: settings } } as unknown as JsonObject,
    })),
    shardDomain,
  );
  let question: DomainQuestion | undefined;
  const recording: RuleDomain = {
    ...shardDomain,
    decide: (one) => {
      if (one.earlier !== undefined) question = { ...one, earlier: [...one.earlier] };
      return shardDomain.decide(one);
    },
  };
  const answer = answerRules(set.policies, stateOf(document, undefined, shard), recording, { ofSubjectsAlone: true });
  const steps = answer.actions.flatMap((action) => action.steps);
  return {
    asked: (node) => explainWhyNot(question!, steps, node),
    steps,
    refusals: answer.refusals.length,
  };
}

/** Replicas that count under the rules: all of them but those that are orphans for another reason than that there are enough. */
function counting({ fit: { roles, orphans } }: ReturnType<typeof explainShard>): number {
  const taken = roles.reduce((total, { nodes }) => total + nodes.length, 0);
  return taken + orphans.filter(({ reason }) => reason === 'no role needs one more replica').length;
}
