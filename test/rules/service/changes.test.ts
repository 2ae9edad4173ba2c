import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createRuleService } from '../../../src/rules/service/create-rule-service';
import { faultField } from '../../../src/rules/service/fault-field';
import type { StoredPolicy } from '../../../src/rules/store/stored-policy';
import type { GateError } from '../../../src/kernel/failures';
import { aDocument, NOW, openService, type ServiceHarness } from './service-harness';

const ann = { actor: 'ann' };
const reason = 'as discussed';

describe('changes of rule policies', () => {
  let harness: ServiceHarness;
  beforeAll(async () => {
    harness = await openService();
  });
  afterAll(() => harness?.close());

  const create = (document = aDocument(`p-${randomUUID()}`)): Promise<StoredPolicy> =>
    harness.service.create(ann, { document, reason });

  it('a pause has who and why, is in the audit log once, and holds until its own end', async () => {
    const { service } = harness;
    const { id } = await create(aDocument('pausable'));
    const policy = { name: 'pausable' };
    expect(await service.pauses.pause(ann, { policy, reason: 'repairs' })).toEqual({ changed: true });
    expect(await service.pauses.pause({ actor: 'bob' }, { policy: { id }, reason: 'too' })).toEqual({ changed: false });
    const own = { policyId: id, actor: 'ann', reason: 'repairs', since: NOW };
    expect(await service.pauses.list()).toEqual([own]);
    expect(await service.pauses.pause(ann, { reason })).toEqual({ changed: true });
    expect(await service.pauses.unpause(ann, { reason })).toEqual({ changed: true });
    expect(await service.pauses.list()).toEqual([own]);
    expect(await service.pauses.unpause(ann, { policy, reason: 'repaired' })).toEqual({ changed: true });
    expect(await service.pauses.unpause(ann, { policy, reason })).toEqual({ changed: false });
    const ofPolicy = await harness.recordsOf(id);
    expect(ofPolicy.map(({ kind, actor, reason: why }) => [kind, actor, why]).sort()).toEqual([
      ['created', 'ann', reason],
      ['pause', 'ann', 'repairs'],
      ['resume', 'ann', 'repaired'],
    ]);
    const { items } = await service.events(policy);
    expect(items.map(({ result }) => result).sort()).toEqual(['paused', 'revision 1', 'runs by its trigger']);
    expect((await harness.recordsOf('policies')).map(({ kind, details }) => [kind, details]).sort()).toEqual([
      ['pause', { all: true }],
      ['resume', { all: true }],
    ]);
  });

  it('a pause without a reason, of a policy that is not there, or beyond the types of a caller is refused', async () => {
    const { service } = harness;
    await create(aDocument('mine'));
    const policy = { name: 'mine' };
    const bound = { actor: 'eve', policyTypes: ['other'] };
    await expect(service.pauses.pause(ann, { policy, reason: ' ' })).rejects.toMatchObject({ type: 'ConfigInvalid' });
    await expect(service.pauses.pause(ann, { policy: { name: 'none' }, reason })).rejects.toMatchObject({
      type: 'RuleNotFound',
    });
    await expect(service.pauses.pause(bound, { policy, reason })).rejects.toMatchObject({ type: 'AccessDenied' });
    await expect(service.pauses.unpause(bound, { reason })).rejects.toMatchObject({
      type: 'AccessDenied',
      message: 'eve may pause policies of the types other, not all',
    });
    expect(await service.pauses.list()).toEqual([]);
  });

  it('a policy is created, updated, taken back, deleted and restored, each as a revision and a record', async () => {
    const { service } = harness;
    const one = await create(aDocument('story'));
    expect(one).toMatchObject({ revision: 1, type: 'loading', version: '1.0', priority: 10, enabled: true });
    const policy = { name: 'story' };
    const two = await service.update(ann, {
      policy,
      document: aDocument('story', { priority: 20 }),
      revision: 1,
      reason,
    });
    expect(two).toMatchObject({ id: one.id, revision: 2, priority: 20, createdAt: NOW });
    const three = await service.rollback({ actor: 'bob' }, { policy, to: 1, revision: 2, reason: 'too early' });
    expect(three).toMatchObject({ revision: 3, priority: 10, document: one.document });
    await service.delete(ann, { policy, revision: 3, reason });
    await expect(service.get(policy)).rejects.toMatchObject({
      type: 'RuleNotFound',
      message: 'No policy is named story',
    });
    const back = await service.rollback(ann, { policy: { id: one.id }, to: 2, revision: 4, reason });
    expect(back).toMatchObject({ revision: 5, priority: 20 });
    expect(back.deletedAt).toBeUndefined();
    expect(await service.get(policy)).toEqual(back);

    const records = await harness.recordsOf(one.id);
    expect(records.map(({ kind, actor, reason: why }) => [kind, actor, why]).sort()).toEqual(
      [
        ['created', 'ann', reason],
        ['updated', 'ann', reason],
        ['rollback', 'bob', 'too early'],
        ['deleted', 'ann', reason],
        ['rollback', 'ann', reason],
      ].sort(),
    );
    expect(records.find(({ kind }) => kind === 'updated')!.details).toEqual({
      name: 'story',
      type: 'loading',
      revision: 2,
      before: { revision: 1, document: one.document },
      after: { revision: 2, document: two.document },
    });
    expect(records.find(({ kind }) => kind === 'deleted')!.details).toMatchObject({ after: null });
    expect(await harness.parts.store.waitingRecords(10)).toEqual([]);

    const { items, nextPageToken } = await service.versions({ id: one.id }, { pageSize: 2 });
    expect(items.map(({ revision, change }) => [revision, change])).toEqual([
      [5, 'rollback'],
      [4, 'deleted'],
    ]);
    const rest = await service.versions({ id: one.id }, { pageToken: nextPageToken! });
    expect(rest.items.map(({ revision, restores }) => [revision, restores])).toEqual([
      [3, 1],
      [2, undefined],
      [1, undefined],
    ]);
    expect(await service.diff(policy, 1, 2)).toEqual([{ path: 'priority', a: 10, b: 20 }]);
    const events = await service.events(policy);
    expect(events.items).toHaveLength(5);
    expect(events.items).toContainEqual({
      policyId: one.id,
      timestamp: NOW,
      eventType: 'updated',
      details: expect.objectContaining({ actor: 'ann', reason, revision: 2 }),
      result: 'revision 2',
    });
  });

  it('every fault of a bad document is told with its JSON path, and the refusal is recorded', async () => {
    const document = aDocument('bad', {
      scope: { operation: 'fly' },
      conditions: { all: [{ metric: 'lorry.free', operator: 'bigger', value: 1 }, { not: 7 }] },
      actions: { load: { lane: 0 } },
    });
    const refusal = (await create(document).catch((error: unknown) => error)) as GateError;
    expect(refusal.type).toBe('ConfigInvalid');
    expect(refusal.faults.map(faultField).sort()).toEqual([
      expect.stringMatching(/^actions\.load/),
      'conditions.all[0].operator',
      'conditions.all[1].not',
      'scope.operation',
    ]);
    const [record] = await harness.recordsOf('bad');
    expect(record).toMatchObject({
      kind: 'refused',
      actor: 'ann',
      details: { call: 'CreatePolicy', type: 'ConfigInvalid' },
    });
    expect(record!.errorDetails).toHaveLength(4);
  });

  it.each([
    ['no name', { ...aDocument('x'), name: '' }, 'policy: expected the key name, but it is missing or no text'],
    ['a name with a line break', aDocument('two\nlines'), 'without control characters'],
    ['an unknown parent', aDocument('child', { extends: 'nobody' }), 'no policy is named nobody'],
  ])('a document with %s is refused', async (_what, document, sentence) => {
    await expect(create(document)).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message: expect.stringContaining(sentence),
    });
  });

  it('a revision that is not the current one is refused, and so is a taken name', async () => {
    const { service } = harness;
    const one = await create();
    const other = await create();
    const stale = { policy: { id: one.id }, document: aDocument(one.name, { priority: 1 }), revision: 7, reason };
    await expect(service.update(ann, stale)).rejects.toMatchObject({
      type: 'RevisionConflict',
      message: `the policy ${one.name} is at revision 1, and the call was made for revision 7`,
    });
    await expect(service.delete(ann, { policy: { id: one.id }, revision: 2, reason })).rejects.toMatchObject({
      type: 'RevisionConflict',
    });
    await expect(create(aDocument(one.name))).rejects.toMatchObject({ type: 'RuleNameTaken' });
    const renamed = { policy: { id: one.id }, document: aDocument(other.name), revision: 1, reason };
    await expect(service.update(ann, renamed)).rejects.toMatchObject({ type: 'RuleNameTaken' });
  });

  it('a call whose answer was lost may be repeated, and changes nothing more', async () => {
    const { service } = harness;
    const id = randomUUID();
    const creation = { document: aDocument(`again-${id}`), reason, id };
    const one = await service.create(ann, creation);
    expect(await service.create(ann, creation)).toEqual(one);
    const policy = { id };
    const change = { policy, document: aDocument(one.name, { priority: 1 }), revision: 1, reason };
    const two = await service.update(ann, change);
    expect(await service.update(ann, change)).toEqual(two);
    expect(await service.update(ann, { ...change, revision: 2 })).toEqual(two);
    const back = { policy, to: 1, revision: 2, reason };
    const three = await service.rollback(ann, back);
    expect(await service.rollback(ann, back)).toEqual(three);
    const gone = await service.delete(ann, { policy, revision: 3, reason });
    expect(await service.delete(ann, { policy, revision: 3, reason })).toEqual(gone);
    expect((await service.versions(policy)).items).toHaveLength(4);
    const other = { ...creation, document: aDocument('another') };
    await expect(service.create(ann, other)).rejects.toMatchObject({ type: 'RevisionConflict' });
  });

  it('writers at the same time all get their change, and each revision is of one of them', async () => {
    const { service, parts } = harness;
    // Another server over the same store.
    const second = createRuleService(parts);
    const names = Array.from({ length: 6 }, () => `parallel-${randomUUID()}`);
    const made = await Promise.all(
      names.map((name, at) => (at % 2 === 0 ? service : second).create(ann, { document: aDocument(name), reason })),
    );
    const [one] = made as [StoredPolicy];
    const updates = await Promise.allSettled(
      [service, second, service].map((each, at) =>
        each.update(ann, {
          policy: { id: one.id },
          document: aDocument(one.name, { priority: at }),
          revision: 1,
          reason,
        }),
      ),
    );
    expect(updates.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const update of updates) {
      if (update.status === 'rejected') expect(update.reason).toMatchObject({ type: 'RevisionConflict' });
    }
  });

  it('what others extend, include or depend on cannot be deleted, nor changed so that they break', async () => {
    const { service } = harness;
    const template = await create({ name: 'base', template: true, type: 'loading', actions: { load: { lane: 2 } } });
    expect(template.type).toBe('loading');
    const fragments = { fragments: { roomy: { metric: 'lorry.free', operator: 'gt', value: 5 } } };
    await expect(create(fragments)).rejects.toMatchObject({
      message: 'name: expected a name for the fragments beside the document',
    });
    const common = await service.create(ann, { document: fragments, name: 'common', reason });
    expect(common).toMatchObject({ name: 'common', type: 'fragments' });
    const child = await create({ name: 'child', extends: 'base', conditions: { include: 'roomy' } });
    expect(child.type).toBe('loading');
    await expect(service.delete(ann, { policy: { name: 'base' }, revision: 1, reason })).rejects.toMatchObject({
      type: 'RuleInUse',
      message: expect.stringContaining('stored policy child'),
    });
    await expect(service.delete(ann, { policy: { name: 'common' }, revision: 1, reason })).rejects.toMatchObject({
      type: 'RuleInUse',
    });
    const broken = { policy: { name: 'base' }, document: { name: 'base', template: true }, revision: 1, reason };
    const refusal = (await service.update(ann, broken).catch((error: unknown) => error)) as GateError;
    expect(refusal).toMatchObject({ type: 'ConfigInvalid', message: expect.stringContaining('stored policy child') });
    expect(refusal.faults.map(faultField)).toEqual([undefined]);
  });

  it('arguments fill in the parameters of a policy when it is created', async () => {
    const document = aDocument('filled', {
      parameters: { least: { type: 'number', minimum: 1 } },
      conditions: { metric: 'lorry.free', operator: 'gt', value: { parameter: 'least' } },
    });
    const stored = await harness.service.create(ann, { document, arguments: { least: 4 }, reason });
    expect(stored.document).toMatchObject({ conditions: { metric: 'lorry.free', operator: 'gt', value: 4 } });
    expect(stored.document).not.toHaveProperty('parameters');
    const wrong = { document: { ...document, name: 'unfilled' }, arguments: { least: 0, most: 1 }, reason };
    const refusal = (await harness.service.create(ann, wrong).catch((error: unknown) => error)) as GateError;
    expect(refusal.faults).toHaveLength(2);
  });

  it('a caller that is bound to types of policies may change no others', async () => {
    const bound = { actor: 'carl', policyTypes: ['other'] };
    const document = aDocument('bound');
    await expect(harness.service.create(bound, { document, reason })).rejects.toMatchObject({
      type: 'AccessDenied',
      message: 'carl may change policies of the types other, not of loading',
    });
    expect(await harness.recordsOf('bound')).toMatchObject([{ kind: 'refused', actor: 'carl' }]);
  });

  it('a change without a reason or an actor is refused', async () => {
    const document = aDocument('unreasoned');
    for (const why of ['', '  ', 'x'.repeat(1_001)]) {
      await expect(harness.service.create(ann, { document, reason: why })).rejects.toMatchObject({
        type: 'ConfigInvalid',
      });
    }
    await expect(harness.service.create({ actor: '' }, { document, reason })).rejects.toMatchObject({
      message: 'actor: expected 1 to 1000 characters',
    });
  });

  it('policies are listed by filter, page by page; a token of another question is refused', async () => {
    const { service } = harness;
    for (const name of ['list-a', 'list-b', 'list-c']) await create(aDocument(name, { enabled: name !== 'list-b' }));
    const filter = { namePrefix: 'list-' };
    const first = await service.list(filter, { pageSize: 2 });
    expect(first.items.map(({ name }) => name)).toEqual(['list-a', 'list-b']);
    const second = await service.list(filter, { pageSize: 2, pageToken: first.nextPageToken! });
    expect(second).toEqual({ items: [expect.objectContaining({ name: 'list-c' })] });
    const off = await service.list({ ...filter, enabled: false });
    expect(off.items.map(({ name }) => name)).toEqual(['list-b']);
    for (const [pageToken, asked] of [
      [first.nextPageToken!, { namePrefix: 'other' }],
      ['no token', filter],
      [Buffer.from('{"asked":1}').toString('base64url'), filter],
    ] as const) {
      await expect(service.list(asked, { pageToken })).rejects.toMatchObject({ type: 'ConfigInvalid' });
    }
    await expect(service.list(filter, { pageSize: 0 })).rejects.toMatchObject({ type: 'ConfigInvalid' });
  });

  it('a policy beyond the quota, or a document too big, is refused, counted and recorded', async () => {
    const { service, parts, registry } = harness;
    const living = await parts.store.count();
    const full = createRuleService({ ...parts, quotas: { policies: living, documentBytes: 4_096 } });
    await expect(full.create(ann, { document: aDocument('one-more'), reason })).rejects.toMatchObject({
      type: 'QuotaExceeded',
      message: `There are ${living} policies already, ${living} are allowed (server.quotas.policies)`,
    });
    const big = aDocument('big', { description: 'x'.repeat(5_000) });
    await expect(service.create(ann, { document: big, reason })).rejects.toMatchObject({ type: 'QuotaExceeded' });
    expect(await harness.recordsOf('big')).toMatchObject([{ kind: 'refused' }]);
    const metrics = await registry.metrics();
    expect(metrics).toContain('gate_rules_quota_refusals_total{quota="policies"} 1');
    expect(metrics).toContain('gate_rules_quota_refusals_total{quota="document_bytes"} 1');
    expect(metrics).toMatch(/gate_rules_policy_changes_total\{policy_type="loading",change="created"\} \d+/);
  });

  it('a change is made while the audit log is away; its record waits, and is brought once it is back', async () => {
    const { service, outage, parts } = harness;
    outage.isOn = true;
    const one = await create(aDocument('waiting'));
    await expect(service.update(ann, { policy: { id: one.id }, document: {}, revision: 1, reason })).rejects.toThrow();
    expect(await harness.recordsOf(one.id)).toEqual([]);
    await expect(service.deliverRecords()).rejects.toMatchObject({ type: 'AuditWriteFailed' });
    outage.isOn = false;
    await service.deliverRecords();
    expect((await harness.recordsOf(one.id)).map(({ kind }) => kind).sort()).toEqual(['created', 'refused']);
    expect(await parts.store.waitingRecords(10)).toEqual([]);
    await service.deliverRecords();
  });
});
