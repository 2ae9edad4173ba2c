import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/kernel/json';
import { decisionMark, extensionsOf, gateVerdict, markBefore } from '../../../src/plans/execution/gate-verdict';
import type { Gate } from '../../../src/plans/kinds/gate';
import { aGate } from '../objects';

const decided = (outcome: 'approved' | 'rejected', over: JsonObject = {}): JsonObject => ({
  phase: outcome === 'approved' ? 'Approved' : 'Rejected',
  decidedGeneration: 1,
  resolution: { outcome, actors: ['ann'], timestamp: '2026-11-27T10:00:00Z', ...over },
});
const approved = decided('approved');
const target = (ref: JsonObject): Gate => aGate({ targetRef: { name: 'p', ...ref } as JsonObject }, approved);
const question = {
  gate: 'gate',
  node: 'wait',
  plan: { name: 'p', uid: 'plan-uid' },
  execution: { metadata: { name: 'e', namespace: 'default', uid: 'run-uid' } },
};
const stateOf = (gate: Gate | undefined, before: Gate | undefined) =>
  gateVerdict(gate, { ...question, before: decisionMark(before) }).state;

describe('a node that waits for a gate', () => {
  test.each<[string, Gate | undefined, string]>([
    ['does not exist', undefined, 'waiting'],
    ['is undecided', aGate(), 'waiting'],
    ['was approved since', aGate({}, approved), 'approved'],
    ['was rejected since', aGate({}, decided('rejected')), 'rejected'],
    ['was approved in an older generation', aGate({}, { ...approved, decidedGeneration: 0 }), 'waiting'],
    ['was approved by too few', aGate({ requiredApprovers: 2 }, approved), 'waiting'],
  ])('whose gate %s is answered', (_what, gate, state) => {
    expect(stateOf(gate, undefined)).toBe(state);
  });

  test.each<[string, JsonObject, string]>([
    ['this plan', { kind: 'Plan' }, 'approved'],
    ['this plan by its uid', { kind: 'Plan', uid: 'plan-uid' }, 'approved'],
    ['this execution', { kind: 'Execution', name: 'e', namespace: 'default' }, 'approved'],
    ['this node', { kind: 'Plan', nodeId: 'wait' }, 'approved'],
    ['another plan', { kind: 'Plan', name: 'q' }, 'waiting'],
    ['a plan of this name that was deleted', { kind: 'Plan', uid: 'other' }, 'waiting'],
    ['this plan in another namespace', { kind: 'Plan', namespace: 'prod' }, 'waiting'],
    ['another node', { kind: 'Plan', nodeId: 'rest' }, 'waiting'],
    ['the goal', { kind: 'Goal' }, 'waiting'],
  ])('takes an approval from before it began to wait by whether targetRef names %s', (_what, ref, state) => {
    expect(stateOf(target(ref), target(ref))).toBe(state);
  });

  test('takes a new approval whatever targetRef names, and a rejection whenever it was made', () => {
    const before = target({ kind: 'Goal' });
    const again = aGate(
      { targetRef: { kind: 'Goal', name: 'p' } },
      decided('approved', { timestamp: '2026-11-28T10:00:00Z' }),
    );
    expect(stateOf(again, before)).toBe('approved');
    const rejected = aGate({ targetRef: { kind: 'Goal', name: 'p' } }, decided('rejected', { comment: 'not today' }));
    expect(gateVerdict(rejected, { ...question, before: decisionMark(rejected) })).toMatchObject({
      state: 'rejected',
      message: 'gate gate was rejected by ann: not today',
    });
  });

  test('says what it waits for', () => {
    const said = (gate: Gate | undefined, before = gate) =>
      gateVerdict(gate, { ...question, before: decisionMark(before) }).message;
    expect(said(undefined)).toBe('waits for gate gate, which does not exist');
    expect(said(aGate())).toBe('waits for gate gate, which is Pending');
    expect(said(target({ kind: 'Goal' }))).toContain('approve it once more (--again)');
  });

  test('keeps what its gate was when it began, also when it is run again', () => {
    const first = extensionsOf(undefined, undefined);
    expect(markBefore(first)).toBeUndefined();
    expect(extensionsOf(first, aGate({}, approved))).toBe(first);
    const other = extensionsOf({ more: 1 }, aGate({}, approved));
    expect(other.more).toBe(1);
    expect(markBefore(other)).toEqual(decisionMark(aGate({}, approved)));
  });
});
