import { describe, expect, it, jest } from '@jest/globals';
import { evaluateSnapshot } from '../../../src/gate/decisions/evaluate-snapshot';
import { type EvaluatePolicy } from '../../../src/rego/evaluation/evaluate-policy';
import type { Fact } from '../../../src/gate/facts/fact';
import type { Snapshot } from '../../../src/gate/facts/snapshot';
import { FailureType, GateError } from '../../../src/kernel/failures';
import type { JsonObject } from '../../../src/kernel/json';
import type { Release } from '../../../src/releases/release';
import { DECISION_TIME_MS, aFact, aSnapshot } from './a-snapshot';

const reads = {
  facts: ['a'],
  inputPaths: [['a']],
  configPaths: [['limits', 'max']],
  collections: [],
  wholeInput: false,
};
const aRelease = (inputSchema: JsonObject = { properties: { a: { type: 'integer' } } }): Release =>
  ({
    ref: { policySha: 'p', configRev: 'c', manifestVersion: '1' },
    policy: { sha: 'p', reads, inputSchema },
    config: { allowedClockSkew: '2s', evaluation: { deadline: '250ms', memoryMiB: 16 } },
    configDocument: { limits: { max: 1 } },
    loadedAtMs: 0,
  }) as unknown as Release;
const release = aRelease();
const allowing = () =>
  jest.fn<EvaluatePolicy>().mockResolvedValue({ response: { allow: true, deny_reasons: [] }, evalDurationNs: 5 });

async function decide(facts: Fact[], changes: Partial<Snapshot> = {}, evaluate = allowing()) {
  const decision = await evaluateSnapshot({ release, snapshot: aSnapshot(facts, changes), evaluate });
  return { decision, calls: evaluate.mock.calls };
}

describe('evaluateSnapshot', () => {
  it('evaluateSnapshot asks the policy of the release about the snapshot at its decision time', async () => {
    const { decision, calls } = await decide([aFact('a', 1)], { maxAgeMs: { a: 1000 } });
    expect(decision).toMatchObject({ outcome: 'allow', evalDurationNs: 5, leaseExpiresAtMs: DECISION_TIME_MS + 1000 });
    expect(calls).toEqual([
      [
        {
          policy: release.policy,
          configDocument: release.configDocument,
          configRev: 'c',
          input: expect.objectContaining({ a: 1, decision_time: '2026-01-02T03:04:05.006Z' }),
          decisionTimeMs: DECISION_TIME_MS,
          deadlineMs: 250,
          memoryMiB: 16,
        },
      ],
    ]);
  });

  it.each([
    [999, 'allow'],
    [1000, 'allow'],
    [1001, 'error'],
    [NaN, 'error'],
    [Infinity, 'error'],
  ])('evaluateSnapshot judges a fact %s ms old at a max age of 1000 ms: %s', async (ageMs, outcome) => {
    const { decision, calls } = await decide([aFact('a', 1, ageMs)], { maxAgeMs: { a: 1000 } });
    expect(decision.outcome).toBe(outcome);
    expect(calls).toHaveLength(outcome === 'allow' ? 1 : 0);
    if (outcome === 'error') {
      expect(decision.faults).toEqual([
        expect.objectContaining({ type: 'FactStale', factId: 'a', ageMs, maxAgeMs: 1000 }),
      ]);
    }
  });

  it('evaluateSnapshot judges no age of a fact that is always fresh', async () => {
    expect((await decide([aFact('a', 1, 1e9)])).decision.outcome).toBe('allow');
  });

  it.each<[string, Fact[], string[]]>([
    ['an absent fact', [], ['FactMissing']],
    ['a null fact', [aFact('a', null)], ['FactInvalid']],
    ['a fact of another type', [aFact('a', '1')], ['FactInvalid']],
    ['a fact that is there twice', [aFact('a', 1), aFact('a', 2)], ['FactInvalid']],
    ['a fact under a name of the gate’s', [aFact('a', 1), aFact('deployment', {})], ['FactInvalid']],
  ])('evaluateSnapshot does not ask the policy about %s', async (_name, facts, types) => {
    const { decision, calls } = await decide(facts);
    expect(decision.outcome).toBe('error');
    expect(decision.faults.map(({ type }) => type)).toEqual(types);
    expect(calls).toEqual([]);
  });

  it('evaluateSnapshot gives all faults together', async () => {
    const { decision } = await decide([aFact('a', 'x', 2000)], { maxAgeMs: { a: 1000 } });
    expect(decision.faults.map(({ type }) => type)).toEqual(['FactStale', 'FactInvalid']);
  });

  it.each(['PolicyEvaluation', 'PolicyInvalid'] as const)(
    'evaluateSnapshot takes %s as an error of the policy',
    async (type) => {
      const evaluate = jest.fn<EvaluatePolicy>().mockRejectedValue(new GateError(FailureType[type], 'it aborted'));
      const { decision } = await decide([aFact('a', 1)], {}, evaluate);
      expect(decision).toMatchObject({ outcome: 'error', faults: [{ type, message: 'it aborted' }] });
    },
  );

  it.each([new Error('the thread is gone'), new GateError(FailureType.ReleaseChanged, 'other release')])(
    'evaluateSnapshot passes on what is not the policy’s fault: %s',
    async (error) => {
      const evaluate = jest.fn<EvaluatePolicy>().mockRejectedValue(error);
      await expect(decide([aFact('a', 1)], {}, evaluate)).rejects.toBe(error);
    },
  );

  it('evaluateSnapshot is an error, not an allow, where input.json cannot be used', async () => {
    for (const schema of [{ properties: { a: { type: 'whole' } } }, { properties: {} }] as JsonObject[]) {
      const evaluate = allowing();
      const decision = await evaluateSnapshot({
        release: aRelease(schema),
        snapshot: aSnapshot([aFact('a', 1)]),
        evaluate,
      });
      expect(decision).toMatchObject({ outcome: 'error', faults: [{ type: 'PolicyInvalid', where: 'input.json' }] });
      expect(evaluate).not.toHaveBeenCalled();
    }
  });

  it('evaluateSnapshot compiles what must hold once a release', async () => {
    const counted = aRelease();
    const read = jest.fn(() => ({ properties: { a: { type: 'integer' } } }));
    Object.defineProperty(counted.policy, 'inputSchema', { get: read });
    const ask = () =>
      evaluateSnapshot({ release: counted, snapshot: aSnapshot([aFact('a', 1)]), evaluate: allowing() });
    await ask();
    const before = read.mock.calls.length;
    await ask();
    expect(before).toBeGreaterThan(0);
    expect(read).toHaveBeenCalledTimes(before);
  });
});
