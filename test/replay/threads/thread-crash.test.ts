import { Worker, type WorkerOptions } from 'node:worker_threads';
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type * as threads from '../../../src/replay/threads/replay-in-threads';
import type { TextPiece } from '../../../src/replay/text-piece';
import { emptyReport } from '../../../src/replay/replay-report';
import { lineOf, loopingCandidate } from './looping-candidate';

/** What each thread that is started runs, in order; the last one for all further ones. */
let programs: string[] = [];
let started = 0;
jest.mock('../../../src/platform/threads/start-thread', () => ({
  startThread: (_entry: string, options: WorkerOptions) => {
    const program = programs[Math.min(started++, programs.length - 1)]!;
    return new Worker(program, { ...options, eval: true, stderr: true });
  },
}));

const NEVER_STARTS = `process.exit(3)`;
const READY = `
  const { parentPort, workerData } = require('node:worker_threads');
  const clock = new BigInt64Array(workerData.clock);
  Atomics.store(clock, 4, 1n); // as RunClock.markReady does
`;
/** Says of each batch how many evaluations it was told not to try. */
const ANSWERS = `${READY}
  parentPort.on('message', ({ batch, failed }) =>
    parentPort.postMessage({ batch, report: { ...${JSON.stringify(emptyReport())}, decisions: 1, notReproduced: failed.size }, firsts: [], last: new Map(), own: [] }))`;
const ANSWERS_NONSENSE = `${READY} parentPort.on('message', ({ batch }) => parentPort.postMessage({ batch, report: {} }))`;
const DIES_BETWEEN = `${READY} parentPort.on('message', () => { throw new Error('gone'); })`;
const DIES_IN_EVALUATION = `${READY}
  parentPort.on('message', ({ batch }) => {
    Atomics.store(clock, 0, process.hrtime.bigint() + 60_000_000_000n); // its deadline is far off
    Atomics.store(clock, 1, BigInt(batch) * 2n ** 32n + 3n);
    throw new Error('out of breath');
  })`;
const REFUSES = `${READY}
  parentPort.on('message', ({ batch }) =>
    parentPort.postMessage({ batch, error: { type: 'PolicyUnavailable', message: 'no room' } }))`;

let replayInThreads: typeof threads.replayInThreads;
let candidate: Awaited<ReturnType<typeof loopingCandidate>>;
beforeAll(async () => {
  ({ replayInThreads } = await import('../../../src/replay/threads/replay-in-threads.js'));
  candidate = await loopingCandidate();
});
beforeEach(() => {
  started = 0;
});

async function* pieces(count: number): AsyncGenerator<TextPiece, void, undefined> {
  for (let at = 1; at <= count; at += 1) yield { firstLine: at, lines: 1, text: lineOf(at) };
}
const run = (count = 6) => replayInThreads(pieces(count), { candidate, filter: {}, maxRows: 5, threads: 1 });

describe('a replay whose threads end', () => {
  it.each<[string, string[], object]>([
    [
      'between two evaluations, continues in another thread',
      [DIES_BETWEEN, ANSWERS],
      { decisions: 6, notReproduced: 0 },
    ],
    ['in an evaluation, continues without that one', [DIES_IN_EVALUATION, ANSWERS], { decisions: 6, notReproduced: 1 }],
  ])('%s', async (_what, given, found) => {
    programs = given;
    expect(await run()).toMatchObject(found);
  });

  it.each<[string, string[], string]>([
    ['before any could start', [NEVER_STARTS], 'No thread could be started to evaluate the policy in: '],
    ['again at the same lines', [DIES_BETWEEN], 'The replay of the lines from 1 brought its thread down: gone'],
    ['with a reason', [REFUSES], 'no room'],
  ])('%s, fails and says so', async (_what, given, message) => {
    programs = given;
    await expect(run()).rejects.toMatchObject({
      type: 'PolicyUnavailable',
      message: expect.stringContaining(message),
    });
  });

  it('a replay whose thread answers what cannot be merged fails', async () => {
    programs = [ANSWERS_NONSENSE];
    await expect(run()).rejects.toThrow('not iterable');
  });
});
