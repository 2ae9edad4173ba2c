import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/kernel/json';
import { deadlineOf, withTimeout } from '../../../src/plans/resolver/goal-timeout';
import { aGoal } from '../objects';

const CREATED = Date.parse('2026-11-27T10:00:00Z');
const goal = (spec: JsonObject = { timeout: '1h30m' }) => aGoal(spec, { creationTimestamp: '2026-11-27T10:00:00Z' });
const DEADLINE = CREATED + 90 * 60_000;

describe('the timeout of a goal', () => {
  test('a goal fails on its deadline, which counts from its creation, and says why', () => {
    const status = { phase: 'Executing', activePlanRef: { name: 'p', namespace: 'default' } };
    expect(deadlineOf(goal())).toBe(DEADLINE);
    expect(withTimeout(goal(), status, DEADLINE - 1)).toBe(status);
    const failed = withTimeout(goal(), status, DEADLINE);
    expect(failed).toMatchObject({
      phase: 'Failed',
      activePlanRef: { name: 'p' },
      conditions: [{ type: 'TimedOut', status: 'True', reason: 'DeadlineExceeded' }],
    });
    expect(withTimeout(goal(), failed, DEADLINE + 1)).toBe(failed);
  });

  test('a goal that gets more time says so once', () => {
    const late = withTimeout(goal(), { phase: 'Ready' }, DEADLINE);
    const longer = goal({ timeout: '3h' });
    const open = withTimeout(longer, { ...late, phase: 'Ready' }, DEADLINE + 1);
    expect(open).toMatchObject({
      phase: 'Ready',
      conditions: [{ type: 'TimedOut', status: 'False', reason: 'InTime' }],
    });
    expect(withTimeout(longer, open, DEADLINE + 2)).toBe(open);
  });

  test.each<[string, ReturnType<typeof goal>, string]>([
    ['without a timeout', goal({}), 'Ready'],
    ['that has ended', goal(), 'Succeeded'],
    ['whose creation is not known', aGoal({ timeout: '1s' }), 'Ready'],
  ])('a goal %s does not time out', (_which, each, phase) => {
    const status = { phase };
    expect(withTimeout(each, status, DEADLINE * 2)).toBe(status);
  });
});
