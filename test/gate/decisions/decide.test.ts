import { describe, expect, it } from '@jest/globals';
import { toDecision, toPolicyInput } from '../../../src/gate/decisions/decide';
import type { JsonValue } from '../../../src/kernel/json';
import { DECISION_TIME_MS, aFact, aSnapshot } from './a-snapshot';

const snapshot = aSnapshot([aFact('a', 1, 100), aFact('b', 2, 500), aFact('unused', 3, 900)], {
  maxAgeMs: { a: 1000, b: 1000, unused: 1000 },
});
const decide = (response: JsonValue | undefined) =>
  toDecision({ snapshot, usedFactIds: ['a', 'b'], result: { response, evalDurationNs: 7 } });

describe('toPolicyInput', () => {
  it('toPolicyInput has a key for each fact, the deployment and the decision time in UTC with milliseconds', () => {
    expect(toPolicyInput(snapshot)).toEqual({
      a: 1,
      b: 2,
      unused: 3,
      deployment: {
        id: 'd1',
        stage: 'canary',
        stage_index: 0,
        attributes: { risk: 'low' },
        stage_attributes: { n: 1 },
      },
      decision_time: '2026-01-02T03:04:05.006Z',
    });
  });

  it('toPolicyInput lets no fact take the place of the deployment or the time, nor of a prototype', () => {
    const input = toPolicyInput(aSnapshot([aFact('deployment', 1), aFact('decision_time', 2), aFact('__proto__', {})]));
    expect(input).toMatchObject({ deployment: { id: 'd1' }, decision_time: '2026-01-02T03:04:05.006Z' });
    expect(Object.keys(input)).toContain('__proto__');
  });
});

describe('toDecision', () => {
  it('toDecision allows until the first fact that was used is too old', () => {
    expect(decide({ allow: true, deny_reasons: [] })).toEqual({
      outcome: 'allow',
      denyReasons: [],
      faults: [],
      evalDurationNs: 7,
      leaseExpiresAtMs: DECISION_TIME_MS + 500,
      leaseLimit: { factId: 'b', maxAgeMs: 1000 },
    });
  });

  it('toDecision allows without end when every fact is always fresh', () => {
    const result = { response: { allow: true, deny_reasons: [] }, evalDurationNs: 7 };
    expect(toDecision({ snapshot: aSnapshot([aFact('a', 1)]), usedFactIds: ['a'], result })).toEqual({
      outcome: 'allow',
      denyReasons: [],
      faults: [],
      evalDurationNs: 7,
    });
  });

  it.each([
    [
      ['b: 1', 'a: 1', 'b: 1', 'B: 1', 'ä: 1'],
      ['B: 1', 'a: 1', 'b: 1', 'ä: 1'],
    ],
    [['only: 1'], ['only: 1']],
    [[], ['policy_gave_no_reason']],
  ])('toDecision denies for the reasons %j in order, each once, without a lease', (given, denyReasons) => {
    expect(decide({ allow: false, deny_reasons: given })).toEqual({
      outcome: 'deny',
      denyReasons,
      faults: [],
      evalDurationNs: 7,
    });
  });

  it.each<[string, JsonValue | undefined]>([
    ['undefined', undefined],
    ['null', null],
    ['true alone', true],
    ['a list', [{ allow: true, deny_reasons: [] }]],
    ['an empty object', {}],
    ['no reasons', { allow: true }],
    ['no allow', { deny_reasons: [] }],
    ['a text for allow', { allow: 'true', deny_reasons: [] }],
    ['a number for allow', { allow: 1, deny_reasons: [] }],
    ['null for allow', { allow: null, deny_reasons: [] }],
    ['null for reasons', { allow: true, deny_reasons: null }],
    ['an object of reasons', { allow: true, deny_reasons: {} }],
    ['a reason that is no text', { allow: false, deny_reasons: ['a', 1] }],
    ['a further key', { allow: true, deny_reasons: [], warnings: [] }],
    ['allow with a reason', { allow: true, deny_reasons: ['a: 1'] }],
  ])('toDecision takes an answer of %s as an error of the policy', (_name, response) => {
    const decision = decide(response);
    expect(decision).toMatchObject({ outcome: 'error', denyReasons: [], evalDurationNs: 7 });
    expect(decision.faults).toEqual([
      {
        type: 'PolicyEvaluation',
        message: expect.stringMatching(/^Expected the policy to .*found/),
        where: 'response',
      },
    ]);
    expect(decision).not.toHaveProperty('leaseExpiresAtMs');
  });

  it('toDecision shows at most 200 characters of what it found', () => {
    expect(decide('x'.repeat(500)).faults[0]!.message).toHaveLength(
      decide(undefined).faults[0]!.message.length - 'nothing (the entrypoint is undefined)'.length + 201,
    );
  });

  it('toDecision is an error with all faults where there was no evaluation, never without one', () => {
    const faults = [
      { type: 'FactMissing' as const, message: 'one' },
      { type: 'FactStale' as const, message: 'two' },
    ];
    const of = (given: typeof faults) => toDecision({ snapshot, usedFactIds: [], result: { faults: given } });
    expect(of(faults)).toEqual({ outcome: 'error', denyReasons: [], faults, evalDurationNs: 0 });
    expect(of([]).faults).toHaveLength(1);
  });
});
