import { describe, expect, it } from '@jest/globals';
import { withoutBigUpdates, type UpdateJob } from '../../../src/workflows/parts/big-updates';

const KIB = 1024;
const payload = (bytes: number) => ({ metadata: { encoding: new Uint8Array(10) }, data: new Uint8Array(bytes) });
const update = (...bytes: number[]): UpdateJob => ({ doUpdate: { runValidator: true, input: bytes.map(payload) } });

describe('Updates that are too big to be answered', () => {
  it.each<[string, UpdateJob[], number[]]>([
    ['another job', [{}], [0]],
    ['an Update without arguments', [{ doUpdate: { runValidator: true } }], [0]],
    ['one of 900 KiB', [update(900 * KIB)], [0]],
    ['one of 2 MiB', [update(2_048 * KIB)], []],
    ['one whose arguments have 2 MiB together', [update(...Array<number>(2_048).fill(KIB))], []],
    ['one whose 100,000 empty arguments take as much', [update(...Array<number>(100_000).fill(0))], []],
    [
      'one that was accepted before, replayed',
      [{ doUpdate: { runValidator: false, input: [payload(2_048 * KIB)] } }],
      [0],
    ],
    [
      'one with a header of 2 MiB',
      [{ doUpdate: { runValidator: true, headers: { trace: payload(2_048 * KIB) } } }],
      [],
    ],
    ['two of 600 KiB, the second one', [update(600 * KIB), update(600 * KIB)], [0]],
    ['small ones beside big ones, the big ones', [update(2_048 * KIB), update(900 * KIB), update(64 * KIB)], [1, 2]],
  ])('%s: what is answered', (_what, jobs, answered) => {
    expect(withoutBigUpdates(jobs).map((job) => jobs.indexOf(job))).toEqual(answered);
  });
});
