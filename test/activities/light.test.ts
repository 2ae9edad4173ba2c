import { describe, expect, it } from '@jest/globals';
import {
  collectFitting,
  lightFailure,
  lightLooked,
  lightSnapshot,
  wholeRecord,
  wholeSnapshot,
} from '../../src/activities/light';
import { createObjectParts } from '../../src/audit/stores/dynamodb/parts';
import { createBigFacts, type BigFacts } from '../../src/gate/big-facts';
import type { Decision } from '../../src/gate/decisions/decision';
import { draftOf, withTarget } from '../../src/gate/deployments/looked';
import { SnapshotError } from '../../src/gate/facts/collect-snapshot';
import type { Snapshot } from '../../src/gate/facts/snapshot';
import { FailureType, GateError } from '../../src/kernel/failures';
import { jsonBytes, LIMITS } from '../../src/kernel/limits';
import { MemoryObjects } from '../fakes/memory-objects';
import { RELEASE } from '../fakes/fake-gate-activities';

const target = { deploymentId: 'd', stage: 's', stageIndex: 0, attributes: { risk: 'low' }, stageAttributes: { n: 1 } };
const run = { workflowId: 'deployment/d', runId: 'r' };

function snapshotOf(bytes: number): Snapshot {
  const fact = { id: 'fleet', value: '', observedAtMs: 1_000, collectedAtMs: 1_001, source: 'fake' };
  const value = 'x'.repeat(bytes - jsonBytes([fact]));
  return {
    ...{ decisionId: 'd-1', decisionTimeMs: 1_002, target, release: RELEASE, maxAgeMs: { fleet: 45_000 } },
    facts: [{ ...fact, value }],
  };
}
const allow: Decision = { outcome: 'allow', denyReasons: [], faults: [], evalDurationNs: 7, mask: [] };
const bigFactsOver = (objects = new MemoryObjects()): BigFacts => createBigFacts(createObjectParts(objects), undefined);

describe('what passes through Temporal', () => {
  it.each([
    [LIMITS.carriedFactsBytes, false],
    [LIMITS.carriedFactsBytes + 1, true],
  ])('facts of %d bytes are put aside: %s', async (bytes, isAside) => {
    const light = await lightSnapshot({ bigFacts: bigFactsOver() }, snapshotOf(bytes));
    expect(light.part !== undefined).toBe(isAside);
    expect(light.facts).toHaveLength(isAside ? 0 : 1);
    expect(light.target).toMatchObject({ attributes: {}, stageAttributes: {} });
  });

  it('a decision with facts that were put aside has the record that it would have had', async () => {
    const bigFacts = bigFactsOver();
    const looked = { snapshot: snapshotOf(100_000), decision: allow };
    const carried = withTarget(await lightLooked({ bigFacts }, looked), target);
    expect(jsonBytes(carried)).toBeLessThan(5_000);
    const draft = draftOf(carried, run);
    expect(draft.record.usedFacts).toMatchObject([
      { id: 'fleet', value: null, shown: expect.stringMatching(/^"x+…$/) },
    ]);
    expect(await wholeRecord({ bigFacts }, draft.record)).toEqual(draftOf(looked, run).record);
  });

  it('a masked decision with facts that were put aside shows no more than its record does', async () => {
    const bigFacts = bigFactsOver();
    const denied: Decision = { ...allow, outcome: 'deny', denyReasons: ['blocked: xxxx'], mask: ['/input/fleet'] };
    const looked = { snapshot: snapshotOf(100_000), decision: denied };
    const { record } = draftOf(withTarget(await lightLooked({ bigFacts }, looked), target), run);
    expect(record).toMatchObject({ reasons: ['blocked'], masked: ['/input/fleet'], usedFacts: [{ value: null }] });
    expect(JSON.stringify({ ...record, looked: undefined })).not.toContain('xxxx');
    expect(await wholeRecord({ bigFacts }, record)).toEqual(draftOf(looked, run).record);
  });

  it('a failure with big facts has the record that it would have had', async () => {
    const bigFacts = bigFactsOver();
    const { maxAgeMs: _none, ...taken } = snapshotOf(100_000);
    const failure = { ...taken, faults: [{ type: FailureType.FactStale, message: 'too old', factId: 'other' }] };
    const light = await lightFailure({ bigFacts }, failure);
    expect(jsonBytes(light)).toBeLessThan(5_000);
    const draft = draftOf(withTarget({ failure: light }, target), run);
    expect(await wholeRecord({ bigFacts }, draft.record)).toEqual(draftOf({ failure }, run).record);
  });

  it('a decision whose facts are gone is recorded as an error, and an allow is none any more', async () => {
    const objects = new MemoryObjects();
    const carried = withTarget(
      await lightLooked({ bigFacts: bigFactsOver(objects) }, { snapshot: snapshotOf(100_000), decision: allow }),
      target,
    );
    for (const key of await objects.list('parts/')) await objects.delete(key);
    const record = await wholeRecord({ bigFacts: bigFactsOver(objects) }, draftOf(carried, run).record);
    expect(record).toMatchObject({ decisionID: 'd-1', outcome: 'error', usedFacts: [], runID: 'r' });
    expect(record.errorDetails).toMatchObject([{ type: 'FactInvalid', message: expect.stringContaining('no longer') }]);
  });

  it('facts that are big are refused where the store has no place for them', async () => {
    const parts = { collect: () => Promise.resolve(snapshotOf(LIMITS.carriedFactsBytes + 1)) };
    const collected = collectFitting(parts, undefined as never, { target, light: true });
    await expect(collected).rejects.toMatchObject({
      type: 'FactInvalid',
      message: expect.stringMatching(
        /have 65537 bytes as JSON, more than the 65536 allowed: fleet has \d+; .*bigFacts/,
      ),
    });
    const fitting = { collect: () => Promise.resolve(snapshotOf(LIMITS.carriedFactsBytes)) };
    expect((await collectFitting(fitting, undefined as never, { target, light: true })).facts).toHaveLength(1);
  });

  it('workflows of earlier releases get their facts whole', async () => {
    const parts = { collect: () => Promise.resolve(snapshotOf(500_000)), bigFacts: bigFactsOver() };
    expect((await collectFitting(parts, undefined as never, { target })).facts).toHaveLength(1);
    const tooBig = { ...parts, collect: () => Promise.resolve(snapshotOf(LIMITS.factBytes + 1)) };
    await expect(collectFitting(tooBig, undefined as never, { target })).rejects.toBeInstanceOf(SnapshotError);
  });

  it('facts that cannot be put aside are a failure that a retry may mend', async () => {
    const bigFacts: BigFacts = {
      put: () => Promise.reject(new GateError(FailureType.AuditWriteFailed, 'the store is away')),
      get: () => Promise.reject(new GateError(FailureType.AuditUnavailable, 'the store is away')),
    };
    const put = lightSnapshot({ bigFacts }, snapshotOf(100_000));
    await expect(put).rejects.toMatchObject({ type: 'AuditWriteFailed', failure: { decisionId: 'd-1', facts: [] } });
  });

  it('facts that were put aside where this worker has no place for them are a fault', async () => {
    const light = await lightSnapshot({ bigFacts: bigFactsOver() }, snapshotOf(100_000));
    await expect(wholeSnapshot({}, light)).rejects.toMatchObject({ type: 'FactInvalid' });
  });
});
