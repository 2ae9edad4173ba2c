import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { dynamoDbClientConfig } from '../../src/platform/aws/clients';
import { startDynamoDbServer } from '../../src/dev/dynamodb-server';

export interface TestDynamoDb {
  endpoint: string;
  port: number;
  env: Record<string, string>;
  /** configured as the product's own, with what a test puts over it */
  client(over?: DynamoDBClientConfig): DynamoDBClient;
  close(): Promise<void>;
}

export const CREDENTIALS = { accessKeyId: 'local-access-key', secretAccessKey: 'local-secret-key' };

/** dynalite in a process of its own, its tables in memory. */
export async function startDynamoDb(): Promise<TestDynamoDb> {
  const folder = await mkdtemp(join(tmpdir(), 'gate-dynamodb-'));
  const server = await startDynamoDbServer({ logFile: join(folder, 'log') });
  return {
    endpoint: server.endpoint,
    port: server.port,
    env: server.env,
    client: (over) =>
      new DynamoDBClient({
        ...dynamoDbClientConfig({ endpoint: server.endpoint, region: server.region }),
        credentials: CREDENTIALS,
        ...over,
      }),
    async close() {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}
