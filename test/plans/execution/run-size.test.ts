import { describe, expect, it } from '@jest/globals';
import { jsonBytes } from '../../../src/kernel/limits';
import { compileExecution } from '../../../src/plans/execution/compile-execution';
import { gateVerdict } from '../../../src/plans/execution/gate-verdict';
import { carriedEnd, parallelFor } from '../../../src/plans/execution/run-size';
import type { Binding } from '../../../src/plans/kinds/binding';
import type { PlanNode } from '../../../src/plans/kinds/plan';
import { aGate } from '../objects';

const at = (name: string) => ({ name, namespace: 'default' });
const binding = {
  ...{ apiVersion: 'planspec.io/v1alpha1', kind: 'Binding', metadata: at('all') },
  spec: { rules: [{ selector: {}, target: { provider: 'none' } }] },
} as Binding;
const compile = (nodes: PlanNode[], parameters = {}) =>
  compileExecution({
    execution: { metadata: at('go'), spec: { planRef: { name: 'p' }, parameters } },
    plan: { name: 'p', spec: { description: 'a plan', graph: { nodes } } },
    bindings: [binding],
  });
const tasks = (prefix: string, count: number, more: Partial<PlanNode> = {}): PlanNode[] =>
  Array.from({ length: count }, (_, index) => ({ id: `${prefix}${index}`, kind: 'Task', ...more }));

describe('the size of a run', () => {
  it('a plan whose groups wait for one another node by node is refused beyond 512 KiB, with both sizes', () => {
    const groups = (count: number): PlanNode[] => {
      const first = tasks('a', count);
      return [
        ...first,
        { id: 'all-a', kind: 'Group', children: first.map(({ id }) => id) },
        ...tasks('b', count, { dependsOn: ['all-a'] }),
      ];
    };
    expect(compile(groups(250)).faults).toBeUndefined();
    const { faults = [] } = compile(groups(400));
    expect(faults).toEqual([
      expect.stringMatching(/^expected all that nodes wait for, and their criteria, to have at most 524288 bytes/),
    ]);
    expect(faults[0]).toMatch(/, got \d{7}: let a group wait for a single node/);
  });

  it('fewer nodes run at once where each request has large attributes, and always one', () => {
    expect(compile(tasks('a', 2)).run?.graph.maxParallel).toBe(100);
    expect(compile(tasks('a', 2), { text: 'x'.repeat(60_000) }).run?.graph.maxParallel).toBe(34);
    expect([parallelFor(8, { text: 'x'.repeat(60_000) }), parallelFor(8, { text: 'x'.repeat(3_000_000) })]).toEqual([
      8, 1,
    ]);
  });

  it('what 1,000 failed nodes said is carried in little space, and a few keep theirs whole', () => {
    const message = 'x'.repeat(2_000);
    expect(carriedEnd({ message, outputs: { id: 1 } }, 'Task', 10)).toEqual({ message, outputs: { id: 1 } });
    const all = Array.from({ length: 1_000 }, () => carriedEnd({ message }, 'Task', 1_000));
    expect(jsonBytes(all)).toBeLessThan(150_000);
    expect(carriedEnd({ outputs: { approvers: ['ann'] } }, 'Gate', 1)).toEqual({});
  });

  it('a gate that thousands approved tells of a hundred, each shortened, with its comment', () => {
    const actors = Array.from({ length: 3_000 }, (_, index) => `${index}-${'x'.repeat(900)}`);
    const timestamp = '2026-11-27T10:00:00Z';
    const gate = aGate(
      {},
      {
        phase: 'Approved',
        decidedGeneration: 1,
        resolution: { outcome: 'approved', actors, timestamp, comment: 'y'.repeat(9_000) },
      },
    );
    const execution = { metadata: { ...at('e'), uid: 'run-uid' } };
    const verdict = gateVerdict(gate, {
      gate: 'gate',
      node: 'wait',
      plan: { name: 'p' },
      execution,
      before: undefined,
    });
    expect(verdict).toMatchObject({
      state: 'approved',
      message: expect.stringMatching(/^gate gate was approved by 0-x/),
    });
    expect(verdict.state === 'approved' && verdict.actors).toHaveLength(100);
    expect(jsonBytes(verdict)).toBeLessThan(32 * 1024);
  });
});
