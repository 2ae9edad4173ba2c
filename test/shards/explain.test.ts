import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/kernel/json';
import { Arrangement } from '../../src/shards/model/arrangement';
import { explainShard } from '../../src/shards/placement/explain-shard';
import { toPlacementRules } from '../../src/shards/placement/rules';
import { readState } from '../../src/shards/state/read-state';
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

/** Replicas that count under the rules: all of them but those that are orphans for another reason than that there are enough. */
function counting({ fit: { roles, orphans } }: ReturnType<typeof explainShard>): number {
  const taken = roles.reduce((total, { nodes }) => total + nodes.length, 0);
  return taken + orphans.filter(({ reason }) => reason === 'no role needs one more replica').length;
}
