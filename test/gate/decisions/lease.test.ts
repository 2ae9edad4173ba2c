import { describe, expect, it } from '@jest/globals';
import type { LeaseClaim } from '../../../src/gate/decisions/lease';
import { leaseLapse, leaseOf } from '../../../src/gate/decisions/lease';

describe('leaseOf', () => {
  it('leaseOf ends with the earliest of observed plus max age, which need not be the shortest max age', () => {
    const facts = [
      { id: 'fresh', observedAtMs: 1000 },
      { id: 'old', observedAtMs: 0 },
    ];
    expect(leaseOf(facts, { fresh: 500, old: 1200 })).toEqual({
      expiresAtMs: 1200,
      limit: { factId: 'old', maxAgeMs: 1200 },
    });
  });

  it('leaseOf is without end when no fact has a max age', () => {
    expect(leaseOf([{ id: 'limit', observedAtMs: 0 }], {})).toEqual({});
    expect(leaseOf([], { other: 1 })).toEqual({});
  });

  it('leaseOf takes no notice of always fresh facts, even called like a property of every object', () => {
    const facts = [
      { id: 'toString', observedAtMs: 0 },
      { id: 'a', observedAtMs: 10 },
    ];
    expect(leaseOf(facts, { a: 5 })).toEqual({ expiresAtMs: 15, limit: { factId: 'a', maxAgeMs: 5 } });
  });

  it.each([
    [{ a: 10, b: 5 }, { a: 0, b: 5 }, 'b'],
    [{ b: 5, a: 5 }, { a: 0, b: 0 }, 'a'],
  ])(
    'leaseOf names the shorter max age, then the first id, of facts that end together',
    (maxAges, observed, expected) => {
      const facts = Object.entries(observed).map(([id, observedAtMs]) => ({ id, observedAtMs }));
      expect(leaseOf(facts.reverse(), maxAges).limit?.factId).toBe(expected);
    },
  );
});

describe('leaseLapse', () => {
  const release = { policySha: 'p', configRev: 'c', manifestVersion: '1' };
  const claim: LeaseClaim = { decisionId: 'd', decisionTimeMs: 100, expiresAtMs: 1000, release };
  const check = (nowMs: number, changes: Partial<LeaseClaim> = {}, currentRelease = release) =>
    leaseLapse({ claim: { ...claim, ...changes }, nowMs, currentRelease });

  it.each([
    [999, undefined],
    [1000, undefined],
    [1001, { cause: 'age', release, delayMs: 901 }],
    [NaN, { cause: 'age', release, delayMs: NaN }],
  ])('leaseLapse at %s of a lease until 1000 gives %j', (nowMs, expected) => {
    expect(check(nowMs)).toEqual(expected);
  });

  it('leaseLapse never ends by age where no fact limits it', () => {
    expect(check(Number.MAX_SAFE_INTEGER, { expiresAtMs: undefined })).toBeUndefined();
  });

  it.each([
    [{ ...release, policySha: 'other' }, 'release'],
    [{ ...release, configRev: 'other' }, 'release'],
    [{ ...release, manifestVersion: '2' }, undefined],
  ])('leaseLapse under the release %j', (current, cause) => {
    expect(check(500, {}, current)?.cause).toBe(cause);
    expect(check(500, { release: undefined }, current)).toBeUndefined();
  });

  it('leaseLapse names the release that was found, where both have changed', () => {
    const current = { ...release, policySha: 'other' };
    expect(check(2000, {}, current)).toEqual({ cause: 'release', release: current, delayMs: 1900 });
  });
});
