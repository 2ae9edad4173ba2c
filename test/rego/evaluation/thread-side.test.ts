import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, LoadMessage, ToThread } from '../../../src/rego/evaluation/messages';
import { RunClock, type CurrentRun } from '../../../src/platform/threads/run-clock';
import { createThreadSide } from '../../../src/rego/evaluation/thread-side';
import { CONFIG, DECISION_TIME_MS, buildTrialPolicy } from './trial-policy';

let load: LoadMessage;
beforeAll(async () => {
  const { wasm, entrypoint, data } = await buildTrialPolicy();
  const dataText = JSON.stringify({ ...data, config: CONFIG });
  load = { load: 7, module: await WebAssembly.compile(wasm), dataText, entrypoint, memoryMiB: 16 };
});

/** Sends messages and waits until each call among them is answered; `runs` is what the clock said at each answer. */
async function exchange(messages: readonly ToThread[]) {
  const clock = new RunClock();
  const answers: Answer[] = [];
  const runs: (CurrentRun | undefined)[] = [];
  const expected = messages.flatMap((message) => (Array.isArray(message) ? message : [])).length;
  await new Promise<void>((resolve) => {
    const receive = createThreadSide(clock, (sent) => {
      runs.push(clock.read());
      if (answers.push(...sent) === expected) resolve();
    });
    for (const message of messages) receive(message);
  });
  return { answers, runs };
}

const call = (callId: number, input: object, releaseId = 7): ToThread => [
  [callId, releaseId, JSON.stringify(input), DECISION_TIME_MS],
];

describe('a thread', () => {
  it('a thread answers calls in the order in which they came, and is idle by the time of each answer', async () => {
    const { answers, runs } = await exchange([load, call(1, { n: 1 }), call(2, { n: 11 }), call(3, { silent: true })]);
    expect(answers.map(([callId]) => callId)).toEqual([1, 2, 3]);
    expect(answers.map(([, text]) => text && JSON.parse(text))).toMatchObject([
      { allow: true },
      { allow: false },
      undefined,
    ]);
    for (const [, , tookNs, , failed] of answers) {
      expect(tookNs).toBeGreaterThan(0);
      expect(failed).toBeUndefined();
    }
    expect(runs).toEqual([undefined, undefined, undefined]);
  });

  it('a thread makes a new instance after a failed evaluation', async () => {
    const { answers } = await exchange([
      load,
      call(1, { tie: true }),
      call(2, { n: 1 }),
      call(3, { eat: true }),
      call(4, { n: 1 }),
    ]);
    expect(answers.map(([, , , , failed]) => failed?.step)).toEqual(['run', undefined, 'run', undefined]);
    expect(answers[1]![1]).toEqual(answers[3]![1]);
  });

  it.each<[string, () => ToThread[]]>([
    ['was never given', () => [call(1, {}, 8)]],
    ['has dropped', () => [load, { drop: 7 }, call(1, {})]],
    ['cannot load', () => [{ ...load, dataText: '{' }, call(1, {})]],
  ])('a thread answers with a failure to load where it %s the release', async (_name, messages) => {
    const { answers, runs } = await exchange(messages());
    expect(answers).toEqual([[1, undefined, 0, undefined, { step: 'load', message: expect.stringMatching(/./) }]]);
    expect(runs).toEqual([undefined]);
  });
});

describe('the clock of a thread', () => {
  it.each([true, false])(
    'the clock of a thread says which call it is at, since when, and whether it is loading: %s',
    (isLoading) => {
      const clock = new RunClock();
      const watcher = new RunClock(clock.buffer);
      expect(watcher.read()).toBeUndefined();
      clock.begin(3, isLoading, 123_456_789_012_345n);
      expect(watcher.read()).toEqual({ callId: 3, isLoading, sinceNs: 123_456_789_012_345n });
      clock.end();
      expect(watcher.read()).toBeUndefined();
    },
  );
});
