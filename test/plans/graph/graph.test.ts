import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { componentsOf, cyclesOf } from '../../../src/plans/graph/components';
import { graphFaults } from '../../../src/plans/graph/graph-faults';
import { toPlanGraph } from '../../../src/plans/graph/plan-graph';
import type { Graph, PlanNode } from '../../../src/plans/kinds/plan';

const task = (id: string, ...dependsOn: string[]): PlanNode => ({ id, kind: 'Task', dependsOn });
const group = (id: string, ...children: string[]): PlanNode => ({ id, kind: 'Group', children });
const soft = (from: string, to: string) => ({ from, to, type: 'soft' as const });
const graphOf = (nodes: PlanNode[], edges: Graph['edges'] = []) => toPlanGraph({ nodes, edges });

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

  test('a group whose child waits for it is no fault of the plan', () => {
    expect(graphFaults({ nodes: [group('g', 'a'), task('a', 'g')] }, '')).toEqual([]);
  });
});
