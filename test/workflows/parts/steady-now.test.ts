import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type * as Module from '../../../src/workflows/parts/steady-now';

const T = 1_795_797_565;
type Noted = Parameters<typeof Module.noteActivation>[0];
const at = (ms: number, ...jobs: object[]): Noted =>
  ({ jobs, timestamp: { seconds: T + Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 } }) as never;

describe('the time that decides what comes next', () => {
  let clock: typeof Module;
  beforeEach(async () => {
    jest.resetModules();
    clock = await import('../../../src/workflows/parts/steady-now.js');
  });

  it('the time that decides what comes next is the clock until something is heard', () => {
    const before = Date.now();
    expect(clock.steadyNow()).toBeGreaterThanOrEqual(before);
  });

  it.each([
    ['a beginning', { initializeWorkflow: {} }],
    ['a timer', { fireTimer: { seq: 1 } }],
    ['a signal', { signalWorkflow: {} }],
    ['an Update', { doUpdate: {} }],
    ['a cancellation', { cancelWorkflow: {} }],
    ['the end of an activity', { resolveActivity: { seq: 1, isLocal: false } }],
  ])('the time that decides what comes next moves on with %s', (_what, job) => {
    clock.noteActivation(at(0, { initializeWorkflow: {} }));
    clock.noteActivation(at(1_500, job));
    expect(clock.steadyNow()).toBe(T * 1_000 + 1_500);
  });

  it.each([
    ['the end of a local activity', { resolveActivity: { seq: 1, isLocal: true } }],
    ['a query', { queryWorkflow: {} }],
    ['a patch', { notifyHasPatch: { patchId: 'recheck' } }],
    ['a seed', { updateRandomSeed: {} }],
    ['leaving the cache', { removeFromCache: {} }],
  ])(
    'the time that decides what comes next does not move on with %s alone, whose time a replay does not know',
    (_what, job) => {
      clock.noteActivation(at(0, { initializeWorkflow: {} }));
      clock.noteActivation(at(1_500, job));
      expect(clock.steadyNow()).toBe(T * 1_000);
      clock.noteActivation(at(2_000, job, { fireTimer: { seq: 1 } }));
      expect(clock.steadyNow()).toBe(T * 1_000 + 2_000);
    },
  );
});
