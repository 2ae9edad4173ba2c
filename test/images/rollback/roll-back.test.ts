import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import type { AuditRecord } from '../../../src/audit/audit-record';
import { copyImage } from '../../../src/images/copying/copy-image';
import { HttpRegistry } from '../../../src/images/registries/http-registry';
import { findReplaced } from '../../../src/images/rollback/find-replaced';
import { planRollback, replacedImage, rollBack } from '../../../src/images/rollback/roll-back';
import { createSyncJournal } from '../../../src/images/sync/audit-journal';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { sampleImage } from '../../support/oci-registry/sample-image';

describe('moving a tag back', () => {
  const dispatcher = new Agent();
  let server: OciRegistry;
  let registry: HttpRegistry;
  /** the audit log, the oldest first */
  let records: AuditRecord[];
  beforeEach(async () => {
    server = await startOciRegistry();
    records = [];
    const findCredentials = () => Promise.resolve(undefined);
    registry = new HttpRegistry({ registry: server.host, plainHttp: true, dispatcher, findCredentials, attempts: 1 });
  });
  afterEach(() => server.stop());
  afterAll(() => dispatcher.close());

  const record = async (one: AuditRecord) => void records.push(one);
  const audit = {
    list: async ({ limit = 100, after }: { limit?: number; after?: { decisionID: string } }) => {
      const newest = records.filter(({ kind }) => kind === 'acted').reverse();
      const from = after === undefined ? 0 : newest.findIndex((one) => one.decisionID === after.decisionID) + 1;
      return newest.slice(from, from + limit);
    },
  };
  const place = () => ({ registry, repository: 'mirror/app' });
  const name = () => `${server.host}/mirror/app:v1`;
  const tags = () => Object.fromEntries(server.content.open('mirror/app').tags);

  /** Two copies to one tag, recorded as syncs do it. */
  async function replaced(backupTag?: string): Promise<[string, string]> {
    const digests: string[] = [];
    for (const sync of ['one', 'two']) {
      const image = sampleImage({ layerSizes: [10] });
      const { digest } = image.manifest;
      digests.push(digest);
      pushImage(server, 'team/app', image, 'v1');
      const source = { registry, repository: 'team/app' };
      const kept = backupTag === undefined ? {} : { backupTag };
      const copied = await copyImage({ source, digest, target: place(), tag: 'v1', ...kept });
      const journal = createSyncJournal({
        ...{ record, sync, workflowId: 'w', actor: 'a', revision: 'r', isRepeated: false, nowMs: () => 0 },
      });
      const candidate = {
        ...{ registry: server.host, repository: 'team/app', tag: 'v1' },
        isLatest: () => true,
        hasReferrersTag: () => false,
        mayHaveReferrersTag: () => true,
      };
      const planned = { candidate, digest, status: 'replicate', targets: [], warnings: [] } as const;
      const { outcome, replaced: was, backup } = copied;
      await journal.acted(planned, {
        ...{ target: name(), policyId: 'p', outcome, digest, blobs: 1, bytes: 1, blobsSkipped: 0 },
        ...{ referrers: [], absent: [], foreign: [] },
        ...(was === undefined ? {} : { replaced: was }),
        ...(backup === undefined ? {} : { backup }),
      });
    }
    return digests as [string, string];
  }
  const backTo = async (to?: string) => {
    const wanted = to ?? (await replacedImage(place(), 'v1', await findReplaced(audit, name())));
    return rollBack({
      place: place(),
      tag: 'v1',
      to: wanted,
      actor: 'ann',
      reason: 'v1 crashes',
      record,
      nowMs: () => 1,
    });
  };
  const told = () => records.filter(({ actor }) => actor === 'ann');

  it('the tag names again what the last copy replaced, with who and why in the audit log', async () => {
    const [first, second] = await replaced('v1-before');
    expect(await findReplaced(audit, name())).toMatchObject({ digest: first, by: second, backup: 'v1-before' });
    expect(await backTo()).toEqual({ from: second, to: first, isDone: false });
    expect(tags()).toEqual({ v1: first, 'v1-before': first });
    const [decided, acted] = told();
    const details = { from: second, to: first };
    expect(decided).toMatchObject({
      kind: 'rollback',
      reason: 'v1 crashes',
      details,
      subject: `${server.host}/mirror/app`,
    });
    expect(acted).toMatchObject({ kind: 'acted', refersTo: decided!.decisionID, details: { outcome: 'rolled-back' } });
    expect(await backTo()).toMatchObject({ isDone: true });
    expect(told()).toHaveLength(2);
    await backTo(second);
    expect(tags().v1).toBe(second);
  });

  it('goes by the digest where no backup tag was kept', async () => {
    const [first] = await replaced();
    await backTo();
    expect(tags()).toEqual({ v1: first });
  });

  it('when the backup is gone that is an error which says how to copy it again; nothing is moved or recorded', async () => {
    const [first] = await replaced('v1-before');
    const held = server.content.open('mirror/app');
    held.manifests.delete(first);
    held.tags.delete('v1-before');
    const before = tags();
    const again = `gate images copy ${server.host}/team/app@${first} ${name()}`;
    await expect(backTo()).rejects.toThrow(new RegExp(`the backup of ${name()} is gone: .* ${again}$`));
    await expect(backTo('v1-before')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    expect([tags(), told()]).toEqual([before, []]);
  });

  it('asks which image is meant where someone else moved the tag since, or no copy replaced one', async () => {
    await replaced();
    pushImage(server, 'mirror/app', sampleImage(), 'v1');
    await expect(backTo()).rejects.toMatchObject({ code: 'POLICY_CONFLICT' });
    records = [];
    await expect(backTo()).rejects.toThrow('name the image with --to');
  });

  it('finds a copy behind thousands of others', async () => {
    await replaced();
    const [old] = records.slice(-1);
    const others = Array.from({ length: 2_500 }, (_, number) => ({ ...old!, decisionID: `d${number}`, details: {} }));
    records = [old!, ...others];
    expect(await findReplaced(audit, name())).toBeDefined();
  });

  it('is recorded before the tag is moved; without the record it is not moved', async () => {
    const [first, second] = await replaced();
    const refuse = () => Promise.reject(new Error('the store is down'));
    const request = { place: place(), tag: 'v1', to: first, actor: 'ann', reason: 'x', nowMs: () => 1 };
    await expect(rollBack({ ...request, record: refuse })).rejects.toThrow('the store is down');
    expect(tags().v1).toBe(second);
    server.setFaults(({ method }) => (method === 'PUT' ? { status: 403 } : undefined));
    await expect(rollBack({ ...request, record })).rejects.toMatchObject({ failure: 'denied' });
    expect(told().map(({ kind, details }) => [kind, details?.outcome])).toEqual([
      ['rollback', undefined],
      ['acted', 'failed'],
    ]);
    expect(tags().v1).toBe(second);
  });

  it('a plan changes nothing', async () => {
    const [first, second] = await replaced();
    expect(await planRollback(place(), 'v1', first)).toEqual({ from: second, to: first, isDone: false });
    expect([tags().v1, told()]).toEqual([second, []]);
  });
});
