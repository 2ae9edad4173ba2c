import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/kernel/json';
import { approvalFaults } from '../../../src/plans/execution/gate-approval';
import { decideGate, standingOf } from '../../../src/plans/execution/decide-gate';
import type { Gate } from '../../../src/plans/kinds/gate';
import { TAKEN_BACK, withReviews, type GateStatus } from '../../../src/plans/serving/gate-reviews';
import { aGate } from '../objects';

const AT = Date.parse('2026-11-27T10:00:00Z');
const TIME = '2026-11-27T10:00:00.000Z';
const by = (actor: string, namesOthers = false) => ({ generation: 1, nowMs: AT, by: { actor, namesOthers } });
const approved = (actors: string[], timestamp = TIME): GateStatus => ({
  phase: 'Approved',
  decidedGeneration: 1,
  resolution: { outcome: 'approved', actors, timestamp },
});
const entry = (reviewer: string, action: 'approve' | 'reject' = 'approve') => ({
  reviewer,
  action,
  timestamp: TIME,
  targetGeneration: 1,
});

describe("a gate's history of reviews", () => {
  test('each actor of a new decision has an entry, and one who joins it later another', () => {
    const { status } = withReviews(undefined, approved(['ann', 'ann']), by('ann'));
    expect(status.reviewHistory).toEqual([entry('ann')]);
    const joined = withReviews(status, approved(['ann', 'bob']), by('bob'));
    expect(joined).toMatchObject({ faults: [], status: { reviewHistory: [entry('ann'), entry('bob')] } });
  });

  test('a write without a history keeps it, and one that changes or drops an entry is refused', () => {
    const stored: GateStatus = { phase: 'Waiting', reviewHistory: [entry('ann')] };
    expect(withReviews(stored, { phase: 'Waiting' }, by('bob')).status.reviewHistory).toEqual([entry('ann')]);
    for (const reviewHistory of [[], [entry('bob')]]) {
      const { faults } = withReviews(stored, { phase: 'Waiting', reviewHistory }, by('bob'));
      expect(faults).toMatchObject([{ pointer: '/status/reviewHistory' }]);
    }
  });

  test('a decision that is taken back, or made anew, has an entry, behind which older approvals do not count', () => {
    const stored = withReviews(undefined, approved(['ann']), by('ann')).status;
    const taken = { reviewer: 'bob', action: 'comment', comment: TAKEN_BACK };
    const open = withReviews(stored, { phase: 'Pending' }, by('bob')).status;
    expect(open.reviewHistory).toMatchObject([entry('ann'), taken]);
    const gate = aGate({ requiredApprovers: 2 }, open as JsonObject);
    expect(decideGate(gate, 'approved', { actor: 'bob', timestamp: TIME }).status).toMatchObject({ phase: 'Waiting' });
    const anew = withReviews(stored, approved(['ann'], '2026-11-28T10:00:00Z'), by('ann')).status;
    expect(anew.reviewHistory).toMatchObject([entry('ann'), { ...taken, reviewer: 'ann' }, entry('ann')]);
  });

  test('a token decides for the one whose it is, and may carry what others decided before', () => {
    expect(withReviews(undefined, approved(['ann', 'bob']), by('bob')).faults).toMatchObject([
      { pointer: '/status/resolution/actors', sentence: expect.stringContaining('but bob, whose token this is') },
    ]);
    const stored: GateStatus = { phase: 'Waiting', reviewHistory: [entry('ann')] };
    expect(withReviews(stored, approved(['ann', 'bob']), by('bob')).faults).toEqual([]);
    const forged: GateStatus = { phase: 'Waiting', reviewHistory: [entry('ann'), entry('carol')] };
    expect(withReviews(stored, forged, by('bob')).faults).toMatchObject([{ pointer: '/status/reviewHistory' }]);
    expect(withReviews(undefined, approved(['ann', 'bob']), by('local', true)).faults).toEqual([]);
  });
});

describe("a reviewer's word", () => {
  const said = (gate: Gate, verdict: 'approved' | 'rejected', actor: string, more: JsonObject = {}): Gate => {
    const { status } = decideGate(gate, verdict, { actor, timestamp: TIME, ...more });
    if (status === undefined) throw new Error('expected a status to write');
    const before = gate.status;
    const reviewed = withReviews(before, status as GateStatus, by(actor));
    expect(reviewed.faults).toEqual([]);
    const next = { ...gate, status: reviewed.status } as Gate;
    expect(approvalFaults(next)).toEqual([]);
    // What the command writes is whole: the server has nothing to add.
    expect(reviewed.status).toEqual(status);
    return next;
  };

  test('approvals add up to as many as the gate requires', () => {
    const one = said(aGate({ requiredApprovers: 2 }), 'approved', 'ann');
    expect(one.status).toMatchObject({ phase: 'Waiting', reviewHistory: [entry('ann')] });
    expect(standingOf(one)).toBe('is Waiting: approved by ann, 1 of 2');
    expect(decideGate(one, 'approved', { actor: 'ann', timestamp: TIME })).toEqual({ unchanged: true });
    const two = said(one, 'approved', 'bob', { reason: 'quiet' });
    expect(two.status).toMatchObject({
      phase: 'Approved',
      resolution: { outcome: 'approved', actors: ['ann', 'bob'], comment: 'quiet' },
    });
    expect(standingOf(two)).toBe('is Approved by ann, bob');
    const three = said(two, 'approved', 'carol');
    expect(three.status?.resolution?.actors).toEqual(['ann', 'bob', 'carol']);
  });

  test('one rejection is enough, and takes the approvals before it', () => {
    const one = said(aGate({ requiredApprovers: 2 }), 'approved', 'ann');
    const no = said(one, 'rejected', 'bob');
    expect(no.status).toMatchObject({ phase: 'Rejected', resolution: { outcome: 'rejected', actors: ['bob'] } });
    const again = said(no, 'approved', 'carol', { again: true });
    expect(again.status).toMatchObject({ phase: 'Waiting' });
    expect(standingOf(again)).toBe('is Waiting: approved by carol, 1 of 2');
  });

  test('the other word, and a word of a stranger, are refused with the reason', () => {
    const yes = said(aGate(), 'approved', 'ann');
    expect(decideGate(yes, 'rejected', { actor: 'bob', timestamp: TIME }).fault).toContain('approved by ann at');
    expect(said(yes, 'rejected', 'bob', { again: true }).status?.phase).toBe('Rejected');
    const closed = aGate({ reviewers: ['ann'] });
    expect(decideGate(closed, 'approved', { actor: 'eve', timestamp: TIME }).fault).toBe(
      'expected one of its reviewers ann, got eve',
    );
  });

  test('a gate that was edited since it was approved is decided anew, and --again begins from nothing', () => {
    const yes = said(aGate(), 'approved', 'ann');
    const edited = { ...yes, metadata: { ...yes.metadata, generation: 2 } } as Gate;
    expect(standingOf(edited)).toContain('as it was in generation 1');
    const { status } = decideGate(edited, 'approved', { actor: 'ann', timestamp: TIME });
    expect(status).toMatchObject({ decidedGeneration: 2, reviewHistory: [{}, { targetGeneration: 2 }] });
    const again = said(yes, 'approved', 'ann', { again: true });
    expect(again.status?.reviewHistory?.map(({ action }) => action)).toEqual(['approve', 'comment', 'approve']);
  });
});
