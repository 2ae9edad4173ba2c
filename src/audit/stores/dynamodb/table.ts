import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  UpdateTimeToLiveCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  type KeySchemaElement,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { FailureType, GateError, faultsToError } from '../../../kernel/failures';
import { dynamoDbError } from './error';
import { DAY_INDEX, DEPLOYMENT_INDEX } from './query';

export const TTL_ATTRIBUTE = 'expiresAt';

/** Filters answer from the index alone; the record itself is then read from the table. */
const INDEXED = ['decisionID', 'stage', 'kind', 'outcome', 'policySHA', 'manifestVersion', 'reasonCodes'];

const INDEXES: Record<string, string> = { [DEPLOYMENT_INDEX]: 'deploymentID', [DAY_INDEX]: 'day' };

const ACTIVE_WITHIN_MS = 120_000;
const POLL_MS = 100;

/** What DynamoDB says of the table's TTL. `other` ends items by another attribute than ours; `changing`: ask again later. */
export type TtlState = 'enabled' | 'disabled' | 'changing' | 'other' | 'unsupported';

/** A table as it was found. */
export interface TableState {
  /** what is not as this program needs it, a sentence each */
  differences: string[];
  ttl: TtlState;
}

/** What `setUpTable` did: whether it made the table, and what became of its TTL. */
export interface TableSetup {
  created: boolean;
  ttl: 'enabled' | 'enabled before' | 'unsupported';
}

export function tableDefinition(table: string): CreateTableCommandInput {
  return {
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk', ...Object.values(INDEXES)].map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S',
    })),
    KeySchema: keySchema('pk'),
    GlobalSecondaryIndexes: Object.entries(INDEXES).map(([IndexName, attribute]) => ({
      IndexName,
      KeySchema: keySchema(attribute),
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: INDEXED },
    })),
  };
}

function keySchema(partition: string): KeySchemaElement[] {
  return [
    { AttributeName: partition, KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ];
}

/** Every difference between a table and what this program needs; more indexes than that are its owner's business. */
export function tableDifferences(found: TableDescription): string[] {
  const differences: string[] = [];
  const compareKeys = (of: string, keys: KeySchemaElement[] | undefined, wanted: string) => {
    if (keysOf(keys) !== wanted) differences.push(`Expected ${of} to have the keys ${wanted}, got ${keysOf(keys)}`);
  };
  compareKeys('the table', found.KeySchema, keysOf(keySchema('pk')));
  for (const [name, attribute] of Object.entries(INDEXES)) {
    const index = found.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === name);
    if (index === undefined) {
      differences.push(`Expected the table to have the index ${name}, got none`);
      continue;
    }
    compareKeys(`the index ${name}`, index.KeySchema, keysOf(keySchema(attribute)));
    const { ProjectionType, NonKeyAttributes = [] } = index.Projection ?? {};
    const lacking = ProjectionType === 'ALL' ? [] : INDEXED.filter((held) => !NonKeyAttributes.includes(held));
    if (lacking.length > 0) {
      differences.push(`Expected the index ${name} to hold ${INDEXED.join(', ')}, got none of ${lacking.join(', ')}`);
    }
  }
  for (const { AttributeName, AttributeType } of found.AttributeDefinitions ?? []) {
    const ours = ['pk', 'sk', ...Object.values(INDEXES)].includes(AttributeName ?? '');
    if (ours && AttributeType !== 'S') {
      differences.push(`Expected the attribute ${AttributeName} to be of type S, got ${AttributeType}`);
    }
  }
  return differences;
}

function keysOf(keys: KeySchemaElement[] = []): string {
  return keys.map(({ AttributeName, KeyType }) => `${AttributeName} (${KeyType})`).join(', ') || 'none';
}

/**
 * Looks at the table and changes nothing.
 *
 * @returns undefined when there is none
 * @throws GateError AuditUnavailable when DynamoDB cannot be asked
 */
export async function inspectTable(client: DynamoDBClient, table: string): Promise<TableState | undefined> {
  return attempt(table, 'look at the audit store', async () => {
    const found = await describe(client, table);
    if (found === undefined) return undefined;
    return { differences: tableDifferences(found), ttl: await ttlOf(client, table) };
  });
}

/**
 * Creates the table with its indexes and switches TTL on, as far as that is not so already; safe to repeat, and by two at
 * once. Resolves when the table and its indexes are active.
 *
 * @throws GateError ConfigInvalid with every difference when there is a table of another kind, which is then left as it is;
 *   AuditUnavailable when DynamoDB cannot be asked, or is not ready in time
 */
export function setUpTable(
  client: DynamoDBClient,
  table: string,
  activeWithinMs = ACTIVE_WITHIN_MS,
): Promise<TableSetup> {
  return attempt(table, 'set up the audit store', async () => {
    const { created, found } = await createUnlessThere(client, table, Date.now() + activeWithinMs);
    const ttl = await ttlOf(client, table);
    const differences = tableDifferences(found);
    if (ttl === 'other') differences.push(`Expected TTL to end items by ${TTL_ATTRIBUTE}, got another attribute`);
    if (ttl === 'changing')
      differences.push('Expected TTL to be on or off, got it being switched off; repeat this later');
    if (differences.length > 0) {
      throw faultsToError(
        differences.map((message) => ({
          type: FailureType.ConfigInvalid,
          message,
          where: `DynamoDB table ${table}`,
        })),
      );
    }
    if (ttl === 'enabled') return { created, ttl: 'enabled before' };
    if (ttl === 'unsupported') return { created, ttl };
    return { created, ttl: await enableTtl(client, table) };
  });
}

/** False when another process does it at this moment. */
async function create(client: DynamoDBClient, table: string): Promise<boolean> {
  try {
    await client.send(new CreateTableCommand(tableDefinition(table)));
    return true;
  } catch (error) {
    if (nameOf(error) === 'ResourceInUseException') return false;
    throw error;
  }
}

async function describe(client: DynamoDBClient, table: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: table }))).Table;
  } catch (error) {
    if (nameOf(error) === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

async function createUnlessThere(
  client: DynamoDBClient,
  table: string,
  deadlineMs: number,
): Promise<{ created: boolean; found: TableDescription }> {
  let created = false;
  for (;;) {
    const found = await describe(client, table);
    const states = [found?.TableStatus, ...(found?.GlobalSecondaryIndexes ?? []).map((index) => index.IndexStatus)];
    if (found !== undefined && states.every((state) => state === 'ACTIVE')) return { created, found };
    // Once created it may be out of sight for a moment; one that is being deleted goes, and is created then.
    if (found === undefined && !created) created = await create(client, table);
    if (Date.now() >= deadlineMs) {
      const state = states.map((each) => each ?? 'not there').join(', ');
      throw new GateError(
        FailureType.AuditUnavailable,
        `Cannot set up the audit store: DynamoDB table ${table} is not active in time (${state})`,
      );
    }
    await sleep(POLL_MS);
  }
}

async function ttlOf(client: DynamoDBClient, table: string): Promise<TtlState> {
  try {
    const { TimeToLiveDescription: ttl } = await client.send(new DescribeTimeToLiveCommand({ TableName: table }));
    const status = ttl?.TimeToLiveStatus;
    if (status === 'ENABLED' || status === 'ENABLING') {
      return ttl?.AttributeName === TTL_ATTRIBUTE ? 'enabled' : 'other';
    }
    return status === 'DISABLING' ? 'changing' : 'disabled';
  } catch (error) {
    if (isUnknownCall(error)) return 'unsupported';
    throw error;
  }
}

async function enableTtl(client: DynamoDBClient, table: string): Promise<TableSetup['ttl']> {
  const TimeToLiveSpecification = { AttributeName: TTL_ATTRIBUTE, Enabled: true };
  try {
    await client.send(new UpdateTimeToLiveCommand({ TableName: table, TimeToLiveSpecification }));
    return 'enabled';
  } catch (error) {
    if (isUnknownCall(error)) return 'unsupported';
    // To switch on what is on is refused: another process has done it at this moment.
    if ((await ttlOf(client, table)) === 'enabled') return 'enabled before';
    throw error;
  }
}

/** A server in place of DynamoDB may not know the calls about TTL (dynalite knows how to describe it alone). */
function isUnknownCall(error: unknown): boolean {
  return nameOf(error) === 'UnknownOperationException';
}

async function attempt<T>(table: string, doing: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw dynamoDbError(FailureType.AuditUnavailable, `DynamoDB table ${table}`, doing, error);
  }
}

function nameOf(error: unknown): string | undefined {
  return (error as { name?: string } | undefined)?.name;
}
