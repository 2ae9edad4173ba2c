import type { LoadedSettings } from '../../settings/load-settings';
import { secretDeps } from '../../settings/secret-deps';
import type { TableSetup } from './dynamodb/table';

/** What a set-up found and did. */
export type AuditStoreSetup =
  | ({
      store: 'dynamodb';
      table: string;
      region: string;
      endpoint?: string;
      /** how long records are kept */
      retention: string;
    } & TableSetup)
  | { store: 'postgres'; where: string }
  /** its owner prepares it when it starts */
  | { store: 'embedded' }
  | { store: 'none' };

/**
 * Prepares the store of record that the settings name; safe to repeat.
 *
 * @throws GateError ConfigInvalid with every difference when there is a table of another kind; AuditUnavailable when the
 *   store cannot be reached
 */
export async function setUpAuditStore(
  { settings, baseDir }: LoadedSettings,
  env: NodeJS.ProcessEnv,
): Promise<AuditStoreSetup> {
  const { store } = settings.audit;
  if (store.type === 'dynamodb') return setUpDynamoDb(store);
  if (store.type === 'none') return { store: 'none' };
  const { url } = store;
  if (url === undefined) return { store: 'embedded' };
  const [{ openAuditDatabase }, { readSecret }] = await Promise.all([
    import('./postgres/open-audit-database.js'),
    import('../../platform/files/read-secret.js'),
  ]);
  const database = await openAuditDatabase({
    url:
      typeof url === 'string'
        ? url
        : await readSecret(url, { ...secretDeps({ settings, baseDir }, env), where: 'audit.store.url' }),
  });
  await database.close();
  return { store: 'postgres', where: database.where };
}

async function setUpDynamoDb(settings: LoadedSettings['settings']['audit']['store']): Promise<AuditStoreSetup> {
  const [{ openDynamoDbClient }, { setUpTable }] = await Promise.all([
    import('./open-audit-store.js'),
    import('./dynamodb/table.js'),
  ]);
  const { table, endpoint, retention } = settings;
  const client = await openDynamoDbClient(settings);
  try {
    const region = await client.config.region();
    const { created, ttl } = await setUpTable(client, table);
    return { store: 'dynamodb', table, region, ...(endpoint ? { endpoint } : {}), created, ttl, retention };
  } finally {
    client.destroy();
  }
}
