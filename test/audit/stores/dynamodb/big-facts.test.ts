import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { DeleteItemCommand, GetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { GateRecord, AuditStore } from '../../../../src/audit/audit-record';
import { createDynamoDbAuditStore } from '../../../../src/audit/stores/dynamodb/store';
import { placeOf } from '../../../../src/audit/place';
import { partitionKey, sortKey } from '../../../../src/audit/stores/dynamodb/item';
import { setUpTable } from '../../../../src/audit/stores/dynamodb/table';
import { ObjectStoreError } from '../../../../src/platform/objects/object-store';
import { MemoryObjects } from '../../../fakes/memory-objects';
import { startDynamoDb, type TestDynamoDb } from '../../../support/dynamodb';
import { aRecord } from '../../a-record';

const TABLE = 'big-facts';
const nowMs = () => Date.parse('2026-11-02T00:00:00Z');
let server: TestDynamoDb;
let client: DynamoDBClient;
let objects: MemoryObjects;
let store: AuditStore;

beforeAll(async () => {
  server = await startDynamoDb();
  client = server.client();
  await setUpTable(client, TABLE);
});
beforeEach(() => {
  objects = new MemoryObjects('s3://facts/audit/');
  store = open(objects, 300_000);
});
afterAll(async () => {
  client?.destroy();
  await server?.close();
});

function open(bigFacts?: MemoryObjects, writeWithinMs?: number): AuditStore {
  return createDynamoDbAuditStore({ client, table: TABLE, retentionMs: 86_400_000, nowMs, bigFacts, writeWithinMs });
}

function bigRecord(over: Partial<GateRecord> = {}): GateRecord {
  const record = aRecord(over);
  record.usedFacts[0]!.value = 'ä'.repeat(200_000);
  return record;
}
const keyOf = (record: GateRecord) => ({ pk: { S: partitionKey(placeOf(record)) }, sk: { S: sortKey(record) } });
const itemOf = async (record: GateRecord) =>
  (await client.send(new GetItemCommand({ TableName: TABLE, Key: keyOf(record), ConsistentRead: true }))).Item;
const objectKeyOf = (record: GateRecord) =>
  `2026-11-01/${createHash('sha256').update(JSON.stringify(record.usedFacts)).digest('hex')}.json`;

describe('a record that is too big for DynamoDB', () => {
  it('a record that is too big for DynamoDB leaves its facts in an object under their day and digest, and comes back whole', async () => {
    const record = bigRecord();
    expect(await store.record(record)).toEqual(record);
    const key = objectKeyOf(record);
    expect(Buffer.from((await objects.get(key))!.bytes).toString()).toBe(JSON.stringify(record.usedFacts));
    const item = await itemOf(record);
    expect(item).not.toHaveProperty('usedFactsJSON');
    expect(item).toMatchObject({
      usedFactsRef: {
        M: {
          uri: { S: `s3://facts/audit/${key}` },
          sha256: { S: key.slice(11, 75) },
          bytes: { N: String(Buffer.byteLength(JSON.stringify(record.usedFacts))) },
        },
      },
      reasonsJSON: { S: JSON.stringify(record.reasons) },
    });
    expect(await store.get(record.decisionID)).toEqual(record);
    expect(await store.record({ ...record, actor: 'another' })).toEqual(record);
  });

  it('a record that is too big for DynamoDB leaves its reasons there too when they are too big', async () => {
    const reasons = Array.from({ length: 9_000 }, (_, i) => `region_not_healthy: region ${i} is down, and this is why`);
    const record = bigRecord({ reasons });
    expect(await store.record(record)).toEqual(record);
    expect(await store.get(record.decisionID)).toEqual(record);
    expect(await itemOf(record)).toMatchObject({ reasonsRef: expect.anything(), usedFactsRef: expect.anything() });
    expect(await store.list({ reasonCode: 'region_not_healthy' })).toEqual([record]);
  });

  it('a record that is too big for DynamoDB is refused without a place for its facts, and nothing is written', async () => {
    const record = bigRecord();
    await expect(open().record(record)).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: expect.stringMatching(
        /^Cannot record decision \S+: it takes 40\d{4} bytes, and DynamoDB takes no more than 400 KB; set audit\.store\.bigFacts/,
      ),
    });
    expect(await itemOf(record)).toBeUndefined();
  });

  it('a record that is too big for DynamoDB is refused when it is too big even without them', async () => {
    const reasons = Array.from({ length: 20_000 }, (_, i) => `reason_${i}_that_has_a_code_of_its_own: x`);
    await expect(store.record(bigRecord({ reasons }))).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: expect.stringContaining('even without its facts and reasons'),
    });
  });

  it('a record that is too big for DynamoDB is not written while its facts cannot be, and is when they can', async () => {
    const record = bigRecord();
    objects.failure = new ObjectStoreError('s3://facts/audit/ answers 503: Slow Down', 503);
    await expect(store.record(record)).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: `Cannot record decision ${record.decisionID}: s3://facts/audit/ answers 503: Slow Down`,
    });
    expect(await itemOf(record)).toBeUndefined();
    objects.failure = undefined;
    expect(await store.record(record)).toEqual(record);
  });

  it('a record that is too big for DynamoDB is refused in time while the place for its facts hangs, and written once it answers', async () => {
    const record = bigRecord();
    let answer: (value?: unknown) => void = () => undefined;
    objects.hanging = new Promise((resolve) => (answer = resolve));
    const refused = { type: 'AuditWriteFailed', message: expect.stringContaining('s3://facts/audit/ gave no answer') };
    await expect(open(objects, 1_500).record(record)).rejects.toMatchObject(refused);
    expect(await itemOf(record)).toBeUndefined();
    answer();
    expect(await store.record(record)).toEqual(record);
    expect(await store.get(record.decisionID)).toEqual(record);
  });

  it('a record that is too big for DynamoDB is refused in time while the facts of the record that exists cannot be read', async () => {
    const record = await store.record(bigRecord());
    const silent = Object.assign(objects, { get: () => new Promise<undefined>(() => undefined) });
    await expect(open(silent, 3_000).record(record)).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: `Cannot record decision ${record.decisionID}: s3://facts/audit/ gave no answer within 3000 ms`,
    });
  });

  it('a record that is too big for DynamoDB is written over facts that an attempt has left there whose item never came', async () => {
    const record = bigRecord();
    await store.record(record);
    await client.send(new DeleteItemCommand({ TableName: TABLE, Key: keyOf(record) }));
    expect(await store.record(record)).toEqual(record);
    expect(await store.get(record.decisionID)).toEqual(record);
  });
});

describe('facts beside a record', () => {
  it.each<[string, (key: string) => Promise<unknown>, RegExp]>([
    [
      'gone',
      (key) => objects.delete(key),
      /are in s3:\/\/facts\/audit\/2026-11-01\/[0-9a-f]{64}\.json, and this object is gone/,
    ],
    [
      'altered',
      (key) => objects.put(key, Buffer.from('[]')),
      /this object was altered: expected SHA-256 [0-9a-f]{64}, found 4f53cda1/,
    ],
  ])('facts beside a record that are %s mark their record, and hide no other', async (how, change, why) => {
    const record = bigRecord();
    await store.record(record);
    await change(objectKeyOf(record));
    const beside = await store.record(aRecord());
    const marked = { ...record, usedFacts: [], damaged: [expect.stringMatching(why)] };
    expect(await store.get(record.decisionID)).toEqual(marked);
    const listed = await store.list({ deploymentID: record.deploymentID, limit: 10_000 });
    expect(listed).toContainEqual(marked);
    expect(listed).toContainEqual(beside);
    // Nothing may act on what cannot be read whole; an object that is gone is put there again by the next attempt.
    const again = store.record(record);
    if (how === 'gone') expect(await again).toEqual(record);
    else await expect(again).rejects.toMatchObject({ message: expect.stringMatching(why) });
    await client.send(new DeleteItemCommand({ TableName: TABLE, Key: keyOf(record) }));
  });

  it.each<[string, () => MemoryObjects | undefined, string]>([
    ['no place', () => undefined, 'but audit.store.bigFacts names no place'],
    ['another place', () => new MemoryObjects('s3://other/'), 'but audit.store.bigFacts names s3://other/'],
  ])('facts beside a record are not looked for where the settings name %s', async (_, place, why) => {
    const record = bigRecord();
    await store.record(record);
    expect(await open(place()).get(record.decisionID)).toMatchObject({ damaged: [expect.stringContaining(why)] });
    await client.send(new DeleteItemCommand({ TableName: TABLE, Key: keyOf(record) }));
  });
});
