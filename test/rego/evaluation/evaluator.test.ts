import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FailureType } from '../../../src/kernel/failures';
import { createEvaluator, type Evaluator, type EvaluatorOptions } from '../../../src/rego/evaluation/evaluator';
import type { PolicyBundle } from '../../../src/rego/bundle/policy-bundle';
import { CONFIG, aBundle, aRequest, buildTrialPolicy } from './trial-policy';

let policy: PolicyBundle;
beforeAll(async () => {
  policy = await buildTrialPolicy();
});

let evaluator: Evaluator;
const start = (options: Partial<EvaluatorOptions> = {}): Evaluator => {
  evaluator = createEvaluator({ threads: 1, deadlineMs: 600_000, memoryMiB: 16, ...options });
  return evaluator;
};
beforeEach(() => {
  start();
});
afterEach(() => evaluator.close());

const answer = (n: number) => ({
  allow: n <= 10,
  deny_reasons: n <= 10 ? [] : [`over: ${n}`],
  now: 1_767_323_045_006_000_000,
  limit: 10,
  own: 'data of the bundle',
});
const failure = (type: FailureType, message: RegExp) =>
  expect.objectContaining({ type, message: expect.stringMatching(message) });
const LOOP_DEADLINE = { deadlineMs: 2_000 };

describe('an evaluation', () => {
  it('an evaluation sees the input, the configuration, the data of the bundle and the decision time', async () => {
    const { response, evalDurationNs } = await evaluator.evaluate(aRequest(policy, { n: 11 }));
    expect(response).toEqual(answer(11));
    expect(evalDurationNs).toBeGreaterThan(0);
  });

  it('an evaluation gives undefined where the entrypoint is undefined', async () => {
    expect(await evaluator.evaluate(aRequest(policy, { n: 1, silent: true }))).toMatchObject({ response: undefined });
  });

  it('an evaluation sees text beyond ASCII as it is', async () => {
    const { response } = await evaluator.evaluate(aRequest(policy, { n: 'größer als 10 🙂' }));
    expect(response).toMatchObject({ deny_reasons: ['over: größer als 10 🙂'] });
  });

  it.each([
    [1, 1],
    [1, 300],
    [3, 300],
  ])(
    'an evaluation of %s threads, asked by %s callers at once, gives each caller its own answer',
    async (threads, callers) => {
      await evaluator.close();
      start({ threads });
      const answers = await Promise.all(
        Array.from({ length: callers }, (_, n) => evaluator.evaluate(aRequest(policy, { n }))),
      );
      expect(answers.map(({ response }) => response)).toEqual(answers.map((_, n) => answer(n)));
    },
  );

  const configs = Array.from({ length: 7 }, (_, limit) => ({ limit }));
  const turns = [...configs, ...configs.toReversed(), ...configs];
  it('an evaluation uses exactly the release that it is asked with, of more than a thread keeps', async () => {
    for (const configDocument of turns) {
      const { response } = await evaluator.evaluate(aRequest(policy, { n: 3 }, { configDocument }));
      expect(response).toMatchObject({ limit: configDocument.limit, allow: configDocument.limit >= 3 });
    }
  });

  it('an evaluation uses exactly the release that it is asked with, when all are asked at once', async () => {
    const found = await Promise.all(
      turns.map((configDocument) => evaluator.evaluate(aRequest(policy, { n: 3 }, { configDocument }))),
    );
    expect(found.map(({ response }) => response)).toEqual(
      turns.map(({ limit }) => expect.objectContaining({ limit, allow: limit >= 3 })),
    );
  });
});

describe('a policy that contradicts itself', () => {
  it('a policy that contradicts itself fails every time it is asked, and spoils no other evaluation', async () => {
    const inputs = Array.from({ length: 60 }, (_, n) => ({ n, tie: n % 3 === 0 }));
    const found = await Promise.allSettled(inputs.map((input) => evaluator.evaluate(aRequest(policy, input))));
    found.forEach((result, n) => {
      if (n % 3 === 0) {
        expect(result).toEqual({
          status: 'rejected',
          reason: failure(FailureType.PolicyEvaluation, /gate\/response failed: .*(conflict|multiple outputs)/i),
        });
      } else {
        expect(result).toMatchObject({ status: 'fulfilled', value: { response: answer(n) } });
      }
    });
  });
});

describe('a policy that loops', () => {
  it('a policy that loops is stopped at its deadline, and the evaluator continues serving', async () => {
    await expect(evaluator.evaluate(aRequest(policy, { n: 1, loop: true }, LOOP_DEADLINE))).rejects.toEqual(
      failure(FailureType.PolicyEvaluation, /ran longer than 2000 ms and was stopped/),
    );
    expect(await evaluator.evaluate(aRequest(policy, { n: 1 }))).toMatchObject({ response: answer(1) });
  });

  it('a policy that loops does not take down the calls queued before and behind it', async () => {
    const before = Array.from({ length: 50 }, (_, n) => evaluator.evaluate(aRequest(policy, { n })));
    const looping = evaluator.evaluate(aRequest(policy, { loop: true }, LOOP_DEADLINE));
    const behind = Array.from({ length: 50 }, (_, n) => evaluator.evaluate(aRequest(policy, { n })));
    await expect(looping).rejects.toEqual(failure(FailureType.PolicyEvaluation, /stopped/));
    const found = await Promise.all([...before, ...behind]);
    expect(found.map(({ response }) => response)).toEqual([...before, ...behind].map((_, n) => answer(n % 50)));
  });

  it('a policy that loops does not use up the deadline of those queued behind it', async () => {
    const looping = Array.from({ length: 3 }, () =>
      evaluator.evaluate(aRequest(policy, { loop: true }, LOOP_DEADLINE)),
    );
    const behind = evaluator.evaluate(aRequest(policy, { n: 1 }, LOOP_DEADLINE));
    await Promise.all(
      looping.map((call) => expect(call).rejects.toEqual(failure(FailureType.PolicyEvaluation, /stopped/))),
    );
    expect(await behind).toMatchObject({ response: answer(1) });
  });

  it('a policy that loops is stopped at the deadline of its own call, though one with a longer deadline is at work before it', async () => {
    const longer = evaluator.evaluate(aRequest(policy, { n: 1 }, { deadlineMs: 600_000 }));
    const looping = evaluator.evaluate(aRequest(policy, { loop: true }, LOOP_DEADLINE));
    await expect(looping).rejects.toEqual(failure(FailureType.PolicyEvaluation, /longer than 2000 ms/));
    expect(await longer).toMatchObject({ response: answer(1) });
  });

  it('a policy that loops leaves the other threads at work', async () => {
    await evaluator.close();
    start({ threads: 2 });
    const looping = evaluator.evaluate(aRequest(policy, { loop: true }, LOOP_DEADLINE));
    expect(await evaluator.evaluate(aRequest(policy, { n: 1 }))).toMatchObject({ response: answer(1) });
    await expect(looping).rejects.toEqual(failure(FailureType.PolicyEvaluation, /stopped/));
  });
});

describe('a policy that eats memory', () => {
  it('a policy that eats memory fails at the ceiling, and the evaluator continues serving', async () => {
    await expect(evaluator.evaluate(aRequest(policy, { eat: true }))).rejects.toEqual(
      failure(FailureType.PolicyEvaluation, /gate\/response failed/),
    );
    expect(await evaluator.evaluate(aRequest(policy, { n: 1 }))).toMatchObject({ response: answer(1) });
  });
});

describe('a release that does not load', () => {
  it.each([
    ['that is no wasm', aBundle(new Uint8Array([1, 2, 3])), /Expected policy.wasm to be a WebAssembly module/],
    ['of another kind', aBundle(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])), /could not be loaded.*ABI/],
  ])('%s is invalid, each time it is asked for', async (_name, bundle, message) => {
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(evaluator.evaluate(aRequest(bundle, { n: 1 }))).rejects.toEqual(
        failure(FailureType.PolicyInvalid, message),
      );
    }
    expect(await evaluator.evaluate(aRequest(policy, { n: 1 }))).toMatchObject({ response: answer(1) });
  });

  it('a release without the entrypoint fails', async () => {
    const other = { ...policy, entrypoint: 'gate/other' };
    await expect(evaluator.evaluate(aRequest(other, { n: 1 }))).rejects.toEqual(
      failure(FailureType.PolicyEvaluation, /gate\/other/),
    );
  });

  it('a release that does not fit into the memory that it may use does not load', async () => {
    const big = { ...CONFIG, text: 'x'.repeat(9 * 2 ** 20) };
    await expect(evaluator.evaluate(aRequest(policy, {}, { configDocument: big, memoryMiB: 8 }))).rejects.toEqual(
      failure(FailureType.PolicyInvalid, /./),
    );
    expect(await evaluator.evaluate(aRequest(policy, { n: 1 }, { configDocument: big, memoryMiB: 64 }))).toMatchObject({
      response: answer(1),
    });
  });
});

describe('an input that is no JSON', () => {
  it('an input that is no JSON fails its own call alone', async () => {
    const unfit = { n: 1n } as unknown as { n: number };
    await expect(evaluator.evaluate(aRequest(policy, unfit))).rejects.toThrow(/BigInt/);
    expect(await evaluator.evaluate(aRequest(policy, { n: 1 }))).toMatchObject({ response: answer(1) });
  });
});

describe('closing', () => {
  it('closing fails the calls that are out and those that come later, and may be done twice', async () => {
    const out = [
      evaluator.evaluate(aRequest(policy, { loop: true })),
      ...Array.from({ length: 40 }, (_, n) => evaluator.evaluate(aRequest(policy, { n, loop: true }))),
    ];
    const settled = Promise.allSettled(out);
    await evaluator.close();
    const closed = failure(FailureType.PolicyUnavailable, /The evaluator is closed/);
    for (const result of await settled) expect(result).toEqual({ status: 'rejected', reason: closed });
    await expect(evaluator.evaluate(aRequest(policy, { n: 1 }))).rejects.toEqual(closed);
    await evaluator.close();
  });

  it('closing fails a call whose policy is still being compiled', async () => {
    const compiling = evaluator.evaluate(aRequest({ ...policy }, { n: 1 }));
    const refused = expect(compiling).rejects.toEqual(failure(FailureType.PolicyUnavailable, /closed/));
    await evaluator.close();
    await refused;
  });
});
