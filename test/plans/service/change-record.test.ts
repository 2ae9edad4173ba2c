import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditRecord, DomainRecord } from '../../../src/audit/audit-record';
import type { JsonObject } from '../../../src/kernel/json';
import { kindNamed } from '../../../src/plans/kinds/kinds';
import { openPlans, type Plans } from '../../../src/plans/service/open-plans';
import type { PlanStore } from '../../../src/plans/store/plan-store';
import { openPlanDatabase } from '../../../src/plans/store/postgres/open-plan-database';
import { createPostgresPlanStore } from '../../../src/plans/store/postgres/store';
import { systemTimers } from '../../../src/platform/timers/system-timers';
import { eventually } from '../../support/eventually';

const logger = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  debug: () => undefined,
} as never;
const request = { caller: { actor: 'ann', mayWriteStatus: () => true } };
const kind = (name: string) => kindNamed(name)!;

let folder: string;
let store: PlanStore;
let plans: Plans;
let isDown = false;
const log: AuditRecord[] = [];
const audit = {
  record: <R extends AuditRecord>(record: R) => {
    if (isDown) return Promise.reject(new Error('the audit store is away'));
    log.push(record);
    return Promise.resolve(record);
  },
  close: () => Promise.resolve(),
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gate-plan-records-'));
  store = createPostgresPlanStore(await openPlanDatabase({ folder }));
  plans = await openPlans({ store, timers: systemTimers, now: Date.now, logger, audit });
});
afterAll(async () => {
  await plans?.close();
  await rm(folder, { recursive: true, force: true });
});

const object = (of: string, name: string, spec: JsonObject, more: JsonObject = {}): JsonObject => ({
  ...{ apiVersion: 'planspec.io/v1alpha1', kind: of, metadata: { name, namespace: 'any' }, spec, ...more },
});
const goal = (name: string, description = 'ship') => object('Goal', name, { description });
const gate = (name: string) => object('Gate', name, { gateType: 'approval', targetRef: { kind: 'Plan', name: 'p' } });
const place = (of: string, name: string) => ({ kind: kind(of), namespace: 'here', name });
const recordsOf = (subject: string, count: number) =>
  eventually(`${count} records of ${subject}`, () => {
    const found = log.filter((each): each is DomainRecord => 'subject' in each && each.subject === subject);
    return Promise.resolve(found.length >= count && found);
  });

describe('changes of plans in the audit log', () => {
  it('each change of a spec has one record with who, what and both digests, and none that changes nothing', async () => {
    await plans.service.apply('here', [goal('ship')], request);
    await plans.service.apply('here', [goal('ship')], request);
    await plans.service.apply('here', [goal('ship', 'other')], { ...request, dryRun: true });
    await plans.service.apply('here', [goal('ship', 'other')], request);
    await plans.service.delete(place('Goal', 'ship'), request);
    const records = await recordsOf('goal/here/ship', 3);
    expect(records.map((each) => each.kind)).toEqual(['created', 'updated', 'deleted']);
    const [created, updated] = records;
    expect(updated).toMatchObject({
      domain: 'plans',
      actor: 'ann',
      details: {
        kind: 'Goal',
        generation: 2,
        changed: ['spec.description'],
        before: { generation: 1, specSHA: created!.details!.specSHA },
      },
    });
    expect(JSON.stringify(records)).not.toContain('other');
    await eventually('nothing to wait', async () => (await store.waitingRecords(1)).length === 0);
  });

  it("a gate's decision has a record with its actors; another status, and what a controller writes, has none", async () => {
    await plans.service.apply('here', [gate('live'), goal('kept')], request);
    const status = {
      phase: 'Approved',
      decidedGeneration: 1,
      resolution: {
        outcome: 'approved',
        actors: ['amy'],
        timestamp: '2026-11-27T10:00:00Z',
        comment: 'x'.repeat(5000),
      },
    };
    await plans.service.replaceStatus(place('Gate', 'live'), { status }, request);
    const stored = await plans.service.get(place('Goal', 'kept'));
    await plans.service.replaceStatus(
      place('Goal', 'kept'),
      { status: { ...stored.status, phase: 'Cancelled' } },
      request,
    );
    await plans.service.delete(place('Goal', 'kept'), request);
    const [, decided] = await recordsOf('gate/here/live', 2);
    expect(decided).toMatchObject({
      kind: 'updated',
      actor: 'ann',
      details: {
        phase: 'Approved',
        resolution: { actors: ['amy'] },
        reviews: [{ reviewer: 'amy', action: 'approve' }],
      },
    });
    expect(decided!.reason).toHaveLength(1000);
    const kept = await recordsOf('goal/here/kept', 2);
    expect(kept.map((each) => each.kind)).toEqual(['created', 'deleted']);
  });

  it('records that the audit log does not take wait in the store, and come with a later write', async () => {
    isDown = true;
    await plans.service.apply('here', [goal('late')], request);
    expect(await store.waitingRecords(10)).toHaveLength(1);
    isDown = false;
    await plans.service.apply('here', [goal('later')], request);
    expect(await recordsOf('goal/here/late', 1)).toHaveLength(1);
  });

  it('a namespace that is deleted twice while a finalizer holds it has one record', async () => {
    const held = { ...goal('held'), metadata: { name: 'held', namespace: 'any', finalizers: ['me/hold'] } };
    await plans.service.apply('gone', [held], request);
    for (let again = 0; again < 2; again += 1) await plans.service.deleteNamespace('gone', request);
    expect(await recordsOf('namespace/gone', 1)).toMatchObject([{ kind: 'deleted' }]);
  });
});
