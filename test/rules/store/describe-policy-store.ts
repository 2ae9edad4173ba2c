import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { changeRecord, pauseRecord, startedRecords } from '../../../src/rules/service/rule-records';
import type { PolicyStore, PolicyWrite } from '../../../src/rules/store/policy-store';
import type { StoredExecution } from '../../../src/rules/store/stored-execution';
import type { PolicyChange, StoredPolicy } from '../../../src/rules/store/stored-policy';

const AT = '2026-11-26T10:00:00.000Z';

export interface PolicyStoreUnderTest {
  store: PolicyStore;
  /** a second way into the same store; another connection where there can be one */
  other: PolicyStore;
  /** the tables by SQL */
  query(sql: string): Promise<unknown>;
  close(): Promise<void>;
}

/** A policy of this name as it is first written. */
export function aPolicy(name: string, over: Partial<StoredPolicy> = {}): StoredPolicy {
  return {
    id: randomUUID(),
    name,
    type: 'placement',
    version: '1.0',
    revision: 1,
    priority: 10,
    enabled: true,
    document: { name, type: 'placement', conditions: { metric: 'node.cpu', operator: 'lt', value: 80 } },
    createdAt: AT,
    updatedAt: AT,
    ...over,
  };
}

export function aWrite(policy: StoredPolicy, change: PolicyChange, before?: StoredPolicy): PolicyWrite {
  const { id, revision, name, type, version, document, updatedAt } = policy;
  const told = {
    policyId: id,
    revision,
    change,
    name,
    type,
    version,
    document,
    actor: 'ann',
    reason: 'why not',
    createdAt: updatedAt,
  };
  return { policy, version: told, record: changeRecord(told, before) };
}

/** What every store of policies keeps to. */
export function describePolicyStore(name: string, open: () => Promise<PolicyStoreUnderTest>): void {
  describe(`policy store contract on ${name}`, () => {
    let opened: PolicyStoreUnderTest;
    let store: PolicyStore;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(async () => opened?.close());

    const write = async (policy: StoredPolicy, change: PolicyChange = 'created', before?: StoredPolicy) => {
      const outcome = await store.write(await store.setRevision(), aWrite(policy, change, before));
      if (typeof outcome === 'string') throw new Error(outcome);
      return outcome.setRevision;
    };

    it('a pause is kept once, with its record, until it is ended', async () => {
      const policyId = randomUUID();
      const pause = { actor: 'ann \u0000', reason: 'repairs', since: AT };
      const record = (kind: 'pause' | 'resume') =>
        pauseRecord(randomUUID(), kind, { actor: 'ann', reason: 'repairs', timestamp: AT }, undefined);
      const told = record('pause');
      expect(await store.pause({ ...pause, policyId }, told)).toBe(true);
      expect(await opened.other.pause({ ...pause, policyId, actor: 'bob' }, record('pause'))).toBe(false);
      expect(await store.pause(pause, record('pause'))).toBe(true);
      const kept = { actor: 'ann \uFFFD', reason: 'repairs', since: AT };
      expect(await opened.other.pauses()).toEqual([kept, { ...kept, policyId }]);
      const waiting = await store.waitingRecords(100);
      expect(waiting).toHaveLength(2);
      expect(waiting[0]).toEqual(told);
      expect(await store.unpause(undefined, record('resume'))).toBe(true);
      expect(await store.unpause(undefined, record('resume'))).toBe(false);
      expect(await store.unpause(policyId, record('resume'))).toBe(true);
      expect(await store.pauses()).toEqual([]);
      const left = await store.waitingRecords(100);
      expect(left.map(({ kind }) => kind)).toEqual(['pause', 'pause', 'resume', 'resume']);
      await store.delivered(left.map(({ decisionID }) => decisionID));
    });

    it('a policy comes back key by key, with characters that PostgreSQL cannot hold', async () => {
      const policy = aPolicy('exact', {
        version: '1.0-ä',
        priority: Number.MAX_SAFE_INTEGER,
        document: { z: 1, a: [1.5, 1e300, -0.1], text: 'null \u0000 and half \ud800', name: 'exact' },
      });
      await write(policy);
      expect(await store.find({ id: policy.id })).toEqual(policy);
      const found = await opened.other.find({ name: 'exact' });
      expect(JSON.stringify(found!.document)).toBe(JSON.stringify(policy.document));
      expect(await store.find({ name: 'EXACT' })).toBeUndefined();
      expect(await store.find({ id: randomUUID() })).toBeUndefined();
    });

    it('the revision of the set grows with each change and tells what changed since', async () => {
      const before = await store.setRevision();
      const [one, two] = [aPolicy('since-1'), aPolicy('since-2')];
      await write(one);
      await write(two);
      const changed = { ...one, revision: 2, enabled: false };
      expect(await write(changed, 'updated', one)).toBe(before + 3);
      expect(await opened.other.changedSince(before)).toEqual({ setRevision: before + 3, policies: [two, changed] });
      expect(await store.changedSince(before + 3)).toEqual({ setRevision: before + 3, policies: [] });
    });

    it('a change that was checked beside an older set is not written', async () => {
      const before = await store.setRevision();
      await write(aPolicy('first-there'));
      const late = aPolicy('late');
      expect(await store.write(before, aWrite(late, 'created'))).toBe('set-changed');
      expect(await store.find({ id: late.id })).toBeUndefined();
      expect(await store.waitingRecords(1_000)).not.toContainEqual(expect.objectContaining({ subject: late.id }));
    });

    it('of writers at the same moment exactly one wins each revision of the set', async () => {
      const from = await store.setRevision();
      const attempts = Array.from({ length: 8 }, (_, at) =>
        (at % 2 === 0 ? store : opened.other).write(from, aWrite(aPolicy(`race-${at}`), 'created')),
      );
      const outcomes = await Promise.all(attempts);
      expect(outcomes.filter((outcome) => outcome === 'set-changed')).toHaveLength(7);
      expect(await store.setRevision()).toBe(from + 1);
    });

    it('a name belongs to one living policy, and is free again once that is deleted or renamed', async () => {
      const one = aPolicy('named');
      await write(one);
      expect(await store.write(await store.setRevision(), aWrite(aPolicy('named'), 'created'))).toBe('taken');
      const gone = { ...one, revision: 2, deletedAt: AT };
      await write(gone, 'deleted', one);
      const next = aPolicy('named');
      await write(next);
      expect((await store.find({ name: 'named' }))?.id).toBe(next.id);
      expect(await store.find({ id: one.id })).toEqual(gone);
    });

    it('every revision is kept, newest first, and cannot be changed by anyone', async () => {
      const one = aPolicy('kept');
      const two = { ...one, revision: 2, document: { name: 'kept', note: 'two' } };
      const three = { ...two, revision: 3, deletedAt: AT };
      await write(one);
      await write(two, 'updated', one);
      await write(three, 'deleted', two);
      const versions = await store.versions(one.id, { limit: 10 });
      expect(versions.map(({ revision, change, actor, reason }) => [revision, change, actor, reason])).toEqual([
        [3, 'deleted', 'ann', 'why not'],
        [2, 'updated', 'ann', 'why not'],
        [1, 'created', 'ann', 'why not'],
      ]);
      expect(await store.versions(one.id, { beforeRevision: 3, limit: 1 })).toEqual([versions[1]]);
      expect(await store.version(one.id, 1)).toEqual(versions[2]);
      expect(await store.version(one.id, 4)).toBeUndefined();
      await expect(opened.query(`update policy_versions set actor = 'bob'`)).rejects.toThrow('never changed');
      await expect(opened.query('delete from policy_versions')).rejects.toThrow('never changed');
    });

    it('the living are listed by name in byte order, by filter and page by page', async () => {
      for (const name of ['l-b', 'l-B', 'l-ä', 'l-a', 'l%x']) await write(aPolicy(name, { enabled: name !== 'l-B' }));
      await write(aPolicy('l-op', { type: 'migration', document: { name: 'l-op', scope: { operation: 'balance' } } }));
      const names = async (filter: object, afterName?: string, limit = 100) =>
        (await store.list({ namePrefix: 'l', ...filter }, { ...(afterName === undefined ? {} : { afterName }), limit }))
          .map(({ name }) => name)
          .filter((name) => /^l[-%]/.test(name));
      expect(await names({})).toEqual(['l%x', 'l-B', 'l-a', 'l-b', 'l-op', 'l-ä']);
      expect(await names({}, 'l-B', 2)).toEqual(['l-a', 'l-b']);
      expect(await names({ enabled: false })).toEqual(['l-B']);
      expect(await names({ type: 'migration' })).toEqual(['l-op']);
      expect(await names({ namePrefix: 'l%' })).toEqual(['l%x']);
      expect(await names({ operation: 'place_shard' })).not.toContain('l-op');
      expect(await names({ operation: 'balance' })).toContain('l-op');
    });

    it('a change and its record are stored together, and the record waits until it is confirmed', async () => {
      const policy = aPolicy('recorded');
      await write(policy);
      const waiting = await opened.other.waitingRecords(1_000);
      const record = waiting.find(({ subject }) => subject === policy.id)!;
      expect(record).toEqual(aWrite(policy, 'created').record);
      await store.delivered([record.decisionID]);
      expect(await store.waitingRecords(1_000)).not.toContainEqual(record);
      await store.leaveRecord(record);
      await store.leaveRecord(record);
      expect((await store.waitingRecords(1_000)).filter(({ subject }) => subject === policy.id)).toEqual([record]);
    });

    const anExecution = (policies: StoredPolicy[], over: Partial<StoredExecution> = {}): StoredExecution => ({
      id: randomUUID(),
      policies: policies.map(({ id, name, type, revision }) => ({ policyId: id, name, type, revision })),
      stateDigest: 'f'.repeat(64),
      setRevision: 3,
      status: 'pending',
      steps: [{ action: 'placement', policies: [policies[0]!.name], settings: { z: '\u0000' }, status: 'pending' }],
      actor: 'ann',
      reason: 'why not',
      startedAt: AT,
      ...over,
    });

    it('an execution begins once, whoever begins it, and changes under a lock', async () => {
      const policy = aPolicy('executed');
      await write(policy);
      const execution = anExecution([policy]);
      const begun = await Promise.all(
        [store, opened.other].map((each) => each.beginExecution(execution, startedRecords(execution))),
      );
      expect(begun).toEqual([execution, execution]);
      const count = (each: PolicyStore) =>
        each.changeExecution(execution.id, (found) => ({
          execution: { ...found, result: { times: ((found.result?.times as number) ?? 0) + 1 } },
          records: [],
        }));
      await Promise.all([store, opened.other, store, opened.other].map(count));
      expect((await store.execution(execution.id))?.result).toEqual({ times: 4 });
      expect(await store.changeExecution(execution.id, () => undefined)).toMatchObject({ result: { times: 4 } });
      expect(await store.changeExecution(randomUUID(), () => undefined)).toBeUndefined();
    });

    it('executions are listed newest first, by each of their policies, status and time, page by page', async () => {
      const [one, two] = [aPolicy('runs-1'), aPolicy('runs-2')];
      await write(one);
      await write(two);
      const runs = [
        anExecution([one], { startedAt: '2026-11-26T10:00:01.000Z' }),
        anExecution([one, two], { startedAt: '2026-11-26T10:00:02.000Z', status: 'done' }),
        anExecution([two], { startedAt: '2026-11-26T10:00:03.000Z' }),
      ];
      for (const run of runs) await store.beginExecution(run, startedRecords(run));
      const [first, second, third] = runs as [StoredExecution, StoredExecution, StoredExecution];
      expect(await store.executions({ policyId: one.id }, { limit: 9 })).toEqual([second, first]);
      expect(await store.executions({ policyId: two.id, status: 'done' }, { limit: 9 })).toEqual([second]);
      expect(await store.executions({ policyId: two.id }, { limit: 9, after: third })).toEqual([second]);
      const range = { since: '2026-11-26T10:00:02.000Z', until: '2026-11-26T10:00:03.000Z' };
      expect(await store.executions(range, { limit: 9 })).toEqual([second]);
    });
  });
}
