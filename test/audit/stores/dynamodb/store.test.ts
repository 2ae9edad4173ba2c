import { afterAll, beforeAll } from '@jest/globals';
import { DeleteItemCommand, ScanCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createDynamoDbAuditStore } from '../../../../src/audit/stores/dynamodb/store';
import { setUpTable } from '../../../../src/audit/stores/dynamodb/table';
import { MemoryObjects } from '../../../fakes/memory-objects';
import { startDynamoDb, type TestDynamoDb } from '../../../support/dynamodb';
import { describeAuditStore } from '../../../../src/contracts/audit-store';
import { jestFramework } from '../../../support/jest-framework';

const DAY_MS = 86_400_000;
const nowMs = () => Date.parse('2026-11-02T00:00:00Z');

let server: TestDynamoDb;
beforeAll(async () => {
  server = await startDynamoDb();
});
afterAll(() => server?.close());

async function empty(client: DynamoDBClient, table: string): Promise<void> {
  for (let more = true; more;) {
    const { Items = [], LastEvaluatedKey } = await client.send(new ScanCommand({ TableName: table }));
    for (const { pk, sk } of Items) {
      await client.send(new DeleteItemCommand({ TableName: table, Key: { pk: pk!, sk: sk! } }));
    }
    more = LastEvaluatedKey !== undefined;
  }
}

describeAuditStore(jestFramework, 'DynamoDB', async () => {
  const table = 'contract';
  const client = server.client();
  const bigFacts = new MemoryObjects();
  await setUpTable(client, table);
  const open = (ofItsOwn: DynamoDBClient) =>
    createDynamoDbAuditStore({
      client: ofItsOwn,
      table,
      retentionMs: 400 * DAY_MS,
      bigFacts,
      nowMs,
      writeWithinMs: 20_000,
    });
  const [store, other] = [open(server.client()), open(server.client())];
  return {
    store,
    other,
    empty: () => empty(client, table),
    async close() {
      await Promise.all([store.close(), other.close()]);
      client.destroy();
    },
  };
});
