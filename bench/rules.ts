import { ZenEngine } from '@gorules/zen-engine';
import { Engine } from 'json-rules-engine';
import { Query } from 'mingo';
import type { JsonObject } from '../src/kernel/json';
import type { Condition } from '../src/rules/conditions/condition';
import { RuleMatcher } from '../src/rules/matching/rule-matcher';
import { alternate, median, type BenchRow } from './bench-row';
import { collector } from './collector';

const ROUNDS = 5;
const STATES = 64;
const [FEW, MANY, MOST] = [100, 1_000, 10_000] as const;
/** Values of each of the two equalities: with these, some twenty of 1,000 rules can match a state, and half of them do. */
const VALUES = 7;

interface Rule {
  region: string;
  tier: string;
  below: number;
}
type State = Rule & { load: number };

/** Rules of two equalities and a range; the same number for the same arguments. */
function rulesOf(count: number, values: number = VALUES): Rule[] {
  return Array.from({ length: count }, (_, at) => ({
    region: `r${at % values}`,
    tier: `t${Math.floor(at / values) % values}`,
    below: (at * 37) % 100,
  }));
}

const STATES_IN_TURN: State[] = Array.from({ length: STATES }, (_, at) => ({
  region: `r${(at * 3) % VALUES}`,
  tier: `t${(at * 5) % VALUES}`,
  load: (at * 29) % 100,
  below: 0,
}));

/** All rules that match a state, by their index, in ascending order. */
type Match = (state: State) => Promise<number[]> | number[];

function ours(rules: readonly Rule[]): Match {
  const conditions = rules.map(({ region, tier, below }): Condition => ({
    all: [
      { metric: 'node.region', operator: 'eq', value: region },
      { metric: 'node.tier', operator: 'eq', value: tier },
      { metric: 'node.load', operator: 'lt', value: below },
    ],
  }));
  const matcher = new RuleMatcher(conditions, new Map());
  return (state) => matcher.matching({ metrics: { node: state as unknown as JsonObject }, nowMs: 0 });
}

function jsonRulesEngine(rules: readonly Rule[]): Match {
  const engine = new Engine(
    rules.map(({ region, tier, below }, at) => ({
      conditions: {
        all: [
          { fact: 'region', operator: 'equal', value: region },
          { fact: 'tier', operator: 'equal', value: tier },
          { fact: 'load', operator: 'lessThan', value: below },
        ],
      },
      event: { type: String(at) },
    })),
  );
  return async (state) => {
    const { events } = await engine.run({ ...state });
    return events.map(({ type }) => Number(type)).sort((one, other) => one - other);
  };
}

function mingo(rules: readonly Rule[]): Match {
  const queries = rules.map(({ region, tier, below }) => new Query({ region, tier, load: { $lt: below } }));
  return (state) => queries.flatMap((query, at) => (query.test({ ...state }) ? [at] : []));
}

/** One decision table that collects all rows that match. */
function zen(rules: readonly Rule[]): Match {
  const table = {
    nodes: [
      { id: 'in', name: 'in', type: 'inputNode', position: { x: 0, y: 0 } },
      {
        id: 'table',
        name: 'table',
        type: 'decisionTableNode',
        position: { x: 1, y: 0 },
        content: {
          hitPolicy: 'collect',
          inputs: ['region', 'tier', 'load'].map((field) => ({ id: field, name: field, field })),
          outputs: [{ id: 'rule', name: 'rule', field: 'rule' }],
          rules: rules.map(({ region, tier, below }, at) => ({
            _id: String(at),
            region: JSON.stringify(region),
            tier: JSON.stringify(tier),
            load: `< ${below}`,
            rule: String(at),
          })),
        },
      },
      { id: 'out', name: 'out', type: 'outputNode', position: { x: 2, y: 0 } },
    ],
    edges: [
      { id: 'a', sourceId: 'in', targetId: 'table', type: 'edge' },
      { id: 'b', sourceId: 'table', targetId: 'out', type: 'edge' },
    ],
  };
  const decision = new ZenEngine().createDecision(Buffer.from(JSON.stringify(table)));
  return async (state) => {
    const { result } = (await decision.evaluate(state)) as { result: { rule: number }[] };
    return result.map(({ rule }) => rule).sort((one, other) => one - other);
  };
}

/** Milliseconds of one question, over all states in turn. */
async function perState(match: Match, turns: number): Promise<number> {
  const from = process.hrtime.bigint();
  for (let turn = 0; turn < turns; turn++) {
    for (const state of STATES_IN_TURN) {
      const found = match(state);
      // Ours answers at once: to await it would measure the queue of promises.
      if (found instanceof Promise) await found;
    }
  }
  return Number(process.hrtime.bigint() - from) / 1e6 / (turns * STATES);
}

/** @throws Error where the two find other rules */
async function checkEqual(name: string, one: Match, other: Match): Promise<void> {
  for (const state of STATES_IN_TURN) {
    const [expected, found] = [JSON.stringify(await one(state)), JSON.stringify(await other(state))];
    if (expected !== found) throw new Error(`${name} finds ${found} where ours finds ${expected}`);
  }
}

/** Matching rules of three conditions, all matches told, against other engines; and ours as the number of rules grows. */
export async function benchRules(): Promise<BenchRow[]> {
  const rules = rulesOf(MANY);
  const own = ours(rules);
  const rows: BenchRow[] = [];
  const others = [
    ['json-rules-engine', jsonRulesEngine, 500],
    ['@gorules/zen-engine', zen, 20],
    ['mingo', mingo, 10],
  ] as const;
  for (const [baseline, create, times] of others) {
    const other = create(rules);
    await checkEqual(baseline, own, other);
    const measured = await alternate(
      ROUNDS,
      () => perState(own, 200),
      () => perState(other, 1),
    );
    const row = { name: `Rules: ${MANY} rules of three conditions, all matches`, baseline, ...measured };
    rows.push({ ...row, target: `<= 1/${times}`, met: measured.ratio <= 1 / times, unit: 'ms' });
  }
  // As many matches in both: the others are about regions that no state has.
  const elsewhere = rulesOf(MOST - FEW).map((rule) => ({ ...rule, region: `other-${rule.region}` }));
  const [few, most] = [ours(rulesOf(FEW)), ours([...rulesOf(FEW), ...elsewhere])];
  await checkEqual('the larger set', few, most);
  const growth = await alternate(
    ROUNDS,
    () => perState(most, 200),
    () => perState(few, 200),
  );
  const name = `Rules: ${MOST} rules with the matches of ${FEW}`;
  rows.push({ name, baseline: `${FEW} rules`, ...growth, target: '<= 3', met: growth.ratio <= 3, unit: 'ms' });
  rows.push(memoryRow());
  return rows;
}

/** What an index over rules holds, beside the rules themselves. */
function memoryRow(): BenchRow {
  const held: Match[] = [];
  const collect = collector();
  const used = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const sizes = [0, 1, 2].map(() => {
    const before = used();
    held.push(ours(rulesOf(MOST)));
    return used() - before;
  });
  const documents = JSON.stringify(rulesOf(MOST)).length / 2 ** 20;
  const size = median(sizes) / 2 ** 20;
  const name = `Rules: memory of ${MOST} rules with their index`;
  return {
    name,
    baseline: 'as JSON',
    ours: size,
    base: documents,
    ratio: size / documents,
    target: 'stated',
    met: held.length > 0,
    unit: 'MiB',
  };
}
