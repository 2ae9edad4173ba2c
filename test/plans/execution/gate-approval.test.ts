import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/kernel/json';
import { approvalFaults } from '../../../src/plans/execution/gate-approval';
import type { Gate } from '../../../src/plans/kinds/gate';
import { aGate } from '../objects';

describe('a gate', () => {
  const resolved = (over: JsonObject = {}, status: JsonObject = {}): JsonObject => ({
    phase: 'Approved',
    decidedGeneration: 1,
    resolution: { outcome: 'approved', actors: ['ann'], timestamp: '2026-11-27T10:00:00Z', ...over },
    ...status,
  });
  test.each<[string, Gate, string[]]>([
    ['no resolution', aGate(), []],
    ['one approver', aGate({}, resolved()), []],
    ['no actors', aGate({}, resolved({ actors: [] })), ['expected at least 1 different actors for approved, got 0']],
    [
      'the same actor twice where two are required',
      aGate({ requiredApprovers: 2 }, resolved({ actors: ['ann', 'ann'] })),
      ['expected at least 2 different actors for approved, got 1'],
    ],
    ['two of two', aGate({ requiredApprovers: 2 }, resolved({ actors: ['ann', 'bob'] })), []],
    [
      'an actor who is no reviewer',
      aGate({ reviewers: ['bob'] }, resolved()),
      ['expected actors among the reviewers bob, got ann'],
    ],
    [
      'the decision on an older generation',
      aGate({}, resolved({}, { decidedGeneration: 0 })),
      ["expected the gate's generation 1, got 0"],
    ],
    [
      'a rejection by one where two approve',
      aGate({ requiredApprovers: 2 }, { ...resolved({ outcome: 'rejected' }), phase: 'Rejected' }),
      [],
    ],
  ])('a gate with %s holds or says why not', (_what, gate, faults) => {
    expect(approvalFaults(gate).map(({ sentence }) => sentence)).toEqual(faults);
  });
});
