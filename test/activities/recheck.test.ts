import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, it } from '@jest/globals';
import type { RecheckRequest, RecheckResult } from '../../src/activities/gate-activities';
import { createRecheck } from '../../src/activities/recheck';
import type { Decision } from '../../src/gate/decisions/decision';
import type { Looked } from '../../src/gate/deployments/looked';
import type { LookDetails } from '../../src/gate/deployments/looks';
import { aFact, aSnapshot } from '../gate/decisions/a-snapshot';

const DAY_MS = 86_400_000;
const NOW = Date.now();
const denied = (reasons: string[], more: Partial<Decision> = {}): Looked => ({
  snapshot: { ...aSnapshot([aFact('serial', 'SECRET', 10)]), decisionTimeMs: NOW },
  decision: { outcome: 'deny', denyReasons: reasons, faults: [], evalDurationNs: 1, ...more },
});
const request: RecheckRequest = {
  target: aSnapshot([]).target,
  found: { outcome: 'deny', codes: ['too_many'] },
  intervals: { everyMs: 30_000, atMostMs: 300_000 },
  notBeforeMs: NOW - 1_000,
  collecting: { timeout: '5s', maximumAttempts: 1, initialInterval: '1s', maximumInterval: '1s' },
};

/** One attempt: what it returned or threw, and the heartbeat details that it left. */
async function attempt(looked: Looked, heartbeatDetails?: Partial<LookDetails>, changes: Partial<RecheckRequest> = {}) {
  const env = new MockActivityEnvironment({ heartbeatDetails }, { logger: new DefaultLogger('ERROR') });
  let left: LookDetails | undefined;
  env.on('heartbeat', (details: LookDetails) => (left = details));
  const recheck = createRecheck({ look: async () => looked, onLooked: () => undefined });
  try {
    return { result: (await env.run(recheck, { ...request, ...changes })) as RecheckResult, left };
  } catch (error) {
    return { error: error as { type?: string; message?: string; nextRetryDelay?: unknown; category?: string }, left };
  }
}

describe('an attempt of a recheck', () => {
  it('an attempt of a recheck that finds the same counts it in the heartbeat details and fails benignly', async () => {
    const before = { count: 4, firstAt: new Date(NOW - 1_000).toISOString() };
    const { error, left } = await attempt(denied(['too many: 3']), before);
    expect(error).toMatchObject({
      type: 'Unchanged',
      message: 'deny: too_many',
      category: 'BENIGN',
      nextRetryDelay: 30_000,
    });
    expect(left).toMatchObject({ ...before, count: 5, outcome: 'deny', codes: ['too_many'], reasons: ['too many: 3'] });
  });

  it.each([
    [8, 30_000],
    [9, 60_000],
    [29, 240_000],
    [30, 240_000],
    [39, 300_000],
    [4_000, 300_000],
  ])('an attempt of a recheck after %i others has the next one wait %i ms', async (count, delayMs) => {
    const { error } = await attempt(denied(['too many: 3']), { count, firstAt: new Date(NOW).toISOString() });
    expect(error?.nextRetryDelay).toBe(delayMs);
  });

  it('an attempt of a recheck that is early does not look', async () => {
    const { error, left } = await attempt(denied(['other: 1']), undefined, { notBeforeMs: Date.now() + DAY_MS });
    expect(error).toMatchObject({ type: 'Unchanged', nextRetryDelay: 30_000 });
    expect(left).toBeUndefined();
  });

  it.each([
    ['a day after the first look', NOW - DAY_MS, true],
    ['before the day is over', NOW - DAY_MS + 60_000, false],
  ])('an attempt of a recheck that finds the same %s returns accordingly', async (_when, firstAtMs, returns) => {
    const before = {
      count: 900,
      firstAt: new Date(firstAtMs).toISOString(),
      lastAt: new Date(NOW - 1_000).toISOString(),
    };
    const { result, error } = await attempt(denied(['too many: 3']), before);
    if (returns) expect(result).toMatchObject({ ...before, decision: { outcome: 'deny' } });
    else expect(error?.type).toBe('Unchanged');
  });

  it('an attempt of a recheck whose worker has a clock a day ahead does not return at its first look', async () => {
    const { error } = await attempt(denied(['too many: 3']), undefined, { notBeforeMs: NOW - DAY_MS });
    expect(error?.type).toBe('Unchanged');
  });

  it('an attempt of a recheck leaves nothing of a masked fact in heartbeat details and failure', async () => {
    const looked = denied(['too many: serial SECRET'], { mask: ['/input/serial'] });
    const { error, left } = await attempt(looked, { count: 1, firstAt: new Date(NOW).toISOString() });
    expect(error?.type).toBe('Unchanged');
    expect(JSON.stringify([left, error?.message])).not.toContain('SECRET');
  });

  it('an attempt of a recheck keeps at most 2 KB of codes, reasons and faults', async () => {
    const reasons = Array.from({ length: 8_500 }, (_unused, region) => `too many: region ${region} has 3100`);
    const { left } = await attempt(denied(reasons), { count: 1, firstAt: new Date(NOW).toISOString() });
    expect(JSON.stringify(left).length).toBeLessThan(2_600);
    expect(left?.reasons?.at(-1)).toMatch(/^… and \d+ more$/);
  });

  it('an attempt of a recheck that finds something else returns it with what was counted before', async () => {
    const before = { count: 4, firstAt: new Date(NOW).toISOString(), lastAt: new Date(NOW).toISOString() };
    const { result } = await attempt(denied(['too old: 3']), before);
    expect(result).toMatchObject({ ...before, snapshot: { decisionId: 'decision-1' } });
  });
});
