import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/kernel/json';
import { readPolicies } from '../../src/rules/document/read-policies';
import { shardDomain } from '../../src/shards/domain';
import { measuresOf } from '../../src/shards/simulate/measures';
import { reportMarkdown, reportRows } from '../../src/shards/simulate/report-text';
import { simulate, type SimulationReport } from '../../src/shards/simulate/simulate';
import { simulateQuestion } from '../../src/shards/simulate/simulate-question';
import { parseSweep, withValue } from '../../src/shards/simulate/sweep';
import { termTotals } from '../../src/shards/simulate/term-totals';
import { withNodes } from '../../src/shards/simulate/what-if';
import { NOW_MS } from './support';

const EVEN: JsonObject = {
  name: 'even-load',
  type: 'load_balancing',
  conditions: { metric: 'cluster.nodes_ready', operator: 'gte', value: 2 },
  actions: { balance: { by: 'qps' } },
};
const TWO_REPLICAS: JsonObject = {
  name: 'two-replicas',
  type: 'replication',
  conditions: { metric: 'shard.replica_count', operator: 'lt', value: 2 },
  actions: { replication: { factor: 2 } },
};
const STATE: JsonObject = {
  nodes: [
    { id: 'n1', region: 'eu', cpu_usage: 60, cost_per_hour: 1 },
    { id: 'n2', region: 'us', cpu_usage: 20, cost_per_hour: 2 },
  ],
  shards: [10, 8, 6, 4].map((qps, at) => ({ id: `s${at}`, qps, replicas: ['n1'] })),
};

function setOf(...documents: JsonObject[]) {
  return readPolicies(
    documents.map((document) => ({ where: { file: 'rules.json' }, document })),
    shardDomain,
  );
}

function run(documents: JsonObject[], state = STATE, others: object = {}): SimulationReport {
  const { policies } = setOf(...documents);
  return simulate({ name: 'one', policies, state, where: { file: 'state.json' }, nowMs: NOW_MS, ...others });
}

describe('the measures of a cluster', () => {
  const measured = (state: JsonObject, steps: Parameters<typeof measuresOf>[1] = []) =>
    measuresOf(shardDomain.readState(state, { file: 'state.json' }, { nowMs: NOW_MS }), steps);

  it('the measures of a cluster are those of the simulation, before steps and after them', () => {
    const settings = { shard: 's0', from: 'n1', to: 'n2' };
    const move = { kind: 'move', action: 0, subject: 's0', settings, sentence: 'moved' };
    expect(measured(STATE)).toEqual({
      ...{ load_spread: 2, utilization: 40, cost: 1, replicas: 4 },
      ...{ qps_max: 28, qps_mean: 14, qps_variance: 196 },
    });
    expect(measured(STATE, [move])).toMatchObject({ load_spread: 1.5, cost: 3, replicas: 4, qps_max: 18 });
  });

  it('a cost that is not known of every node in use is no measure', () => {
    const nodes: JsonObject[] = [{ id: 'n1' }, { id: 'n2', cost_per_hour: 2 }];
    expect(measured({ ...STATE, nodes })).not.toHaveProperty('cost');
    expect(measured({ ...STATE, nodes })).not.toHaveProperty('utilization');
    expect(measured({ ...STATE, nodes })).toMatchObject({ load_spread: 2, replicas: 4 });
  });
});

describe('a simulation', () => {
  it('compares load, cost and replicas before and after, and leaves the state as it is', () => {
    const copy = structuredClone(STATE);
    const report = run([EVEN]);
    expect(STATE).toEqual(copy);
    expect(report).toMatchObject({
      moves: 2,
      additions: 0,
      cost_change: 2,
      before: { load: { qps: { max: 28, mean: 14, variance: 196 } }, cost: 1, replicas_per_region: { eu: 4, us: 0 } },
      after: { load: { qps: { max: 14, mean: 14, variance: 0 } }, cost: 3, replicas_per_region: { eu: 2, us: 2 } },
      noncompliant: { 'even-load': 2 },
    });
    // The usage goes with the queries: half of 60 percent.
    expect(report.after.nodes).toEqual([
      { node: 'n1', status: 'ready', shards: 2, qps: 14, cpu_usage: 30 },
      { node: 'n2', status: 'ready', shards: 2, qps: 14, cpu_usage: 50 },
    ]);
    expect(run([EVEN])).toEqual(report);
  });

  it('asks every operation that there are policies for, each over what the one before it leaves', () => {
    const report = run([EVEN, TWO_REPLICAS]);
    expect(report).toMatchObject({ additions: 4, moves: 0, noncompliant: { 'two-replicas': 4 } });
    expect(report.after.load_spread).toBe(1);
    expect(run([EVEN, TWO_REPLICAS], STATE, { operation: 'balance' })).toMatchObject({ additions: 0, moves: 2 });
    expect(run([TWO_REPLICAS], STATE, { shard: 's2' })).toMatchObject({ additions: 1 });
  });

  it('leaves nodes out with their replicas, and adds nodes', () => {
    const changed = withNodes(STATE, { without: ['n1'], add: [{ region: 'eu', count: 2, cost_per_hour: 3 }] });
    expect(run([TWO_REPLICAS], changed)).toMatchObject({
      before: { replicas: 0, cost: 0 },
      after: { replicas: 8, replicas_per_region: { eu: expect.any(Number), us: expect.any(Number) } },
    });
    expect(() => withNodes(STATE, { without: ['n9'] })).toThrow('got n9: there is none');
    expect(() => withNodes(STATE, { add: [{ count: 0 }] })).toThrow('from 1 to 10000, got 0');
  });

  it('sweeps over a value of a policy', () => {
    const sweep = parseSweep('even-load:/actions/balance/threshold=0..100/50');
    expect(sweep).toEqual({ policy: 'even-load', pointer: '/actions/balance/threshold', values: [0, 50, 100] });
    const moves = sweep.values.map((value) => run([withValue(EVEN, sweep.pointer, value)]).moves);
    expect(moves).toEqual([2, 1, 0]);
    expect(parseSweep('a:/b=0.1..0.3/0.1').values).toEqual([0.1, 0.2, 0.3]);
  });

  it.each(['even-load', 'a:b=1..2', 'a:/b=1..2/0', 'a:/b=2..1', 'a:/b=0..100000'])('refuses the sweep %s', (text) => {
    expect(() => parseSweep(text)).toThrow(/expected/);
  });

  it('refuses a sweep over a place that the policy does not have', () => {
    expect(() => withValue(EVEN, '/actions/placement/seed', 1)).toThrow('there is no such place');
  });

  it('is shown side by side, as rows and as Markdown', () => {
    const reports = [run([EVEN]), { ...run([TWO_REPLICAS]), name: 'a|b' }];
    expect(reportRows(reports)).toContainEqual(['qps of a node, greatest', '28 → 14', '28']);
    expect(reportMarkdown(reports).slice(0, 3)).toEqual(['|  | one | a\\|b |', '|---|---|---|', '| moves | 2 | 0 |']);
    expect(reportMarkdown(reports)).toContain('| n1 | ready | 4 → 2 | 28 → 14 | 60 → 30 |');
  });

  it('has each term of the objective before and after, of every run', () => {
    const reports = [run([EVEN]), run([TWO_REPLICAS])];
    expect(reports[0]!.terms).toContainEqual({ action: 'balance', term: 'evenness', weight: 1, before: 2, after: 1 });
    const replication = reports[1]!.terms.find(({ term }) => term === 'evenness')!;
    expect(replication).toMatchObject({ action: 'replication', before: 2, after: expect.closeTo(8 / 7, 10) });
    const rows = reportRows(reports);
    expect(rows).toContainEqual(['balance: evenness, weight 1', '2 → 1', '-']);
    expect(rows).toContainEqual([`replication: evenness, weight ${replication.weight}`, '-', '2 → 1.14']);
  });

  it('sums the terms that each decision counts for its own shard', () => {
    const term = (name: string, before: number, after: number) => ({ name, weight: 1, before, after });
    const decided = (...terms: ReturnType<typeof term>[]) => ({ action: { name: 'placement', settings: {} }, terms });
    const actions = [
      decided(term('evenness', 3, 2), term('isolation', 1, 2)),
      decided(term('evenness', 2, 1), term('isolation', 3, 4)),
    ];
    expect(termTotals(actions)).toEqual([
      { action: 'placement', term: 'evenness', weight: 1, before: 3, after: 1 },
      { action: 'placement', term: 'isolation', weight: 1, before: 4, after: 6 },
    ]);
  });

  it('answers the service with what is stored and what is tried', () => {
    const [before, after] = [setOf(EVEN), setOf(EVEN, TWO_REPLICAS)];
    const question = { before, after, state: STATE, nowMs: NOW_MS, options: { add: [{ region: 'eu' }] } };
    expect(simulateQuestion(question).runs).toMatchObject([
      { name: 'stored', additions: 0 },
      { name: 'tried', additions: 4 },
    ]);
    expect(() => simulateQuestion({ ...question, options: { withot: ['n1'] } })).toThrow('withot');
  });
});
