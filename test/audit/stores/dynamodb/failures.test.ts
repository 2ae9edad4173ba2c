import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteItemCommand, GetItemCommand, ScanCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { AuditStore } from '../../../../src/audit/audit-record';
import { createDynamoDbAuditStore } from '../../../../src/audit/stores/dynamodb/store';
import { setUpTable } from '../../../../src/audit/stores/dynamodb/table';
import { placeOf } from '../../../../src/audit/place';
import { partitionKey, sortKey } from '../../../../src/audit/stores/dynamodb/item';
import { startDynamoDb, type TestDynamoDb } from '../../../support/dynamodb';
import { startDynamoDbProxy, type DynamoDbBehaviour, type DynamoDbProxy } from '../../../support/dynamodb-proxy';
import { aRecord } from '../../a-record';

const TABLE = 'failures';
const DAY_MS = 86_400_000;
const nowMs = () => Date.parse('2026-11-02T00:00:00Z');

let server: TestDynamoDb;
let proxy: DynamoDbProxy;
let direct: DynamoDBClient;
/** ends by its tries, however long they take */
let store: AuditStore;
/** ends by its time, as a worker's does */
let brief: AuditStore;
/** the items of the table, asked past the proxy */
const stored = async () => (await direct.send(new ScanCommand({ TableName: TABLE }))).Items ?? [];

beforeAll(async () => {
  server = await startDynamoDb();
  proxy = await startDynamoDbProxy(server.port);
  direct = server.client();
  await setUpTable(direct, TABLE);
  store = open({ endpoint: proxy.url });
  brief = open({ endpoint: proxy.url }, TABLE, 2_500);
});
beforeEach(async () => {
  proxy.behave('well');
  proxy.rewrite();
  for (const { pk, sk } of await stored()) {
    await direct.send(new DeleteItemCommand({ TableName: TABLE, Key: { pk: pk!, sk: sk! } }));
  }
  proxy.asked.length = 0;
});
afterAll(async () => {
  await store?.close();
  await brief?.close();
  direct?.destroy();
  await proxy?.close();
  await server?.close();
});

function open(over: Parameters<TestDynamoDb['client']>[0], table = TABLE, writeWithinMs = 300_000): AuditStore {
  const client = server.client(over);
  return createDynamoDbAuditStore({ client, table, retentionMs: 400 * DAY_MS, nowMs, writeWithinMs });
}

describe('while DynamoDB fails', () => {
  it.each<[DynamoDbBehaviour, RegExp]>([
    ['throttling', /throttles: more is asked of it than it may give now \(ProvisionedThroughputExceededException/],
    ['failing', /failed with HTTP status 500 \(InternalServerError, tried 3 times\)/],
    ['hanging', /gave no good answer within 2500 ms, retries included; should it have taken the record/],
    ['half an answer', /closed the connection \(ECONNRESET/],
    ['garbled', /broke its answer off, or is no DynamoDB/],
    ['resetting', /closed the connection \(ECONNRESET/],
  ])(
    'while DynamoDB is %s, a record is refused with the reason and no secret, and recorded once when it is well again',
    async (how, why) => {
      const record = aRecord();
      proxy.behave(how);
      // Each of the three tries may hang for 10 s: then it is the time that ends them.
      const error = await (how === 'hanging' ? brief : store).record(record).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ type: 'AuditWriteFailed', message: expect.stringMatching(why) });
      expect((error as Error).message).toContain(
        `Cannot record decision ${record.decisionID}: DynamoDB table ${TABLE} `,
      );
      expect((error as Error).message).not.toMatch(/local-(access|secret)-key/);
      proxy.behave('well');
      expect(await store.record(record)).toEqual(record);
      expect(await stored()).toHaveLength(1);
    },
  );

  it.each<[string, number, RegExp]>([
    [
      'short, all tries are over before the time is',
      0,
      /: DynamoDB table \S+ throttles: .*Exception, tried 3 times\)$/,
    ],
    [
      'long, the time is over first, and the last try is told',
      0.99,
      /gave no good answer within 2500 ms, retries included; of the last try: it throttles: .*Exception\); should it/,
    ],
  ])('while DynamoDB is throttling and the SDK by chance waits %s', async (_how, random, why) => {
    const chance = jest.spyOn(Math, 'random').mockReturnValue(random);
    try {
      proxy.behave('throttling');
      const asked = random === 0 ? store : brief;
      await expect(asked.record(aRecord())).rejects.toMatchObject({ message: expect.stringMatching(why) });
    } finally {
      chance.mockRestore();
    }
  });

  it('while DynamoDB is throttling, no try is begun once the time is over', async () => {
    const chance = jest.spyOn(Math, 'random').mockReturnValue(0.6);
    const client = server.client({ endpoint: proxy.url });
    const hasty = createDynamoDbAuditStore({ client, table: TABLE, retentionMs: DAY_MS, nowMs, writeWithinMs: 1_000 });
    try {
      proxy.behave('throttling');
      await expect(hasty.record(aRecord())).rejects.toMatchObject({
        message: expect.stringContaining('within 1000 ms'),
      });
      const tries = proxy.asked.length;
      // The SDK waits 0.6 s before its second try and 1.2 s before its third.
      await sleep(1_500);
      expect(proxy.asked).toHaveLength(tries);
    } finally {
      chance.mockRestore();
      await hasty.close();
    }
  });

  it.each<DynamoDbBehaviour>(['failing', 'throttling', 'resetting'])(
    'a record is written by a retry when DynamoDB is once %s',
    async (how) => {
      const record = aRecord();
      proxy.behave(how, 1);
      expect(await store.record(record)).toEqual(record);
      expect(proxy.asked).toEqual(['PutItem', 'PutItem']);
    },
  );

  it('a retry adopts the record when the answer to a put that was carried out is lost', async () => {
    const record = aRecord();
    proxy.behave('losing answers', 1);
    expect(await store.record(record)).toEqual(record);
    expect(proxy.asked).toEqual(['PutItem', 'PutItem', 'GetItem']);
    expect(await stored()).toHaveLength(1);
  });

  it('a later attempt adopts the record of the first when every answer is lost', async () => {
    const record = aRecord();
    proxy.behave('losing answers');
    await expect(store.record(record)).rejects.toMatchObject({ type: 'AuditWriteFailed' });
    proxy.behave('well');
    expect(await store.record({ ...record, outcome: 'allow', reasons: [] })).toEqual(record);
    expect(await stored()).toHaveLength(1);
  });

  it('reads fail as reads while DynamoDB fails, and the record is found when it is well again', async () => {
    const record = await store.record(aRecord());
    proxy.behave('failing');
    await expect(store.list({})).rejects.toMatchObject({
      type: 'AuditUnavailable',
      message: expect.stringContaining(
        `Cannot read the audit log: DynamoDB table ${TABLE} failed with HTTP status 500`,
      ),
    });
    await expect(store.get(record.decisionID)).rejects.toMatchObject({ type: 'AuditUnavailable' });
    proxy.behave('well');
    expect(await store.list({})).toEqual([record]);
  });

  it('an item that is said to exist and does not is no record', async () => {
    const record = await store.record(aRecord());
    proxy.rewrite('GetItem', () => ({}));
    await expect(store.record(record)).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: expect.stringContaining('said that its key is taken, but shows no record'),
    });
  });
});

describe('a batch of items', () => {
  it('a batch of items is asked for again until all are there', async () => {
    const records = [aRecord(), aRecord(), aRecord()];
    for (const record of records) await store.record(record);
    proxy.asked.length = 0;
    proxy.rewrite('BatchGetItem', ({ Responses }) => {
      const [first, ...rest] = (Responses as Record<string, { pk: unknown; sk: unknown }[]>)[TABLE]!;
      const Keys = rest.map(({ pk, sk }) => ({ pk, sk }));
      return { Responses: { [TABLE]: [first] }, UnprocessedKeys: Keys.length === 0 ? {} : { [TABLE]: { Keys } } };
    });
    expect(await store.list({ newestFirst: false })).toEqual(records);
    expect(proxy.asked.filter((operation) => operation === 'BatchGetItem')).toHaveLength(3);
  });

  it('a batch of items of which nothing comes is given up with the reason', async () => {
    const record = await store.record(aRecord());
    const Keys = [{ pk: { S: partitionKey(placeOf(record)) }, sk: { S: sortKey(record) } }];
    proxy.rewrite('BatchGetItem', () => ({ Responses: {}, UnprocessedKeys: { [TABLE]: { Keys } } }));
    await expect(store.list({})).rejects.toMatchObject({
      type: 'AuditUnavailable',
      message: expect.stringMatching(/throttles: asked 6 times for 1 items, it gave none/),
    });
  });

  it('a batch of items lacks what TTL has taken since the index was asked, and the answer is filled up', async () => {
    const records = [aRecord(), aRecord(), aRecord()];
    for (const record of records) await store.record(record);
    proxy.rewrite('BatchGetItem', (answer) => {
      const items = (answer.Responses as Record<string, { decisionID: { S: string } }[]>)[TABLE]!;
      return {
        ...answer,
        Responses: { [TABLE]: items.filter(({ decisionID }) => decisionID.S !== records[0]!.decisionID) },
      };
    });
    expect(await store.list({ newestFirst: false, limit: 2 })).toEqual(records.slice(1));
  });
});

describe('a day of which TTL takes the first records while it is read', () => {
  it.each([10, 2])(
    'a day of which TTL takes the first records while it is read gives all the others before the next day, asked for %d at a time',
    async (limit) => {
      const at = (day: number, second: number) => `2026-10-0${day}T10:00:0${second}.000Z`;
      const records = [1, 2, 3, 4, 5].map((second) => aRecord({ timestamp: at(1, second) }));
      for (const record of [...records, aRecord({ timestamp: at(2, 1) })]) await store.record(record);
      const gone = new Set(records.slice(0, 2).map(({ decisionID }) => decisionID));
      proxy.rewrite('BatchGetItem', (answer) => {
        const items = (answer.Responses as Record<string, { decisionID: { S: string } }[]>)[TABLE]!;
        return { ...answer, Responses: { [TABLE]: items.filter(({ decisionID }) => !gone.has(decisionID.S)) } };
      });
      const found = await store.list({ newestFirst: false, since: '2026-10-01T00:00:00Z', limit });
      expect(found.slice(0, 2)).toEqual(records.slice(2, 4));
    },
  );
});

describe('what is wrong with the place', () => {
  it('what is wrong is said of a table that is missing', async () => {
    const missing = open({}, 'no-such-table');
    const record = aRecord();
    await expect(missing.record(record)).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: `Cannot record decision ${record.decisionID}: DynamoDB table no-such-table does not exist: gate audit setup creates it (ResourceNotFoundException)`,
    });
    await missing.close();
  });

  it('what is wrong is said where nothing listens', async () => {
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    taken.close();
    await once(taken, 'close');
    const nobody = open({ endpoint: `http://127.0.0.1:${port}` });
    await expect(nobody.list({})).rejects.toMatchObject({
      type: 'AuditUnavailable',
      message: expect.stringContaining('refuses connections: nothing listens there (ECONNREFUSED'),
    });
    await nobody.close();
  });

  it('what is wrong is said of an item that was damaged, beside the others', async () => {
    const records = [await store.record(aRecord()), await store.record(aRecord())];
    proxy.rewrite('BatchGetItem', (answer) => {
      const [item, ...others] = (answer.Responses as Record<string, Record<string, unknown>[]>)[TABLE]!;
      return { Responses: { [TABLE]: [{ ...item, reasonsJSON: { S: '[' } }, ...others] } };
    });
    const found = await store.list({ newestFirst: false });
    expect(found).toHaveLength(2);
    const damaged = found.filter((record) => record.damaged !== undefined);
    expect(damaged).toMatchObject([{ reasons: [], damaged: [expect.stringContaining('its reasons cannot be read')] }]);
    expect(records).toContainEqual(found.find((record) => record.damaged === undefined));
  });

  it('what is wrong is said when an attempt would adopt a damaged item', async () => {
    const record = await store.record(aRecord());
    proxy.rewrite('GetItem', ({ Item }) => ({ Item: { ...(Item as object), reasonsJSON: { S: '[' } } }));
    await expect(store.record(record)).rejects.toMatchObject({
      message: expect.stringContaining(
        `the item ${partitionKey(placeOf(record))} ${sortKey(record)} does not hold a record as this program writes it`,
      ),
    });
  });
});

it('keeps what the issue names under the names that it gives', async () => {
  const record = aRecord({
    decisionID: 'd-7',
    reasons: ['max_pending limit exceeded: 1', 'max_pending limit exceeded: 2'],
  });
  await store.record(record);
  const Key = { pk: { S: 'firmware-1.4.0#canary' }, sk: { S: '2026-11-01T12:00:00.000Z#d-7' } };
  const { Item } = await direct.send(new GetItemCommand({ TableName: TABLE, Key }));
  expect(Item).toEqual({
    ...Key,
    day: { S: '2026-11-01' },
    decisionID: { S: 'd-7' },
    kind: { S: 'decision' },
    deploymentID: { S: 'firmware-1.4.0' },
    stage: { S: 'canary' },
    timestamp: { S: record.timestamp },
    outcome: { S: 'deny' },
    reasonsJSON: { S: JSON.stringify(record.reasons) },
    reasonCodes: { L: [{ S: 'max_pending_limit_exceeded' }] },
    errorDetails: { S: '[]' },
    usedFactsJSON: { S: JSON.stringify(record.usedFacts) },
    policySHA: { S: record.policySHA },
    configRev: { S: record.configRev },
    manifestVersion: { S: '7' },
    evalDurationNS: { N: '81000' },
    workflowID: { S: 'deployment/firmware-1.4.0' },
    runID: { S: '0190-run' },
    actor: { S: 'gate' },
    schemaVersion: { N: '1' },
    expiresAt: { N: String(Date.parse(record.timestamp) / 1000 + 400 * 86_400) },
    fields: { S: Object.keys(record).join(',') },
  });
});

describe('questions across deployments', () => {
  it('questions across deployments find what is nearly 400 days old with few requests while the index is small', async () => {
    const old = await store.record(aRecord({ timestamp: '2025-10-10T10:00:00.000Z' }));
    const recent = await store.record(aRecord());
    proxy.asked.length = 0;
    expect(await store.list({})).toEqual([recent, old]);
    expect(proxy.asked.length).toBeLessThan(12);
    expect(await store.list({ newestFirst: false })).toEqual([old, recent]);
    expect(await store.get(old.decisionID)).toEqual(old);
  });

  it('questions across deployments walk the days of an index of more than one page, in order', async () => {
    const codes = Array.from({ length: 4_000 }, (_, i) => `region_${i}_not_healthy: x`);
    const bulky = Array.from({ length: 18 }, (_, i) =>
      aRecord({ timestamp: `2026-08-${10 + i}T10:00:00.000Z`, reasons: codes }),
    );
    const old = aRecord({ timestamp: '2025-10-10T10:00:00.000Z', outcome: 'allow', reasons: [] });
    const recent = aRecord({ outcome: 'allow', reasons: [] });
    for (const record of [...bulky, old, recent]) await store.record(record);
    proxy.asked.length = 0;
    expect(await store.list({ outcome: 'allow' })).toEqual([recent, old]);
    expect(proxy.asked.filter((operation) => operation === 'Query').length).toBeGreaterThan(390);
    expect((await store.list({ newestFirst: false })).map(({ timestamp }) => timestamp)).toEqual(
      [old, ...bulky, recent].map(({ timestamp }) => timestamp),
    );
    expect(await store.get(old.decisionID)).toEqual(old);
  });

  it('go through pages that hold nothing of the answer', async () => {
    const reason = 'x'.repeat(200_000);
    for (let i = 0; i < 12; i += 1) await store.record(aRecord({ reason }));
    const wanted = await store.record(aRecord({ kind: 'override', timestamp: '2026-11-01T12:00:01.000Z' }));
    proxy.asked.length = 0;
    const query = { deploymentID: 'firmware-1.4.0', stage: 'canary', kind: 'override', newestFirst: false } as const;
    expect(await store.list(query)).toEqual([wanted]);
    expect(proxy.asked.length).toBeGreaterThan(1);
  });
});
