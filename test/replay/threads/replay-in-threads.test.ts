import { beforeAll, describe, expect, it } from '@jest/globals';
import { createEvaluator } from '../../../src/rego/evaluation/evaluator';
import type { Candidate } from '../../../src/replay/rebuild-snapshot';
import { replay } from '../../../src/replay/replay';
import { itemsOf, type TextPiece } from '../../../src/replay/text-piece';
import { replayInThreads, type ReplayInThreadsOptions } from '../../../src/replay/threads/replay-in-threads';
import { lineOf, loopingCandidate } from './looping-candidate';

let candidate: Candidate;
beforeAll(async () => {
  candidate = await loopingCandidate();
});

/** Lines in pieces of so many. */
async function* piecesOf(lines: readonly string[], size = 7): AsyncGenerator<TextPiece, void, undefined> {
  for (let at = 0; at < lines.length; at += size) {
    const texts = lines.slice(at, at + size);
    yield { firstLine: at + 1, lines: texts.length, text: texts.join('\n') };
  }
}
const run = (pieces: AsyncIterable<TextPiece>, over: Partial<ReplayInThreadsOptions> = {}) =>
  replayInThreads(pieces, { candidate, filter: {}, maxRows: 5, threads: 2, ...over });

describe('a replay in threads', () => {
  const mixed = [
    ...Array.from({ length: 40 }, (_value, index) => lineOf(index)),
    '{"no": "record"}',
    '',
    lineOf(3).replace('"kind":"decision"', '"kind":"pause"'),
    'not even JSON',
    ...Array.from({ length: 60 }, (_value, index) => lineOf(100 - index)),
  ];

  it('a replay in threads finds what a replay without threads finds, in the order of the lines, whatever thread is first', async () => {
    const evaluator = createEvaluator({ threads: 1, deadlineMs: 600_000, memoryMiB: 64 });
    async function* batches() {
      for await (const piece of piecesOf(mixed)) yield itemsOf(piece);
    }
    const wanted = await replay(batches(), {
      candidate,
      filter: {},
      evaluate: (request) => evaluator.evaluate(request),
      builtinsOf: async () => [],
      maxRows: 5,
    });
    await evaluator.close();
    expect(wanted).toMatchObject({
      decisions: 100,
      skipped: 1,
      brokenLines: 2,
      counts: { 'newly-denied': 89, same: 11 },
    });
    expect(wanted.rows['newly-denied'].map(({ decisionID }) => decisionID)).toEqual([
      'n-11',
      'n-12',
      'n-13',
      'n-14',
      'n-15',
    ]);
    for (const threads of [1, 2, 4]) expect(await run(piecesOf(mixed), { threads })).toEqual(wanted);
  });

  it('a replay in threads of no records gives an empty report', async () => {
    expect(await run(piecesOf([]))).toMatchObject({ decisions: 0, brokenLines: 0 });
  });

  it('a replay in threads reads no further ahead than its threads can take, and tells how far it came', async () => {
    let pulled = 0;
    let told = 0;
    let furthest = 0;
    async function* counted() {
      for await (const piece of piecesOf(
        Array.from({ length: 200 }, (_value, index) => lineOf(index)),
        5,
      )) {
        pulled += piece.lines;
        furthest = Math.max(furthest, pulled - told);
        yield piece;
      }
    }
    await run(counted(), { onProgress: (items) => (told = items) });
    expect(told).toBe(200);
    expect(furthest).toBeLessThanOrEqual(5 * 2 * 2);
  });

  it('a replay in threads stops an evaluation that passes its deadline, counts its decision as an error, and continues with the others', async () => {
    const hanging = await loopingCandidate({ deadline: '2s' });
    const lines = [
      lineOf(1),
      lineOf(2, 'loop'),
      ...Array.from({ length: 30 }, () => lineOf(3)),
      lineOf(4, 'loop'),
      lineOf(5),
    ];
    const report = await run(piecesOf(lines), { candidate: hanging });
    expect(report).toMatchObject({ decisions: 34, counts: { same: 32, changed: 2 } });
    expect(report.rows.changed.map(({ decisionID, newReasons }) => [decisionID, newReasons])).toEqual([
      ['n-2', ['The evaluation of the policy failed: it ran longer than 2000 ms and was stopped']],
      ['n-4', ['The evaluation of the policy failed: it ran longer than 2000 ms and was stopped']],
    ]);
  });

  it('a replay in threads asks no evaluation of its own release that was stopped for its built-ins: no one would stop it again', async () => {
    const hanging = await loopingCandidate({ deadline: '2s' });
    const { policySha, configRev } = hanging.release.ref;
    const own = { ...(JSON.parse(lineOf(2, 'loop')) as object), policySHA: policySha, configRev };
    const report = await run(piecesOf([JSON.stringify(own), lineOf(1)]), { candidate: hanging });
    expect(report).toMatchObject({ notReproduced: 1, counts: { same: 1, changed: 1 } });
    expect(report.rows['not-reproduced'][0]).toMatchObject({ newReasons: [expect.stringContaining('was stopped')] });
    expect(report.rows['not-reproduced'][0]).not.toHaveProperty('builtins');
  });

  it('a replay in threads ends while its threads are at work once it is to stop', async () => {
    const slow = await loopingCandidate({ deadline: '10m' });
    const stop = new AbortController();
    async function* untilStarted() {
      yield* piecesOf([lineOf(1, 'loop')]);
      stop.abort();
      yield* piecesOf([lineOf(2)]);
    }
    const running = run(untilStarted(), { candidate: slow, threads: 1, signal: stop.signal });
    await expect(running).rejects.toThrow('The replay was stopped');
  });

  it('a replay in threads counts an evaluation that eats too much memory as an error, and the next one is right', async () => {
    const small = await loopingCandidate({ memoryMiB: 16, deadline: '10m' });
    const report = await run(piecesOf([lineOf(1, 'eat'), lineOf(2)]), { candidate: small });
    expect(report).toMatchObject({ counts: { same: 1, changed: 1 } });
    expect(report.rows.changed[0]).toMatchObject({ decisionID: 'n-1', newOutcome: 'error' });
  });

  it('a replay in threads refuses a candidate that is no module', async () => {
    const { release } = candidate;
    const broken = { ...candidate, release: { ...release, policy: { ...release.policy, wasm: new Uint8Array(8) } } };
    await expect(run(piecesOf([lineOf(1)]), { candidate: broken })).rejects.toMatchObject({ type: 'PolicyInvalid' });
  });

  it('a replay in threads fails with its source, and leaves no thread behind', async () => {
    async function* failing() {
      yield* piecesOf([lineOf(1)]);
      throw new Error('the disk is gone');
    }
    await expect(run(failing())).rejects.toThrow('the disk is gone');
  });
});
