import type { AuditStore } from '../audit-record';
import { createPostgresAuditStore } from './postgres/store';
import { parseDuration } from '../../kernel/duration';
import { readSecret } from '../../platform/files/read-secret';
import { secretDeps } from '../../settings/secret-deps';
import type { LoadedSettings } from '../../settings/load-settings';
import type { Settings } from '../../settings/settings';
import { FailureType, GateError } from '../../kernel/failures';
import type { ObjectStore } from '../../platform/objects/object-store';
import { openAuditDatabase, type AuditDatabase } from './postgres/open-audit-database';
import { storeFolder } from '../../platform/database/store-folder';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

type StoreSettings = Settings['audit']['store'];

export interface OpenedAuditStore {
  store: AuditStore;
  /** of PostgreSQL and the embedded store */
  database?: AuditDatabase;
}

/**
 * The store of record that the settings name; undefined when they have none. DynamoDB is not asked here: while it is away a
 * worker starts, and what it decides waits.
 *
 * @throws GateError ConfigInvalid (a held folder, a wrong URL, no region); AuditUnavailable when PostgreSQL cannot be reached
 */
export async function openAuditStore(
  { settings, baseDir }: LoadedSettings,
  env: NodeJS.ProcessEnv,
): Promise<OpenedAuditStore | undefined> {
  const store = settings.audit.store;
  switch (store.type) {
    case 'none':
      return undefined;
    case 'dynamodb':
      return { store: await openDynamoDbStore(store) };
    case 'postgres': {
      const { url, folder } = store;
      const place =
        url === undefined
          ? { folder: storeFolder(folder, baseDir, env) }
          : {
              url:
                typeof url === 'string'
                  ? url
                  : await readSecret(url, { ...secretDeps({ settings, baseDir }, env), where: 'audit.store.url' }),
            };
      const database = await openAuditDatabase(place);
      return { store: createPostgresAuditStore(database), database };
    }
    default:
      return store.type satisfies never;
  }
}

/** The store of record in DynamoDB, with the place for big facts where one is configured. */
export async function openDynamoDbStore(settings: StoreSettings): Promise<AuditStore> {
  const { createDynamoDbAuditStore } = await import('./dynamodb/store.js');
  const client = await openDynamoDbClient(settings);
  const { bigFacts } = settings;
  return createDynamoDbAuditStore({
    client,
    table: settings.table,
    retentionMs: parseDuration(settings.retention),
    ...(bigFacts === undefined ? {} : { bigFacts: await openBigFacts(bigFacts) }),
  });
}

/** Opening does no I/O. */
export async function openBigFacts({
  bucket,
  prefix,
  s3,
}: NonNullable<StoreSettings['bigFacts']>): Promise<ObjectStore> {
  const { openObjectStore } = await import('../../platform/objects/stores/open-object-store.js');
  const folders = [bucket, ...prefix.split('/')].filter((part) => part !== '');
  // Of an object's URL it opens the place; which object is of no matter here.
  return (await openObjectStore(`s3://${folders.join('/')}/facts`, s3)).store;
}

/** @throws GateError ConfigInvalid when no region is to be had: the SDK would say so at the first record only */
export async function openDynamoDbClient(
  settings: Pick<StoreSettings, 'endpoint' | 'region'>,
): Promise<DynamoDBClient> {
  const [{ DynamoDBClient }, { dynamoDbClientConfig }] = await Promise.all([
    import('@aws-sdk/client-dynamodb'),
    import('../../platform/aws/clients.js'),
  ]);
  const client = new DynamoDBClient(dynamoDbClientConfig(settings));
  try {
    await client.config.region();
  } catch (error) {
    client.destroy();
    throw new GateError(
      FailureType.ConfigInvalid,
      'Expected a region for DynamoDB in audit.store.region, AWS_REGION or the AWS profile, got none',
      undefined,
      { cause: error },
    );
  }
  return client;
}
