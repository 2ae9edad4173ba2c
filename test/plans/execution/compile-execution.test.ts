import { describe, expect, it } from '@jest/globals';
import { chooseTarget } from '../../../src/plans/execution/choose-target';
import { compileExecution } from '../../../src/plans/execution/compile-execution';
import {
  goalStatusAfter,
  lastReport,
  statusAfter,
  type NodeReport,
  type RunReport,
} from '../../../src/plans/execution/follow-run';
import type { Binding } from '../../../src/plans/kinds/binding';
import type { JsonObject } from '../../../src/kernel/json';
import type { Execution } from '../../../src/plans/kinds/execution';
import type { Goal } from '../../../src/plans/kinds/goal';
import type { NodePhase } from '../../../src/plans/kinds/phases';
import type { Graph, PlanNode } from '../../../src/plans/kinds/plan';

type Rule = Binding['spec']['rules'][number];
const meta = (name: string) => ({ name, namespace: 'prod' });
const binding = (name: string, rules: Rule[], strategy?: Binding['spec']['strategy']): Binding => ({
  apiVersion: 'planspec.io/v1alpha1',
  kind: 'Binding',
  metadata: meta(name),
  spec: { rules, ...(strategy === undefined ? {} : { strategy }) },
});
const rule = (selector: Rule['selector'], provider: string, priority?: number): Rule => ({
  selector,
  target: { provider },
  ...(priority === undefined ? {} : { priority }),
});
const execution = (spec: Partial<Execution['spec']> = {}): Execution => ({
  apiVersion: 'planspec.io/v1alpha1',
  kind: 'Execution',
  metadata: { ...meta('go'), generation: 1 },
  spec: { planRef: { name: 'plan' }, ...spec },
});
const task = (id: string, more: Partial<PlanNode> = {}): PlanNode => ({ id, kind: 'Task', ...more });
const all = [binding('all', [rule({}, 'none')])];
const compile = (graph: Graph, more: { annotations?: Record<string, string>; labels?: Record<string, string> } = {}) =>
  compileExecution({
    execution: execution({ parameters: { risk: 'low' } }),
    plan: { name: 'plan', ...more, spec: { description: 'a plan', graph } },
    bindings: all,
  });

describe('the target of a task', () => {
  const node = { id: 'copy', capabilityRefs: [{ name: 'call' }] };
  const forCapability = { capabilityRef: { name: 'call' } };
  const forNode = { planRef: { name: 'plan' }, nodeId: 'copy' };
  const choose = (bindings: Binding[], spec: Partial<Execution['spec']> = {}) =>
    chooseTarget({ node, plan: { name: 'plan', labels: { tier: 'gold' } }, execution: spec, bindings });
  const provider = (bindings: Binding[], spec: Partial<Execution['spec']> = {}) => {
    const chosen = choose(bindings, spec);
    return 'fault' in chosen ? chosen.fault : chosen.target.provider;
  };

  it.each<[string, Binding[], Partial<Execution['spec']>, string]>([
    [
      'a rule for the node is before one for a capability',
      [binding('b', [rule(forCapability, 'x', 9), rule(forNode, 'y')])],
      {},
      'y',
    ],
    [
      'a rule for a capability is before one for labels',
      [binding('b', [rule({ matchLabels: { tier: 'gold' } }, 'x', 9), rule(forCapability, 'y')])],
      {},
      'y',
    ],
    [
      'the higher priority comes first at one level',
      [binding('b', [rule(forCapability, 'x', 1), rule(forCapability, 'y', 2)])],
      {},
      'y',
    ],
    [
      'at a tie the earlier rule comes first',
      [binding('b', [rule(forCapability, 'x'), rule(forCapability, 'y')])],
      {},
      'x',
    ],
    [
      'at a tie of places the lesser name comes first',
      [binding('b', [rule(forCapability, 'x')]), binding('a', [rule(forCapability, 'y')])],
      {},
      'y',
    ],
    [
      'the binding that is named for the node is asked alone',
      [binding('a', [rule(forNode, 'x')]), binding('b', [rule({}, 'y')])],
      { nodeBindings: { copy: { name: 'b' } } },
      'y',
    ],
    [
      'the common binding comes before all others',
      [binding('a', [rule(forNode, 'x')]), binding('b', [rule({}, 'y')])],
      { bindingRef: { name: 'b' } },
      'y',
    ],
    [
      'where the common binding has none, all are asked',
      [binding('a', [rule(forNode, 'x')]), binding('b', [rule({ nodeId: 'z' }, 'y')])],
      { bindingRef: { name: 'b' } },
      'x',
    ],
  ])('%s', (_what, bindings, spec, wanted) => {
    expect(provider(bindings, spec)).toBe(wanted);
  });

  it.each<[string, Binding[], Partial<Execution['spec']>, string]>([
    [
      'no rule fits',
      [binding('b', [rule({ matchLabels: { tier: 'silver' } }, 'x')])],
      {},
      'no rule of a binding is for node copy and its capabilities call',
    ],
    [
      'a named binding is missing',
      [],
      { nodeBindings: { copy: { name: 'b' } } },
      'nodeBindings.copy names binding b, which does not exist',
    ],
    [
      'a named binding has no rule for it',
      [binding('b', [rule({ nodeId: 'z' }, 'x')])],
      { nodeBindings: { copy: { name: 'b' } } },
      'no rule of binding b (nodeBindings.copy) is for node copy',
    ],
    [
      'the common binding is missing',
      [],
      { bindingRef: { name: 'b' } },
      'bindingRef names binding b, which does not exist',
    ],
    [
      'two rules tie and ErrorOnConflict is set',
      [binding('b', [rule({}, 'x'), rule({}, 'y')], 'ErrorOnConflict')],
      {},
      'rules[0] of binding b and rules[1] of binding b are both for node copy, and ErrorOnConflict is set',
    ],
  ])('there is none when %s', (_what, bindings, spec, wanted) => {
    expect(provider(bindings, spec)).toBe(wanted);
  });
});

describe('the run of an execution', () => {
  it.each<[string, Graph, string[]]>([
    ['nodes without edges keep the order of the plan', { nodes: [task('b'), task('a')] }, ['b', 'a']],
    ['a node waits for what it depends on', { nodes: [task('b', { dependsOn: ['a'] }), task('a')] }, ['a', 'b']],
    [
      'a soft edge orders',
      { nodes: [task('b'), task('a')], edges: [{ from: 'a', to: 'b', type: 'soft' }] },
      ['a', 'b'],
    ],
    [
      'who waits for a group waits for its members, also in groups',
      {
        nodes: [
          task('end', { dependsOn: ['outer'] }),
          { id: 'outer', kind: 'Group', children: ['inner', 'x'] },
          { id: 'inner', kind: 'Group', children: ['y'] },
          task('x'),
          task('y'),
        ],
      },
      ['x', 'y', 'end'],
    ],
    [
      'a group orders none of its members',
      { nodes: [{ id: 'g', kind: 'Group', children: ['b', 'a'], dependsOn: ['c'] }, task('a'), task('b'), task('c')] },
      ['a', 'b', 'c'],
    ],
  ])('%s', (_what, graph, order) => {
    expect(compile(graph).run?.stages.map(({ name }) => name)).toEqual(order);
  });

  it('a run of 1,000 nodes in a chain is in order', () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => `n${index}`);
    const nodes = ids.map((id, index) => task(id, index === 0 ? {} : { dependsOn: [ids[index - 1]!] })).reverse();
    expect(compile({ nodes }).run?.stages.map(({ name }) => name)).toEqual(ids);
  });

  it('the deployment has the labels of the plan and the parameters as attributes, and a stage the inputs of its node', () => {
    const { run } = compile({ nodes: [task('a', { inputs: { n: 1 } })] }, { labels: { tier: 'gold', risk: 'low' } });
    expect(run).toEqual({
      id: 'prod.go',
      attributes: { tier: 'gold', risk: 'low' },
      stages: [{ name: 'a', attributes: { n: 1 }, action: { type: 'none' } }],
      graph: { maxParallel: 100, nodes: [{ id: 'a', kind: 'Task', hard: [], soft: [] }] },
    });
  });

  it('a node waits for the members of a group in its place, and hard where an edge is both', () => {
    const nodes: PlanNode[] = [
      task('end', { dependsOn: ['outer'] }),
      { id: 'outer', kind: 'Group', children: ['x', 'y'] },
      task('x'),
      task('y'),
      task('z'),
    ];
    const edges = [
      { from: 'z', to: 'end', type: 'soft' as const },
      { from: 'x', to: 'end', type: 'soft' as const },
    ];
    const end = compile({ nodes, edges }).run?.graph.nodes.find(({ id }) => id === 'end');
    expect(end).toEqual({ id: 'end', kind: 'Task', hard: ['x', 'y'], soft: ['z'] });
  });

  it('retries and timeout of a node are those of its run', () => {
    const { run } = compile({ nodes: [task('a', { retries: 2, timeout: '1m30s' })] });
    expect(run?.graph.nodes).toEqual([{ id: 'a', kind: 'Task', hard: [], soft: [], retries: 2, timeoutMs: 90_000 }]);
  });

  it.each(['0s', '8785h'])('a timeout of %s is refused with what is expected', (timeout) => {
    expect(compile({ nodes: [task('a', { timeout })] }).faults).toEqual([
      `node a: expected timeout to be more than 0s and at most 8784h, got ${timeout}`,
    ]);
  });

  it.each(['0', '101', '4.5', '-1', '', 'many'])('gate/max-parallel %j is refused with what is expected', (text) => {
    expect(compile({ nodes: [task('a')] }, { annotations: { 'gate/max-parallel': text } }).faults).toEqual([
      `annotation gate/max-parallel: expected a number from 1 to 100, got "${text}"`,
    ]);
  });

  it('everything that cannot be carried out is refused by its name', () => {
    const criterion = { type: 'custom', name: 'well' } as never;
    const nodes: PlanNode[] = [
      task('a', { when: '1 +', outputs: ['x'], acceptanceCriteria: [criterion] }),
      { id: 'ask', kind: 'Gate', gateRef: { name: 'g', namespace: 'other' }, timeout: '0s' },
      {
        id: 'wait',
        kind: 'External',
        externalRef: { type: 'webhook', webhookUrl: 'http://x' } as never,
        pollInterval: '5s',
      },
      { id: 'other', kind: 'External', externalRef: { type: 'resource', resourceRef: { name: 'x' } } as never },
      {
        ...{ id: 'ftp', kind: 'External', externalRef: { type: 'uri', uri: 'ftp://x' } as never },
        ...{ inputs: {}, pollInterval: '10ms' },
      },
    ];
    const annotations = { 'gate/max-parallel': '4', 'gate/on-failure': 'undo', 'other/key': 'kept' };
    expect(compile({ nodes }, { annotations, labels: { risk: 'high' } }).faults).toEqual([
      'annotation gate/on-failure: expected compensate, got "undo"',
      'node a: acceptanceCriteria[0] (well): type custom is not supported: expected endpoint_responds, or custom with a fact',
      'node a: when: Unexpected token: EOF at character 4',
      "node ask: expected a gate of the execution's namespace prod, got one of other",
      'node ask: expected timeout to be more than 0s and at most 8784h, got 0s',
      "node wait: nothing can call back: the server's settings have no plans.callbackUrl",
      'node wait: pollInterval is not supported for a webhook: it calls back',
      'node other: externalRef.type resource is not supported: expected uri or webhook',
      'node ftp: expected externalRef.uri to be an http:// or https:// URL',
      'node ftp: inputs is not supported for a node of kind External',
      'node ftp: expected pollInterval to be from 1s to 24h, got 10ms',
      'parameters.risk: the plan has a label of this name with another value',
    ]);
  });
});

describe('the status of an execution', () => {
  const graph: Graph = {
    nodes: [{ id: 'both', kind: 'Group', children: ['a', 'b'] }, task('a'), task('b'), task('c')],
  };
  const follow = (...reports: Partial<RunReport>[]) =>
    reports.reduce<Execution>((before, report, index) => {
      const status = statusAfter(before, { order: index + 1, atMs: index * 1_000, runId: 'r', ...report }, graph);
      return { ...before, status };
    }, execution());
  const phasesOf = ({ status }: Execution) =>
    Object.entries(status!.nodeStatuses!).map(([id, node]) => `${id} ${node.phase}`);
  const at = (id: string, phase: NodePhase, atMs = 0, more: Partial<NodeReport> = {}): Partial<RunReport> => ({
    nodes: [{ id, phase, atMs, ...more }],
  });
  const begin = at('a', 'Running');
  const aDone = at('a', 'Succeeded', 2_000);

  it.each<[string, Partial<RunReport>[], string[]]>([
    ['a group runs with its first child', [begin], ['both Running', 'a Running', 'b Pending', 'c Pending']],
    [
      'a failure skips what had not begun',
      [begin, at('a', 'Failed'), { end: 'Failed' }],
      ['both Failed', 'a Failed', 'b Skipped', 'c Skipped'],
    ],
    [
      'a cancelled node cancels its group',
      [begin, at('a', 'Cancelled'), { end: 'Cancelled' }],
      ['both Cancelled', 'a Cancelled', 'b Skipped', 'c Skipped'],
    ],
    [
      'a group succeeds with its last child',
      [begin, aDone, at('b', 'Succeeded')],
      ['both Succeeded', 'a Succeeded', 'b Succeeded', 'c Pending'],
    ],
    [
      'a node that is run again begins anew, and so does its group',
      [begin, at('a', 'Failed'), at('b', 'Succeeded'), at('a', 'Running', 9_000, { attempt: 2 })],
      ['both Running', 'a Running', 'b Succeeded', 'c Pending'],
    ],
  ])('%s', (_what, reports, wanted) => {
    expect(phasesOf(follow(...reports))).toEqual(wanted);
  });

  it('a report that comes twice, and one behind the end, change nothing', () => {
    const ended = follow(begin, at('a', 'Failed', 0, { message: 'no' }), { end: 'Failed', message: 'no' });
    expect(statusAfter(ended, { order: 9, atMs: 99_000, runId: 'r', ...begin }, graph)).toBe(ended.status);
    const running = follow(begin, aDone);
    for (const order of [1, 2])
      expect(statusAfter(running, { order, atMs: 99_000, runId: 'r', ...begin }, graph)).toBe(running.status);
  });

  it('times are those of the first report that tells of them', () => {
    const { status } = follow(begin, at('a', 'Running', 1_000), { ...aDone, end: 'Succeeded' });
    expect(status).toMatchObject({
      startTime: '1970-01-01T00:00:00.000Z',
      completionTime: '1970-01-01T00:00:02.000Z',
      nodeStatuses: { a: { startTime: '1970-01-01T00:00:00.000Z', completionTime: '1970-01-01T00:00:02.000Z' } },
    });
  });

  it('a node that ended before anything was told of it has both its times, and a group those of its children', () => {
    const first = at('a', 'Succeeded', 2_000, { beganAtMs: 1_000 });
    const last = at('b', 'Succeeded', 4_000, { beganAtMs: 3_000 });
    const { nodeStatuses } = follow({}, { ...first, atMs: 9_000 }, { ...last, atMs: 9_500 }).status!;
    const time = (seconds: number) => `1970-01-01T00:00:0${seconds}.000Z`;
    expect(nodeStatuses).toMatchObject({
      a: { startTime: time(1), completionTime: time(2) },
      b: { startTime: time(3), completionTime: time(4) },
      both: { startTime: time(1), completionTime: time(4) },
    });
  });

  it('an execution is blocked while some nodes wait for somebody and no other one runs', () => {
    const phase = (...reports: Partial<RunReport>[]) => follow(...reports).status!.phase;
    expect(phase(begin)).toBe('Running');
    expect(phase(at('a', 'Blocked'))).toBe('Blocked');
    expect(phase(at('a', 'Blocked'), at('c', 'Running'))).toBe('Running');
    expect(phase(at('a', 'Blocked'), at('c', 'Succeeded'))).toBe('Blocked');
    expect(phase(at('a', 'Blocked'), at('a', 'Running'))).toBe('Running');
  });

  it('an execution whose run was closed from outside fails with what was under way, behind every report', () => {
    const running = follow(begin, at('b', 'Blocked'), at('c', 'Succeeded'));
    const status = statusAfter(running, lastReport(running, 9_000, 'its workflow was terminated'), graph);
    expect(status).toMatchObject({ phase: 'Failed', message: 'failed: its workflow was terminated' });
    expect(phasesOf({ ...running, status })).toEqual(['both Failed', 'a Failed', 'b Failed', 'c Succeeded']);
  });

  const told = (phase: string) => ({ name: 'go', plan: 'plan', phase, atMs: Date.parse('2026-11-27T10:00:00Z') });
  const goalOf = (phase: string, plan: unknown, more: JsonObject = {}): Goal =>
    ({
      metadata: { ...meta('g'), generation: 3 },
      status: { phase, activePlanRef: { name: plan }, observedGeneration: 2, ...more },
    }) as unknown as Goal;
  const timedOut = { conditions: [{ type: 'TimedOut', status: 'True' }] };

  it.each<[string, unknown, string, JsonObject, string | undefined]>([
    ['Ready', 'plan', 'Running', {}, 'Executing'],
    ['Executing', 'plan', 'Succeeded', {}, 'Succeeded'],
    ['Executing', 'plan', 'Cancelled', {}, 'Failed'],
    ['Ready', 'other', 'Running', {}, undefined],
    ['Executing', 'other', 'Succeeded', {}, undefined],
    ['Ready', 'plan', 'Pending', {}, undefined],
    ['Cancelled', 'plan', 'Running', {}, 'Cancelled'],
    ['Cancelled', 'plan', 'Succeeded', {}, 'Cancelled'],
    ['Executing', 'plan', 'Blocked', {}, 'Executing'],
    ['Failed', 'plan', 'Running', {}, 'Executing'],
    ['Failed', 'plan', 'Running', timedOut, 'Failed'],
    ['Failed', 'plan', 'Succeeded', timedOut, 'Failed'],
    ['Failed', 'plan', 'Succeeded', { conditions: [{ type: 'TimedOut', status: 'False' }] }, 'Succeeded'],
  ])('a goal that is %s with plan %s is told of an execution that is %s (%j): %s', (phase, plan, to, more, wanted) => {
    const status = goalStatusAfter(goalOf(phase, plan, more), told(to));
    expect(status?.phase).toBe(wanted);
  });

  it.each([
    ['Running', 'Unknown', 'Executing', 'under way'],
    ['Blocked', 'Unknown', 'Executing', 'under way'],
    ['Succeeded', 'True', 'Succeeded', 'Succeeded'],
    ['Failed', 'False', 'Failed', 'Failed'],
    ['Cancelled', 'False', 'Cancelled', 'Cancelled'],
  ])(
    'a goal tells of its execution that is %s also where its phase does not follow, once',
    (phase, is, reason, said) => {
      const goal = goalOf('Failed', 'plan', timedOut);
      const status = goalStatusAfter(goal, told(phase))!;
      expect(status).toMatchObject({ phase: 'Failed', observedGeneration: 2 });
      expect(status.conditions).toEqual([
        ...timedOut.conditions,
        {
          ...{ type: 'Executed', status: is, reason, message: `Execution 'go' of plan 'plan' is ${said}` },
          ...{ observedGeneration: 2, lastTransitionTime: '2026-11-27T10:00:00.000Z' },
        },
      ]);
      expect(goalStatusAfter({ ...goal, status } as unknown as Goal, told(phase))).toBeUndefined();
    },
  );
});
