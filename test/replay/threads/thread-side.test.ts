import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Candidate } from '../../../src/replay/rebuild-snapshot';
import { CALLS_PER_BATCH, type BatchMessage } from '../../../src/replay/threads/messages';
import { createThreadSide } from '../../../src/replay/threads/thread-side';
import { lineOf, loopingCandidate } from './looping-candidate';

let candidate: Candidate;
let compiled: WebAssembly.Module;
beforeAll(async () => {
  candidate = await loopingCandidate();
  compiled = await WebAssembly.compile(candidate.release.policy.wasm);
});

const begun: number[] = [];
const start = (dataText = JSON.stringify({ config: { limits: { max: 10 } } })) =>
  createThreadSide(
    {
      candidate,
      filter: {},
      maxRows: 5,
      policy: { module: compiled, dataText, entrypoint: 'gate/response', memoryMiB: 16 },
    },
    {
      begin: (callId, isLoading) => void (isLoading || begun.push(callId)),
      note: () => undefined,
      end: () => undefined,
    },
  );
const batch = (number: number, lines: string[], failed: BatchMessage['failed'] = new Map()): BatchMessage => ({
  batch: number,
  firstLine: 1,
  text: lines.join('\n'),
  failed,
});

describe('a replaying thread', () => {
  it('a replaying thread answers batches in their order, and tells which evaluation it is at', async () => {
    const replayed = start();
    begun.length = 0;
    const answers = await Promise.all([
      replayed(batch(3, [lineOf(1), 'broken', lineOf(20)])),
      replayed(batch(4, [lineOf(2)])),
    ]);
    expect(answers).toMatchObject([
      { batch: 3, report: { decisions: 2, counts: { same: 1, 'newly-denied': 1 }, broken: [{ line: 2 }] } },
      { batch: 4, report: { decisions: 1, counts: { same: 1 } } },
    ]);
    expect(begun).toEqual([1, 2].map((call) => 3 * CALLS_PER_BATCH + call).concat(4 * CALLS_PER_BATCH + 1));
  });

  it('a replaying thread does not try again what brought a thread down', async () => {
    begun.length = 0;
    const answer = await start()(
      batch(0, [lineOf(1), lineOf(2), lineOf(3)], new Map([[2, { step: 'run' as const, message: 'it hung' }]])),
    );
    expect(answer).toMatchObject({ report: { counts: { same: 2, changed: 1 } } });
    expect(answer).toMatchObject({ report: { rows: { changed: [{ decisionID: 'n-2', newReasons: ['it hung'] }] } } });
    expect(begun).toEqual([1, 3]);
  });

  it('a replaying thread counts as an error what the policy cannot answer, and continues', async () => {
    const answer = await start()(batch(0, [lineOf(1, 'eat'), lineOf(2)]));
    expect(answer).toMatchObject({ report: { counts: { same: 1, changed: 1 } } });
  });

  it('a replaying thread counts every decision as an error under data that does not load', async () => {
    const answer = await start('no JSON')(batch(0, [lineOf(1)]));
    expect(answer).toMatchObject({ report: { counts: { changed: 1 }, rows: { changed: [{ newOutcome: 'error' }] } } });
  });
});
