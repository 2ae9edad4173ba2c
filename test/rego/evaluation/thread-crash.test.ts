import { Worker, type WorkerOptions } from 'node:worker_threads';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FailureType } from '../../../src/kernel/failures';
import type * as evaluatorModule from '../../../src/rego/evaluation/evaluator';
import type { PolicyBundle } from '../../../src/rego/bundle/policy-bundle';
import { aRequest, buildTrialPolicy } from './trial-policy';

/** What each thread that is started runs, in order; the last one for all further ones. */
let programs: string[] = [];
let started = 0;
jest.mock('../../../src/platform/threads/start-thread', () => ({
  startThread: (_entry: string, options: WorkerOptions) => {
    const program = programs[Math.min(started++, programs.length - 1)]!;
    return new Worker(program, { ...options, eval: true, stderr: true });
  },
}));

/** Ends before it says that it is ready, once the calls that wait for it are with it. */
const NEVER_STARTS = `require('node:worker_threads').parentPort.on('message', (m) => Array.isArray(m) && process.exit(3))`;
const READY = `
  const ACCOUNT = '{"evaluator":"wasm","secondOpinion":{"vote":"not-asked"}}';
  const { parentPort, workerData } = require('node:worker_threads');
  const clock = new BigInt64Array(workerData.clock);
  Atomics.store(clock, 4, 1n); // as RunClock.markReady does
`;
const ANSWERS = `${READY} parentPort.on('message', (m) => Array.isArray(m) && parentPort.postMessage(m.map((c) => [c[0], c[2], 1, ACCOUNT])))`;
const DIES_IN_EVALUATION = `${READY}
  parentPort.on('message', (m) => {
    if (!Array.isArray(m)) return;
    Atomics.store(clock, 0, process.hrtime.bigint() + 60_000_000_000n); // its deadline is far off
    Atomics.store(clock, 1, BigInt(m[0][0]));
    throw new Error('out of breath');
  })`;
const DIES_BETWEEN = `${READY} parentPort.on('message', (m) => { if (Array.isArray(m)) throw new Error('gone'); })`;
const HANGS_LOADING = `${READY}
  parentPort.on('message', (m) => {
    if (!Array.isArray(m)) return;
    Atomics.store(clock, 0, process.hrtime.bigint() - BigInt(m[0][2].includes('long') ? 11e9 : 1e9));
    Atomics.store(clock, 2, 1n);
    Atomics.store(clock, 1, BigInt(m[0][0]));
  })`;
const SILENT_THEN_ANSWERS = `${READY}
  parentPort.on('message', (m) => {
    if (Array.isArray(m)) setTimeout(() => parentPort.postMessage(m.map((c) => [c[0], c[2], 1, ACCOUNT])), 120);
  })`;

let policy: PolicyBundle;
let createEvaluator: typeof evaluatorModule.createEvaluator;
beforeAll(async () => {
  ({ createEvaluator } = await import('../../../src/rego/evaluation/evaluator.js')); // after the mock above
  policy = await buildTrialPolicy();
});

let evaluator: evaluatorModule.Evaluator | undefined;
beforeEach(() => {
  started = 0;
});
afterEach(() => evaluator?.close());

const withThreads = (...run: string[]) => {
  programs = run;
  evaluator = createEvaluator({ threads: 1, deadlineMs: 50, memoryMiB: 16 });
  return (n: number, name = 'x') => evaluator!.evaluate(aRequest(policy, { n, name }));
};
const failure = (type: FailureType, message: RegExp) =>
  expect.objectContaining({ type, message: expect.stringMatching(message) });

describe('a thread that cannot be started', () => {
  it('a thread that cannot be started fails the calls that wait for it, and is tried again with the next call only', async () => {
    const ask = withThreads(NEVER_STARTS, NEVER_STARTS, ANSWERS);
    const found = await Promise.allSettled([ask(1), ask(2)]);
    const unavailable = failure(FailureType.PolicyUnavailable, /No thread could be started.*exit code 3/);
    expect(found.map((result) => (result as PromiseRejectedResult).reason)).toEqual([unavailable, unavailable]);
    expect(started).toBe(1);
    await expect(ask(3)).rejects.toEqual(unavailable);
    expect(started).toBe(2);
    expect((await ask(4)).response).toMatchObject({ n: 4 });
  });
});

describe('a thread that dies', () => {
  it('a thread that dies in an evaluation fails that one alone, which is not tried again; the next thread takes the others', async () => {
    const ask = withThreads(DIES_IN_EVALUATION, ANSWERS);
    const [first, second] = await Promise.allSettled([ask(1), ask(2)]);
    expect((first as PromiseRejectedResult).reason).toEqual(
      failure(FailureType.PolicyEvaluation, /evaluation of the policy failed: out of breath/),
    );
    expect(second).toMatchObject({ status: 'fulfilled', value: { response: { n: 2 } } });
  });

  it('a thread that dies between evaluations is replaced, and each call is tried once more', async () => {
    const ask = withThreads(DIES_BETWEEN, ANSWERS);
    const found = await Promise.all([ask(1), ask(2)]);
    expect(found.map(({ response }) => response)).toMatchObject([{ n: 1 }, { n: 2 }]);
  });

  it('a thread that dies again and again is not replaced for ever', async () => {
    const ask = withThreads(DIES_BETWEEN);
    await expect(ask(1)).rejects.toEqual(failure(FailureType.PolicyEvaluation, /gone/));
  });
});

describe('a deadline', () => {
  it('a deadline does not run while the call has not begun', async () => {
    const ask = withThreads(SILENT_THEN_ANSWERS);
    expect((await ask(1)).response).toMatchObject({ n: 1 });
    expect(started).toBe(2); // the thread and its spare: none was stopped
  });

  it('a deadline leaves ten seconds to loading', async () => {
    const ask = withThreads(HANGS_LOADING);
    await expect(ask(1, 'long')).rejects.toEqual(failure(FailureType.PolicyEvaluation, /longer than 10000 ms/));
  });
});
