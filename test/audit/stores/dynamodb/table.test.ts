import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  UpdateTimeToLiveCommand,
  type CreateTableCommandInput,
} from '@aws-sdk/client-dynamodb';
import { dynamoDbClientConfig } from '../../../../src/platform/aws/clients';
import { createDynamoDbAuditStore } from '../../../../src/audit/stores/dynamodb/store';
import {
  inspectTable,
  setUpTable,
  tableDefinition,
  tableDifferences,
} from '../../../../src/audit/stores/dynamodb/table';
import type { GateError } from '../../../../src/kernel/failures';
import { CREDENTIALS, startDynamoDb, type TestDynamoDb } from '../../../support/dynamodb';
import { startDynamoDbLocal, type DynamoDbLocal } from '../../../support/dynamodb-local';
import { startDynamoDbProxy } from '../../../support/dynamodb-proxy';
import { aRecord } from '../../a-record';

const ours = (change: (definition: CreateTableCommandInput) => void = () => undefined) => {
  const definition = structuredClone(tableDefinition('t'));
  change(definition);
  return definition as Parameters<typeof tableDifferences>[0];
};

describe('tableDifferences', () => {
  it('tableDifferences finds none in a table as it is created', () => {
    expect(tableDifferences(ours())).toEqual([]);
  });

  it('tableDifferences minds neither more indexes nor indexes that hold everything', () => {
    const table = ours((definition) => {
      for (const index of definition.GlobalSecondaryIndexes!) index.Projection = { ProjectionType: 'ALL' };
      definition.GlobalSecondaryIndexes!.push({ ...definition.GlobalSecondaryIndexes![0]!, IndexName: 'theirs' });
    });
    expect(tableDifferences(table)).toEqual([]);
  });

  it.each<[string, (definition: CreateTableCommandInput) => void, string]>([
    [
      'no sort key',
      (definition) => definition.KeySchema!.pop(),
      'Expected the table to have the keys pk (HASH), sk (RANGE), got pk (HASH)',
    ],
    [
      'a key of another name',
      (definition) => (definition.KeySchema![0]!.AttributeName = 'id'),
      'Expected the table to have the keys pk (HASH), sk (RANGE), got id (HASH), sk (RANGE)',
    ],
    [
      'an index less',
      (definition) => definition.GlobalSecondaryIndexes!.pop(),
      'Expected the table to have the index byDay, got none',
    ],
    [
      'an index by something else',
      (definition) => (definition.GlobalSecondaryIndexes![0]!.KeySchema![0]!.AttributeName = 'stage'),
      'Expected the index byDeployment to have the keys deploymentID (HASH), sk (RANGE), got stage (HASH), sk (RANGE)',
    ],
    [
      'an index of keys alone',
      (definition) => (definition.GlobalSecondaryIndexes![1]!.Projection = { ProjectionType: 'KEYS_ONLY' }),
      'Expected the index byDay to hold decisionID, stage, kind, outcome, policySHA, manifestVersion, reasonCodes, got none of decisionID, stage, kind, outcome, policySHA, manifestVersion, reasonCodes',
    ],
    [
      'a key of numbers',
      (definition) => (definition.AttributeDefinitions![1]!.AttributeType = 'N'),
      'Expected the attribute sk to be of type S, got N',
    ],
  ])('tableDifferences says what is wrong with %s', (_, change, difference) => {
    expect(tableDifferences(ours(change))).toEqual([difference]);
  });

  it('tableDifferences says everything at once', () => {
    expect(tableDifferences({ KeySchema: [] })).toHaveLength(3);
  });
});

describe('setUpTable on a server without TTL', () => {
  let server: TestDynamoDb;
  let client: DynamoDBClient;
  beforeAll(async () => {
    server = await startDynamoDb();
    client = server.client();
  });
  afterAll(async () => {
    client?.destroy();
    await server?.close();
  });

  it('setUpTable creates the table, says that TTL is not supported, and finds it so the second time', async () => {
    expect(await inspectTable(client, 'fresh')).toBeUndefined();
    expect(await setUpTable(client, 'fresh')).toEqual({ created: true, ttl: 'unsupported' });
    expect(await setUpTable(client, 'fresh')).toEqual({ created: false, ttl: 'unsupported' });
    expect(await inspectTable(client, 'fresh')).toMatchObject({ differences: [] });
  });

  it('setUpTable may be done by several at once', async () => {
    const done = await Promise.all([1, 2, 3, 4].map(() => setUpTable(client, 'at-once')));
    expect(done.filter(({ created }) => created)).toHaveLength(1);
  });

  it('setUpTable leaves a table of another kind as it is, with every difference', async () => {
    const key = { AttributeName: 'id', KeyType: 'HASH' as const };
    const AttributeDefinitions = [{ AttributeName: 'id', AttributeType: 'S' as const }];
    const theirs = {
      TableName: 'theirs',
      KeySchema: [key],
      AttributeDefinitions,
      BillingMode: 'PAY_PER_REQUEST' as const,
    };
    await client.send(new CreateTableCommand(theirs));
    const error = (await setUpTable(client, 'theirs').catch((thrown: unknown) => thrown)) as GateError;
    expect(error).toMatchObject({ type: 'ConfigInvalid' });
    expect(error.faults.map(({ message }) => message)).toEqual([
      'Expected the table to have the keys pk (HASH), sk (RANGE), got id (HASH)',
      'Expected the table to have the index byDeployment, got none',
      'Expected the table to have the index byDay, got none',
    ]);
    expect(error.faults[0]).toMatchObject({ where: 'DynamoDB table theirs' });
  });

  it('setUpTable creates a table again that is being deleted', async () => {
    await setUpTable(client, 'going');
    await client.send(new DeleteTableCommand({ TableName: 'going' }));
    await setUpTable(client, 'going');
    expect(await inspectTable(client, 'going')).toMatchObject({ differences: [] });
  });

  it('setUpTable waits until the indexes are active as well, but not for ever', async () => {
    const proxy = await startDynamoDbProxy(server.port);
    const slow = server.client({ endpoint: proxy.url });
    let looks = 0;
    proxy.rewrite('DescribeTable', (answer) => {
      const { Table } = answer as { Table?: { GlobalSecondaryIndexes: { IndexStatus: string }[] } };
      looks += 1;
      if (Table !== undefined && looks < 5) Table.GlobalSecondaryIndexes[0]!.IndexStatus = 'CREATING';
      return answer;
    });
    expect(await setUpTable(slow, 'slow')).toMatchObject({ created: true });
    expect(looks).toBe(5);
    looks = -100;
    await expect(setUpTable(slow, 'slow', 150)).rejects.toMatchObject({
      type: 'AuditUnavailable',
      message: expect.stringMatching(/DynamoDB table slow is not active in time \(ACTIVE, .*CREATING/),
    });
    slow.destroy();
    await proxy.close();
  });

  it.each([
    [
      'on by another attribute',
      { TimeToLiveStatus: 'ENABLED', AttributeName: 'gone' },
      'Expected TTL to end items by expiresAt, got another attribute',
    ],
    [
      'being switched off',
      { TimeToLiveStatus: 'DISABLING' },
      'Expected TTL to be on or off, got it being switched off; repeat this later',
    ],
  ])('setUpTable says so of TTL that is %s', async (_, TimeToLiveDescription, difference) => {
    const proxy = await startDynamoDbProxy(server.port);
    const other = server.client({ endpoint: proxy.url });
    await setUpTable(client, 'ttl');
    proxy.rewrite('DescribeTimeToLive', () => ({ TimeToLiveDescription }));
    await expect(setUpTable(other, 'ttl')).rejects.toMatchObject({ type: 'ConfigInvalid', message: difference });
    other.destroy();
    await proxy.close();
  });

  it('setUpTable says so when the server cannot be asked', async () => {
    const proxy = await startDynamoDbProxy(server.port);
    const other = server.client({ endpoint: proxy.url });
    proxy.behave('failing');
    const failed = { type: 'AuditUnavailable', message: expect.stringContaining('failed with HTTP status 500') };
    await expect(setUpTable(other, 'ttl')).rejects.toMatchObject(failed);
    await expect(inspectTable(other, 'ttl')).rejects.toMatchObject(failed);
    other.destroy();
    await proxy.close();
  });
});

describe('setUpTable on DynamoDB Local', () => {
  let local: DynamoDbLocal | string;
  let client: DynamoDBClient;
  beforeAll(async () => {
    local = await startDynamoDbLocal();
    if (typeof local === 'string') return;
    client = openLocal(local.endpoint);
  });
  afterAll(async () => {
    client?.destroy();
    if (typeof local !== 'string') await local?.stop();
  });
  const openLocal = (endpoint: string) =>
    new DynamoDBClient({
      ...dynamoDbClientConfig({ endpoint, region: 'us-east-1' }),
      credentials: { accessKeyId: 'local', secretAccessKey: CREDENTIALS.secretAccessKey },
    });
  const itThere = (name: string, test: () => Promise<void>) =>
    it(name, async () => {
      if (typeof local === 'string') return console.warn(`Skipped: ${local}`);
      await test();
    });

  itThere('switches TTL on, and finds it so the second time', async () => {
    expect(await setUpTable(client, 'audit')).toEqual({ created: true, ttl: 'enabled' });
    expect(await setUpTable(client, 'audit')).toEqual({ created: false, ttl: 'enabled before' });
    const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: 'audit' }));
    expect(TimeToLiveDescription).toEqual({ AttributeName: 'expiresAt', TimeToLiveStatus: 'ENABLED' });
    expect(await inspectTable(client, 'audit')).toEqual({ differences: [], ttl: 'enabled' });
  });

  itThere('may be done by several at once, TTL included', async () => {
    const done = await Promise.all([1, 2, 3, 4].map(() => setUpTable(client, 'at-once')));
    expect(done.filter(({ created }) => created)).toHaveLength(1);
    expect(done.map(({ ttl }) => ttl)).toContain('enabled');
  });

  itThere('finds TTL on that somebody switches on after it was looked at', async () => {
    await setUpTable(client, 'raced');
    const proxy = await startDynamoDbProxy(Number(new URL((local as DynamoDbLocal).endpoint).port));
    const late = openLocal(proxy.url);
    let looks = 0;
    const off = { TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } };
    proxy.rewrite('DescribeTimeToLive', (answer) => ((looks += 1) === 1 ? off : answer));
    expect(await setUpTable(late, 'raced')).toEqual({ created: false, ttl: 'enabled before' });
    expect(proxy.asked.filter((operation) => operation.endsWith('TimeToLive'))).toEqual([
      'DescribeTimeToLive',
      'UpdateTimeToLive',
      'DescribeTimeToLive',
    ]);
    proxy.rewrite('DescribeTimeToLive', () => off);
    await expect(setUpTable(late, 'raced')).rejects.toMatchObject({
      type: 'AuditUnavailable',
      message: expect.stringContaining('TimeToLive is already enabled'),
    });
    late.destroy();
    await proxy.close();
  });

  itThere('refuses TTL by another attribute', async () => {
    await client.send(new CreateTableCommand(tableDefinition('other-ttl')));
    const TimeToLiveSpecification = { AttributeName: 'gone', Enabled: true };
    await client.send(new UpdateTimeToLiveCommand({ TableName: 'other-ttl', TimeToLiveSpecification }));
    expect(await inspectTable(client, 'other-ttl')).toEqual({ differences: [], ttl: 'other' });
    await expect(setUpTable(client, 'other-ttl')).rejects.toMatchObject({ type: 'ConfigInvalid' });
  });

  itThere('serves a store whose records come back and are written once', async () => {
    await setUpTable(client, 'store');
    const store = createDynamoDbAuditStore({
      client,
      table: 'store',
      retentionMs: 400 * 86_400_000,
      nowMs: () => Date.parse('2026-11-02T00:00:00Z'),
      writeWithinMs: 20_000,
    });
    const records = [aRecord(), aRecord({ timestamp: '2026-03-01T00:00:00.000Z', actor: '', reason: 'x\u0000\ud800' })];
    for (const record of records) expect(await store.record(record)).toEqual(record);
    expect(await store.record({ ...records[0]!, outcome: 'allow' })).toEqual(records[0]);
    expect(await store.list({})).toEqual(records);
    expect(await store.list({ deploymentID: 'firmware-1.4.0', reasonCode: 'max_pending_limit_exceeded' })).toEqual(
      records,
    );
    expect(await store.list({ deploymentID: 'firmware-1.4.0', stage: 'canary', newestFirst: false, limit: 1 })).toEqual(
      [records[1]],
    );
    expect(await store.get(records[1]!.decisionID)).toEqual(records[1]);
  });
});
