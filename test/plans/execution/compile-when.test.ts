import { describe, expect, it } from '@jest/globals';
import { compileExecution } from '../../../src/plans/execution/compile-execution';
import type { Graph, PlanNode } from '../../../src/plans/kinds/plan';
import { evaluateInTime } from '../../../src/plans/service/look-at-when';

const meta = (name: string) => ({ name, namespace: 'prod' });
const task = (id: string, more: Partial<PlanNode> = {}): PlanNode => ({ id, kind: 'Task', ...more });
const compile = (nodes: PlanNode[], edges: Graph['edges'] = []) =>
  compileExecution({
    execution: { metadata: meta('go'), spec: { planRef: { name: 'plan' } } },
    plan: { name: 'plan', spec: { description: 'a plan', graph: { nodes, edges } } },
    bindings: [
      {
        ...{ apiVersion: 'planspec.io/v1alpha1', kind: 'Binding', metadata: meta('all') },
        spec: { rules: [{ selector: {}, target: { provider: 'none' } }] },
      },
    ],
  });
const reads = (id: string) => ({ when: `nodes["${id}"].phase == "Succeeded"` });

describe('the when of a node in a plan that is to be executed', () => {
  it.each<[string, PlanNode[], Graph['edges']]>([
    ['the node before it', [task('a'), task('b', { dependsOn: ['a'], ...reads('a') })], []],
    [
      'one before that',
      [task('a'), task('b', { dependsOn: ['a'] }), task('c', { dependsOn: ['b'], ...reads('a') })],
      [],
    ],
    ['one that it waits for softly', [task('a'), task('b', reads('a'))], [{ from: 'a', to: 'b', type: 'soft' }]],
    [
      'a group that it waits for',
      [task('a'), { id: 'g', kind: 'Group', children: ['a'] }, task('b', { dependsOn: ['g'], ...reads('g') })],
      [],
    ],
    [
      'what is in a group that it waits for',
      [task('a'), { id: 'g', kind: 'Group', children: ['a'] }, task('b', { dependsOn: ['g'], ...reads('a') })],
      [],
    ],
    [
      'what comes before a node in such a group',
      [
        task('z'),
        task('a', { dependsOn: ['z'] }),
        { id: 'g', kind: 'Group', children: ['a'] },
        task('b', { dependsOn: ['g'], ...reads('z') }),
      ],
      [],
    ],
  ])('may read %s', (_what, nodes, edges) => {
    const { run, faults } = compile(nodes, edges);
    expect(faults).toBeUndefined();
    expect(run?.graph.nodes.filter(({ isConditional }) => isConditional)).toHaveLength(1);
  });

  it.each<[string, PlanNode[], string]>([
    ['a node that is not there', [task('b', reads('a'))], 'node b: when reads node a, which the plan does not have'],
    [
      'a node that it does not wait for',
      [task('a'), task('b', reads('a'))],
      'node b: when reads node a, which b does not wait for: add it to dependsOn, or as a soft edge',
    ],
    [
      'a node behind it',
      [task('a', { dependsOn: ['b'] }), task('b', reads('a'))],
      'node b: when reads node a, which b does not wait for: add it to dependsOn, or as a soft edge',
    ],
    [
      'itself',
      [task('b', reads('b'))],
      'node b: when reads node b, which b does not wait for: add it to dependsOn, or as a soft edge',
    ],
    [
      'what only its group waits for',
      [task('a'), task('b', reads('a')), { id: 'g', kind: 'Group', children: ['b'], dependsOn: ['a'] }],
      'node b: when reads node a, which b does not wait for: add it to dependsOn, or as a soft edge',
    ],
    [
      'nothing, as it cannot be read',
      [task('b', { when: 'a b' })],
      "node b: when: Unexpected character: 'b' at character 3",
    ],
  ])('may not read %s', (_what, nodes, wanted) => {
    const { faults = [] } = compile(nodes);
    expect(faults).toEqual([wanted]);
  });

  it('is refused of a group, which does not begin by itself', () => {
    const group: PlanNode = { id: 'g', kind: 'Group', children: ['a'], when: 'true' };
    expect(compile([task('a'), group]).faults).toEqual(['node g: when is not supported for a group']);
  });

  it.each<[string, string]>([
    ['lists within lists', 'parameters.list.all(a, parameters.list.all(b, a + b >= 0))'],
    ['a pattern that backtracks for ever', 'parameters.text.matches("(a+)+$")'],
  ])('is stopped when it takes too long: %s', (_what, when) => {
    const list = Array.from({ length: 50_000 }, (_, index) => index);
    const parameters = { list, text: `${'a'.repeat(50_000)}!` };
    expect(evaluateInTime(when, { parameters, nodes: {} }, 50)).toEqual({ fault: 'it took longer than 50 ms' });
    expect(evaluateInTime('size(parameters.list) == 50000', { parameters, nodes: {} })).toEqual({ holds: true });
  });
});
