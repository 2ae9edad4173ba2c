import { describe, expect, it } from '@jest/globals';
import type { PinnedPlan } from '../../../src/plans/execution/compile-execution';
import { isForeign, statusAfter, type RunReport } from '../../../src/plans/execution/follow-run';
import { retryFault, runAgain, unknownNodeFault } from '../../../src/plans/execution/retry-node';
import { requestsOf, withRequest, type RunRequest } from '../../../src/plans/execution/run-requests';
import type { Schedule } from '../../../src/plans/execution/schedule';
import type { Execution } from '../../../src/plans/kinds/execution';
import type { PlanNode } from '../../../src/plans/kinds/plan';

const nodes: PlanNode[] = [
  { id: 'all', kind: 'Group', children: ['a', 'b'] },
  { id: 'a', kind: 'Task' },
  { id: 'b', kind: 'Task', dependsOn: ['a'] },
  { id: 'c', kind: 'Task', dependsOn: ['b'] },
  { id: 'f', kind: 'Task' },
];
const plan = { name: 'steps', spec: { description: 'how', graph: { nodes } } } as PinnedPlan;
const schedule: Schedule = {
  maxParallel: 100,
  nodes: [
    { id: 'a', hard: [], soft: [] },
    { id: 'b', hard: ['a'], soft: [] },
    { id: 'c', hard: ['b'], soft: [] },
    { id: 'f', hard: [], soft: [] },
  ],
};
const execution = (status: Execution['status']): Execution => ({
  apiVersion: 'planspec.io/v1alpha1',
  kind: 'Execution',
  metadata: { name: 'go', namespace: 'default' },
  spec: { planRef: { name: 'steps' } },
  ...(status === undefined ? {} : { status }),
});
const failed = execution({
  phase: 'Failed',
  message: 'node b: no',
  completionTime: '2026-11-28T00:00:00.000Z',
  nodeStatuses: {
    a: { phase: 'Succeeded', attempt: 1, outputs: { version: '2' }, extensions: { place: 1 } },
    b: { phase: 'Failed', attempt: 3 },
    c: { phase: 'Skipped' },
    f: { phase: 'Failed', attempt: 1, message: 'no' },
  },
  extensions: { reports: 7 },
});
const request: RunRequest = { id: 'r1', kind: 'retry', actor: 'ann', time: '2026-11-28T00:00:00.000Z', node: 'b' };
const report = (more: Partial<RunReport>): RunReport => ({ order: 8, atMs: 0, runId: 'run', ...more });

describe('a node that is run again', () => {
  it.each<[what: string, node: string, phase: 'Failed' | 'Running' | 'Cancelled' | 'Succeeded', fault: RegExp]>([
    ['a node that failed, of an execution that failed, is run again', 'b', 'Failed', /^none$/],
    ['a node that failed, of an execution that is under way, is run again', 'b', 'Running', /^none$/],
    ['a node that succeeded is refused', 'a', 'Failed', /node a is Succeeded: only a node that failed/],
    ['a node that was skipped is refused', 'c', 'Failed', /node c is Skipped/],
    ['a group is refused', 'all', 'Failed', /node all is a group/],
    ['a node that the plan does not have is refused', 'x', 'Failed', /expected one of its nodes all, a, .*got "x"/],
    ['an execution that was cancelled is refused', 'b', 'Cancelled', /execution go is Cancelled/],
  ])('%s', (_what, node, phase, fault) => {
    const found = unknownNodeFault(plan, node) ?? retryFault({ ...failed, status: { ...failed.status, phase } }, node);
    expect(found ?? 'none').toMatch(fault);
  });

  it('what succeeded stays, another failure too, and what was skipped begins again', () => {
    expect(runAgain(failed, schedule, 'b', 'r1')).toEqual({
      reports: 7,
      request: 'r1',
      nodes: {
        a: { phase: 'Succeeded', attempt: 1, place: 1, outputs: { version: '2' } },
        b: { phase: 'Pending', attempt: 4 },
        c: { phase: 'Pending' },
        f: { phase: 'Failed', attempt: 1, message: 'no' },
      },
    });
  });

  it('where failures are compensated all begins again that is not in effect', () => {
    const undone = structuredClone(failed);
    undone.status!.nodeStatuses!.a!.phase = 'Cancelled';
    const from = runAgain(undone, { ...schedule, compensates: true }, 'b', 'r1');
    expect(Object.values(from.nodes).map(({ phase }) => phase)).toEqual(['Pending', 'Pending', 'Pending', 'Pending']);
    expect(from.nodes.a).toEqual({ phase: 'Pending', attempt: 2 });
  });
});

describe('the status of an execution that is continued', () => {
  const asked = { ...failed, status: withRequest(failed.status!, request) };

  it('the first report of the run that was asked for takes the request and clears the end', () => {
    const status = statusAfter(asked, report({ resumes: 'r1' }), { nodes });
    expect(status).toMatchObject({ phase: 'Running', extensions: { resumed: 'r1', reports: 8 } });
    expect(status).not.toHaveProperty('completionTime');
    expect(status).not.toHaveProperty('message');
    expect(requestsOf(status)).toEqual([]);
    const again = { ...asked, status };
    expect(isForeign(again, report({ resumes: 'r1' }))).toBe(false);
    expect(statusAfter(again, report({ resumes: 'r1' }), { nodes })).toBe(status);
  });

  it('a report of a run that nobody asked for, or of one that began after the end, is of another execution', () => {
    expect(isForeign(failed, report({ resumes: 'r1' }))).toBe(true);
    expect(isForeign(failed, report({}))).toBe(true);
    expect(isForeign(failed, report({ order: 7 }))).toBe(false);
    expect(isForeign(asked, report({ resumes: 'r2' }))).toBe(true);
  });

  it('a retry outlives an end in failure, and a cancel that came too late is told', () => {
    const running = { ...asked, status: { ...asked.status, phase: 'Running' as const } };
    expect(requestsOf(statusAfter(running, report({ end: 'Failed' }), { nodes }))).toEqual([request]);
    expect(requestsOf(statusAfter(running, report({ end: 'Succeeded' }), { nodes }))).toEqual([]);
    const late = execution({ phase: 'Running', extensions: { requests: [{ ...request, kind: 'cancel' }] } as never });
    const status = statusAfter(late, report({ end: 'Succeeded' }), { nodes });
    expect(status).toMatchObject({ phase: 'Succeeded', message: 'it ended before the cancel of ann reached it' });
    expect(requestsOf(status)).toEqual([]);
  });

  it('while it is held and no node acts it is Blocked, and says by whom until that is over', () => {
    const hold = 'paused on demand by ben: lunch';
    const acting = execution({ phase: 'Running', nodeStatuses: { a: { phase: 'Running' } } });
    const first = statusAfter(acting, report({ hold }), { nodes });
    expect(first).toMatchObject({ phase: 'Running' });
    const done = report({ order: 9, nodes: [{ id: 'a', phase: 'Succeeded', atMs: 0 }] });
    const second = statusAfter({ ...acting, status: first }, done, { nodes });
    expect(second).toMatchObject({ phase: 'Blocked', message: hold });
    const third = statusAfter({ ...acting, status: second }, report({ order: 10, hold: null }), { nodes });
    expect(third).toMatchObject({ phase: 'Running' });
    expect(third).not.toHaveProperty('message');
  });
});
