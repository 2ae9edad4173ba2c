import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/kernel/json';
import { createExecutionIndex } from '../../../src/plans/execution/execution-index';
import type { PlanObject } from '../../../src/plans/object';
import { resolveObjects, whyIn } from '../../../src/plans/resolver/resolve-objects';
import { aGoal, aPlan } from '../objects';

const execution = (name: string, phase: string | undefined, spec: JsonObject = {}): PlanObject =>
  ({
    apiVersion: 'planspec.io/v1alpha1',
    kind: 'Execution',
    metadata: { name, namespace: 'default' },
    spec: { planRef: { name: 'p' }, goalRef: { name: 'g' }, runtimeRef: { name: 'gate' }, ...spec },
    ...(phase === undefined ? {} : { status: { phase } }),
  }) as unknown as PlanObject;
const g = { namespace: 'default', name: 'g' };

describe('the executions that are under way of goals', () => {
  it.each<[string, PlanObject, string | undefined]>([
    ['one that waits for its run', execution('e', undefined), 'e'],
    ['one that runs', execution('e', 'Running'), 'e'],
    ['one that waits for somebody', execution('e', 'Blocked'), 'e'],
    ['one that has ended', execution('e', 'Succeeded'), undefined],
    ['one of another runtime', execution('e', 'Running', { runtimeRef: { name: 'mine' } }), undefined],
    ['one of another goal', execution('e', 'Running', { goalRef: { name: 'other' } }), undefined],
    [
      'one whose pinned plan names the goal',
      {
        ...execution('e', 'Running', { goalRef: undefined as never }),
        status: { phase: 'Running', extensions: { plan: { name: 'p', spec: { goalRef: { name: 'g' } } } } },
      } as never,
      'e',
    ],
    ['a plan that names the goal', aPlan('e') as unknown as PlanObject, undefined],
  ])('%s is told of: %s', (_what, object, name) => {
    expect(createExecutionIndex([object]).of(g)?.name).toBe(name);
  });

  it('one that begins or ends names its goal, and what changes neither names none', () => {
    const index = createExecutionIndex();
    expect(index.take(execution('e', 'Pending'))).toEqual(g);
    expect(index.take(execution('e', 'Running'))).toBeUndefined();
    expect(index.take(execution('e', 'Failed'))).toEqual(g);
    expect(index.take(execution('e', 'Failed'))).toBeUndefined();
    // A retry.
    expect(index.take(execution('e', 'Running'))).toEqual(g);
    expect(index.take(execution('e', 'Running'), true)).toEqual(g);
    expect(index.of(g)).toBeUndefined();
  });

  it('a goal read from files with its execution keeps its plan as the server does', () => {
    const goal = aGoal(
      {},
      { generation: 2 },
      {
        phase: 'Executing',
        activePlanRef: { name: 'a', namespace: 'default' },
        observedGeneration: 1,
      },
    );
    const all = [goal, aPlan('a'), aPlan('b')] as unknown as PlanObject[];
    const running = execution('e', 'Running', { planRef: { name: 'a' } });
    const statusOf = (objects: PlanObject[]) => resolveObjects(objects, 0).items[0]!.status;
    expect(statusOf([...all, running])).toMatchObject({ phase: 'Executing', activePlanRef: { name: 'a' } });
    expect(statusOf(all)).toMatchObject({ phase: 'Ready', activePlanRef: { name: 'b' } });
    expect(whyIn([...all, running], g, 'b', 0)).toContain('the goal keeps a while it executes and after');
  });
});
