import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { ExecutionPlan } from '../../../src/rules/execution/execution';
import type { BeginReport } from '../../../src/rules/execution/report';
import { openedLate } from '../../../src/rules/service/stored-executions';
import { PARCELS } from '../parcels';
import { aDocument, NOW, openService, type ServiceHarness } from './service-harness';

const ann = { actor: 'ann' };
const reason = 'as discussed';

describe('executions in the store of policies', () => {
  let harness: ServiceHarness;
  let stored: ReturnType<typeof openedLate>;
  let opened = 0;
  beforeAll(async () => {
    harness = await openService();
    const { store, log, logger, now } = harness.parts;
    stored = openedLate(
      () => {
        opened += 1;
        return opened === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve(store);
      },
      { log, domain: PARCELS, logger, now },
    );
    await harness.service.create(ann, { document: aDocument('one'), reason });
  });
  afterAll(() => harness?.close());

  async function aBegin(over: Partial<ExecutionPlan> = {}): Promise<BeginReport> {
    const { pins, setRevision } = await stored.policies.current();
    const plan: ExecutionPlan = {
      policies: [pins.get('one')!],
      setRevision,
      stateDigest: 'd'.repeat(64),
      observedAtMs: Date.parse(NOW),
      decidedAtMs: Date.parse(NOW),
      steps: [{ kind: 'load', policies: ['one'], settings: { lane: 1 }, sentence: 'l1 takes p1' }],
      refusals: [],
      unmet: {},
      ...over,
    };
    const question = { operation: 'load_parcel' };
    return { report: 'begin', id: randomUUID(), plan, question, actor: 'ann', reason, workflowId: 'w' };
  }

  it('a store that could not be opened is opened by the next call, and once', async () => {
    await expect(stored.policies.current()).rejects.toThrow('not yet');
    await stored.policies.current();
    await stored.policies.current();
    expect(opened).toBe(2);
  });

  it('the policies of the store come with their revisions, and again when one has changed', async () => {
    const { service } = harness;
    const before = await stored.policies.current();
    expect(before.policies.map(({ name }) => name)).toEqual(['one']);
    expect(await stored.policies.current()).toBe(before);
    const { id } = await service.get({ name: 'one' });
    const document = aDocument('one', { priority: 3 });
    await service.update(ann, { policy: { id }, document, revision: 1, reason });
    const after = await stored.policies.current();
    expect(after.setRevision).toBe(before.setRevision + 1);
    expect(after.policies).toMatchObject([{ name: 'one', priority: 3 }]);
    expect(after.pins.get('one')).toEqual({ policyId: id, name: 'one', type: 'loading', revision: 2 });
  });

  it('an execution that is reported twice is in the store once, with its records', async () => {
    const begin = await aBegin();
    const { id, plan } = begin;
    const subject = plan.policies[0]!.policyId;
    const reports = [
      begin,
      { report: 'step', id, subject, index: 0, status: 'running' },
      { report: 'step', id, subject, index: 0, status: 'done', details: { changed: true } },
      { report: 'end', id, subject, state: 'done', details: { took: 3 } },
    ] as const;
    for (const report of reports) {
      await stored.journal.write(report);
      await stored.journal.write(report);
    }
    expect(await harness.service.executions.get(id)).toMatchObject({
      status: 'done',
      actor: 'ann',
      workflowId: 'w',
      steps: [{ action: 'load', status: 'done', details: { changed: true } }],
      result: { took: 3 },
    });
    const records = (await harness.recordsOf(subject)).filter(({ part }) => part === id);
    expect(records.map(({ kind, actor }) => [kind, actor])).toEqual(
      expect.arrayContaining([
        ['started', 'ann'],
        ['acted', 'rules'],
        ['ended', 'rules'],
      ]),
    );
    expect(records).toHaveLength(3);
  });

  it('an execution in which no policy acts is in the audit log alone', async () => {
    const begin = await aBegin({ policies: [], steps: [] });
    const { id } = begin;
    await stored.journal.write(begin);
    await stored.journal.write({ report: 'end', id, subject: 'load_parcel', state: 'done' });
    await expect(harness.service.executions.get(id)).rejects.toMatchObject({ type: 'RuleNotFound' });
    expect((await harness.recordsOf('load_parcel')).map(({ kind }) => kind).sort()).toEqual(['ended', 'started']);
  });

  it('an execution is for the revisions that were evaluated, also when a policy has changed since', async () => {
    const begin = await aBegin();
    const { service } = harness;
    const { id, revision } = await service.get({ name: 'one' });
    await service.update(ann, { policy: { id }, document: aDocument('one', { priority: 4 }), revision, reason });
    await stored.journal.write(begin);
    expect((await service.executions.get(begin.id)).policies).toMatchObject([{ policyId: id, revision }]);
    const unknown = await aBegin({ policies: [{ policyId: id, name: 'one', type: 'loading', revision: 99 }] });
    await expect(stored.journal.write(unknown)).rejects.toMatchObject({ type: 'RuleNotFound' });
  });
});
