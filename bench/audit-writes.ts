import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { AuditRecord } from '../src/audit/audit-record';
import { createDynamoDbAuditStore } from '../src/audit/stores/dynamodb/store';
import { toItem } from '../src/audit/stores/dynamodb/item';
import { setUpTable } from '../src/audit/stores/dynamodb/table';
import { dynamoDbClientConfig } from '../src/platform/aws/clients';
import { startDynamoDbServer } from '../src/dev/dynamodb-server';
import { alternate, type BenchRow } from './bench-row';

const WRITES = 600;
const ROUNDS = 9;
const RETENTION_MS = 400 * 86_400_000;
const START_MS = Date.parse('2026-11-01T12:00:00Z');

/** Records put by the store, against conditional PutItem of the same items by the same client and nothing else. */
export async function benchAuditWrites(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-audit-'));
  const server = await startDynamoDbServer({ logFile: join(folder, 'log') });
  const client = new DynamoDBClient({
    ...dynamoDbClientConfig({ endpoint: server.endpoint, region: server.region }),
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  try {
    const rows: BenchRow[] = [];
    for (const callers of [1, 16]) rows.push(await writes(client, callers));
    return rows;
  } finally {
    client.destroy();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function writes(client: DynamoDBClient, callers: number): Promise<BenchRow> {
  let table = '';
  let number = 0;
  const store = () => createDynamoDbAuditStore({ client, table, retentionMs: RETENTION_MS });
  /** Each round has a table of its own: the server grows slower with what it holds. */
  const fresh = async (): Promise<void> => {
    table = `bench-${callers}-${(number += 1)}`;
    await setUpTable(client, table);
  };
  const timed = async (write: (record: AuditRecord) => Promise<unknown>): Promise<number> => {
    const records = Array.from({ length: WRITES }, (_value, index) => recordOf(index));
    const startMs = performance.now();
    await Promise.all(
      Array.from({ length: callers }, async (_value, caller) => {
        for (let at = caller; at < records.length; at += callers) await write(records[at]!);
      }),
    );
    return (WRITES / (performance.now() - startMs)) * 1_000;
  };
  const ours = async (): Promise<number> => {
    await fresh();
    const { record } = store();
    return timed(record);
  };
  const base = async (): Promise<number> => {
    await fresh();
    const items = new Map(
      Array.from({ length: WRITES }, (_value, index) => [index, toItem(recordOf(index), RETENTION_MS)]),
    );
    let next = 0;
    return timed(() =>
      client.send(
        new PutItemCommand({
          TableName: table,
          Item: items.get(next++)!,
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );
  };
  await ours();
  await base();
  const speed = await alternate(ROUNDS, ours, base);
  return {
    name: `Audit writes to DynamoDB, ${callers === 1 ? 'one caller' : `${callers} callers`}`,
    baseline: 'conditional PutItem',
    ...speed,
    target: '>= 0.8',
    met: speed.ratio >= 0.8,
    unit: '/s',
  };
}

function recordOf(index: number): AuditRecord {
  const at = new Date(START_MS + index).toISOString();
  return {
    schemaVersion: 1,
    decisionID: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    kind: 'decision',
    deploymentID: `firmware-${index % 50}`,
    stage: 'canary',
    timestamp: at,
    outcome: 'deny',
    reasons: ['max_pending limit exceeded: current 3100 > configured 2000'],
    errorDetails: [],
    usedFacts: ['max_pending', 'pending_delta', 'region_health'].map((id) => ({
      id,
      value: 3100,
      observedAt: at,
      collectedAt: at,
      source: 'levelServer http://levels.example/api/deployments/firmware/stages/canary/metrics',
    })),
    policySHA: 'a'.repeat(64),
    configRev: 'b'.repeat(64),
    manifestVersion: 'v7',
    evalDurationNS: 81_000,
    workflowID: 'deployment/firmware',
    runID: '0190-run',
    actor: 'gate',
    deployment: { id: 'firmware', stage: 'canary', stage_index: 0, attributes: {}, stage_attributes: {} },
  };
}
