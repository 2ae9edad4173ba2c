import { describe, expect, it } from '@jest/globals';
import type { GateRecord } from '../../../src/audit/audit-record';
import { decisionRecord, failureRecord } from '../../../src/gate/decisions/to-audit-record';
import { actRecord, type Act } from '../../../src/gate/deployments/act-record';
import { pastResult } from '../../../src/gate/deployments/past-result';
import { toRecordedDecision } from '../../../src/gate/deployments/recorded-decision';
import { aFact, aSnapshot } from '../decisions/a-snapshot';
import { aDecision } from './a-status';

const TIME = '2026-01-02T03:04:05.006Z';
const { decision } = aDecision();
const record = decisionRecord(aSnapshot([aFact('a', 'x'.repeat(200), 1000)]), decision, {
  workflowId: 'w',
  runId: 'r',
});

describe('a decision’s record', () => {
  it('a decision’s record has the snapshot’s id and time, with facts, release and deployment', () => {
    expect(record).toEqual({
      schemaVersion: 1,
      decisionID: 'decision-1',
      kind: 'decision',
      deploymentID: 'd1',
      stage: 'canary',
      timestamp: TIME,
      outcome: 'deny',
      reasons: ['too many: 3'],
      errorDetails: [],
      evalDurationNS: 1,
      usedFacts: [
        {
          id: 'a',
          value: 'x'.repeat(200),
          observedAt: '2026-01-02T03:04:04.006Z',
          collectedAt: TIME,
          source: 'a test',
        },
      ],
      policySHA: 'p',
      configRev: 'c',
      manifestVersion: '1',
      workflowID: 'w',
      runID: 'r',
      actor: 'gate',
      deployment: {
        id: 'd1',
        stage: 'canary',
        stage_index: 0,
        attributes: { risk: 'low' },
        stage_attributes: { n: 1 },
      },
    });
  });

  it('a decision’s record is an error with every fault where facts failed, without a release where none is loaded', () => {
    const { release: _release, maxAgeMs: _maxAgeMs, ...rest } = aSnapshot([]);
    const faults = [{ type: 'FactMissing' as const, message: 'm' }];
    const failed = failureRecord({ ...rest, faults }, {});
    expect(failed).toMatchObject({ outcome: 'error', reasons: [], errorDetails: faults, evalDurationNS: 0 });
    for (const key of ['policySHA', 'configRev', 'workflowID', 'runID', 'leaseExpiresAt'])
      expect(failed).not.toHaveProperty(key);
  });

  it('a decision’s record is what the workflow continues with, whatever it decided itself', () => {
    const leaseLimit = { factId: 'a', maxAgeMs: 5 };
    const stored = { ...record, leaseExpiresAt: TIME };
    const recorded = toRecordedDecision(stored, { ...decision, outcome: 'allow', leaseLimit }, { a: 5 });
    expect(recorded).toEqual({
      decisionId: 'decision-1',
      decisionTimeMs: Date.parse(TIME),
      codes: ['too_many'],
      decision: { ...decision, leaseExpiresAtMs: Date.parse(TIME), leaseLimit },
      release: { policySha: 'p', configRev: 'c', manifestVersion: '1' },
      facts: [{ id: 'a', value: `"${'x'.repeat(119)}…`, ageMs: 1000, maxAgeMs: 5, source: 'a test' }],
    });
  });

  it('a decision’s record without an outcome never counts as an allow', () => {
    const { outcome: _outcome, policySHA: _policySHA, evalDurationNS: _ns, ...bare } = record;
    const recorded = toRecordedDecision(bare, { ...decision, outcome: 'allow' }, {});
    expect(recorded.decision).toMatchObject({ outcome: 'error', evalDurationNs: 0 });
    expect(recorded).not.toHaveProperty('release');
  });
});

describe('actRecord', () => {
  const act: Act = {
    id: 'i',
    kind: 'resume',
    deploymentId: 'd1',
    stage: 's',
    atMs: 0,
    actor: 'ann',
    reason: 'ok',
    workflowId: 'w',
    runId: 'r',
  };
  it('actRecord gives an outcome to an override alone', () => {
    expect(actRecord({ ...act, kind: 'override' }).outcome).toBe('allow');
    for (const kind of ['resume', 'abort', 'pause', 'resolved'] as const) {
      expect(actRecord({ ...act, kind })).not.toHaveProperty('outcome');
    }
  });

  it('actRecord keeps who, why, what for, until when and under which release', () => {
    const release = { policySha: 'p', configRev: 'c', manifestVersion: '1' };
    const faults = [{ type: 'FactStale' as const, message: 'm' }];
    expect(actRecord({ ...act, refersTo: 'x', faults, release, leaseExpiresAtMs: 1 })).toMatchObject({
      decisionID: 'i',
      timestamp: '1970-01-01T00:00:00.000Z',
      actor: 'ann',
      reason: 'ok',
      refersTo: 'x',
      errorDetails: faults,
      policySHA: 'p',
      leaseExpiresAt: '1970-01-01T00:00:00.001Z',
    });
  });
});

describe('pastResult', () => {
  const spec = { stages: [{ name: 'a' }, { name: 'b' }] };
  const at = (second: number, changes: Partial<GateRecord>): GateRecord => ({
    ...record,
    timestamp: `2026-01-01T00:00:0${second}.000Z`,
    ...changes,
  });
  const allowA = at(1, { stage: 'a', outcome: 'allow' });
  const allowB = at(2, { stage: 'b', outcome: 'allow' });
  it.each<[string, GateRecord[], unknown]>([
    ['no record', [], undefined],
    ['an allow of the last stage', [allowB, allowA], { state: 'done', stage: 'b' }],
    ['an override of the last stage', [allowA, { ...allowB, kind: 'override' }], { state: 'done', stage: 'b' }],
    ['an allow of an earlier stage', [allowA], { state: 'uncertain', stage: 'a' }],
    [
      'a denial that nothing followed',
      [allowA, at(2, { stage: 'b', outcome: 'deny' })],
      { state: 'denied', stage: 'b' },
    ],
    ['a denial before an allow', [allowB, at(1, { stage: 'b', outcome: 'deny' })], { state: 'done', stage: 'b' }],
    ['an error', [at(1, { stage: 'b', outcome: 'error' })], { state: 'uncertain', stage: 'b' }],
    ['an abort', [allowA, at(3, { kind: 'abort', stage: 'a' }), allowB], { state: 'aborted', stage: 'a' }],
    [
      'the record of its end',
      [allowA, allowB, at(3, { kind: 'ended', stage: 'b', details: { end: 'failed' } })],
      { state: 'failed', stage: 'b' },
    ],
    [
      'an end that a later release knows',
      [allowB, at(3, { kind: 'ended', stage: 'b', details: { end: 'postponed' } })],
      { state: 'uncertain', stage: 'b' },
    ],
    ['acts alone', [at(1, { kind: 'pause', stage: 'a' })], { state: 'uncertain', stage: 'a' }],
  ])('pastResult of %s', (_name, records, expected) => {
    expect(pastResult(spec, records)).toEqual(expected);
  });
});
