import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { componentsOf, cyclesOf } from '../../../src/plans/graph/components';
import { deadlocks, graphFaults } from '../../../src/plans/graph/graph-faults';
import { toPlanGraph } from '../../../src/plans/graph/plan-graph';
import { toMermaid, toText } from '../../../src/plans/graph/show-graph';
import type { NodePhase } from '../../../src/plans/kinds/phases';
import type { Graph, PlanNode } from '../../../src/plans/kinds/plan';

const task = (id: string, ...dependsOn: string[]): PlanNode => ({ id, kind: 'Task', dependsOn });
const gate = (id: string, ...dependsOn: string[]): PlanNode => ({ id, kind: 'Gate', gateRef: { name: id }, dependsOn });
const group = (id: string, ...children: string[]): PlanNode => ({ id, kind: 'Group', children });
const soft = (from: string, to: string) => ({ from, to, type: 'soft' as const });
const graphOf = (nodes: PlanNode[], edges: Graph['edges'] = []) => toPlanGraph({ nodes, edges });
const phases = (all: Record<string, NodePhase>) => new Map(Object.entries(all));

describe('strongly connected components', () => {
  const graph = fc.array(fc.tuple(fc.nat({ max: 7 }), fc.nat({ max: 7 })), { maxLength: 20 });
  test('two nodes are in one component exactly when each leads to the other', () => {
    fc.assert(
      fc.property(graph, (edges) => {
        const next = (node: number) => edges.flatMap(([from, to]) => (from === node ? [to] : []));
        const reach = (from: number): Set<number> => {
          const seen = new Set<number>();
          const visit = (node: number): void => next(node).forEach((to) => !seen.has(to) && seen.add(to) && visit(to));
          visit(from);
          return seen;
        };
        const componentOf = new Map(componentsOf(8, next).flatMap((members, at) => members.map((node) => [node, at])));
        for (let a = 0; a < 8; a += 1) {
          for (let b = 0; b < 8; b += 1) {
            const both = a === b || (reach(a).has(b) && reach(b).has(a));
            expect(componentOf.get(a) === componentOf.get(b)).toBe(both);
          }
        }
        for (const cycle of cyclesOf(8, next)) {
          cycle.forEach((node, at) => expect(next(node)).toContain(cycle[(at + 1) % cycle.length]));
        }
      }),
    );
  });
});

describe('the edges of a plan', () => {
  test('dependsOn adds hard edges that are missing, an explicit one counts, and a hard one counts before a soft one', () => {
    const graph = graphOf(
      [task('a'), task('b', 'a'), task('c', 'a'), task('d')],
      [soft('a', 'c'), soft('a', 'd'), { from: 'a', to: 'd' }],
    );
    expect([...graph.before].map(([id, sources]) => [id, Object.fromEntries(sources)])).toEqual([
      ['a', {}],
      ['b', { a: 'hard' }],
      ['c', { a: 'soft' }],
      ['d', { a: 'hard' }],
    ]);
    expect(graph.after.get('a')).toEqual(['b', 'c', 'd']);
  });

  test('two cycles are two faults', () => {
    const faults = graphFaults({ nodes: [task('a', 'b'), task('b', 'a'), task('c', 'd'), task('d', 'c')] }, '/g');
    expect(faults).toHaveLength(2);
  });

  test('a group whose child waits for it is no fault of the plan, and cannot be executed', () => {
    const graph: Graph = { nodes: [group('g', 'a'), task('a', 'g')] };
    expect(graphFaults(graph, '')).toEqual([]);
    expect(deadlocks(toPlanGraph(graph))).toEqual([
      'the nodes of g → a → g can never start: a group is done when its children are',
    ]);
    expect(deadlocks(graphOf([group('g', 'a'), task('a'), task('b', 'g')], [{ from: 'b', to: 'g' }]))).toEqual([]);
  });
});

describe('a graph that is shown', () => {
  const graph = graphOf(
    [
      { ...task('deploy', 'ok'), name: 'Say "go" <b>' },
      gate('ok', 'build'),
      task('build'),
      group('all', 'build', 'deploy'),
    ],
    [soft('build', 'deploy')],
  );
  test('the text has each node after what it waits for', () => {
    expect(toText(graph, phases({ build: 'Succeeded', ok: 'Blocked' }))).toMatchInlineSnapshot(`
      "build   Task      Succeeded
      all     Group     Pending    holds build, deploy
      ok      Gate      Blocked    after build
      deploy  Task      Pending    after ~build, ok  (Say "go" <b>)
      "
    `);
  });
  test('Mermaid shows kinds, edges and phases, and takes no text for syntax', () => {
    expect(toMermaid(graph, phases({ build: 'Succeeded', ok: 'Blocked' }))).toMatchInlineSnapshot(`
      "flowchart TD
        n0["deploy: Say #34;go#34; #60;b#62;"]
        n1{{"ok · Blocked"}}
        n2["build · Succeeded"]
        n3[["all"]]
        n2 -.-> n0
        n1 --> n0
        n2 --> n1
        n3 === n2
        n3 === n0
        classDef blocked fill:#fff3cd,stroke:#ffc107
        class n1 blocked
        classDef succeeded fill:#d1e7dd,stroke:#198754
        class n2 succeeded
      "
    `);
  });
});
