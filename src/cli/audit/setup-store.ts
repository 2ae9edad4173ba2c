import type { LoadedSettings } from '../../settings/load-settings';
import type { CliIo } from '../io';

/** What set-up found and did: for programs, and for people a line each. */
export interface AuditStoreSetup {
  result: { store: 'dynamodb' | 'postgres' | 'embedded' | 'none'; [found: string]: unknown };
  lines: string[];
}

/**
 * Prepares the store of record that the settings name; safe to repeat.
 *
 * @throws GateError ConfigInvalid with every difference when there is a table of another kind; AuditUnavailable when the
 *   store cannot be reached
 */
export async function setupAuditStore(io: CliIo, { settings, baseDir }: LoadedSettings): Promise<AuditStoreSetup> {
  const { store } = settings.audit;
  if (store.type === 'dynamodb') return setupDynamoDb(store);
  if (store.type === 'none') {
    const why = 'none is configured; copies go to stdout alone, and nothing can be adopted after a crash';
    return { result: { store: 'none' }, lines: [`Audit store: ${why}`] };
  }
  const { url } = store;
  if (url === undefined) {
    const why = 'embedded; the worker that owns it prepares it when it starts, so there is nothing to set up';
    return { result: { store: 'embedded' }, lines: [`Audit store: ${why}`] };
  }
  const [{ openAuditDatabase }, { readSecret }] = await Promise.all([
    import('../../audit/stores/postgres/open-audit-database.js'),
    import('../../platform/files/read-secret.js'),
  ]);
  const database = await openAuditDatabase({
    url: typeof url === 'string' ? url : await readSecret(url, { env: io.env, configFolder: baseDir }),
  });
  await database.close();
  const { where } = database;
  return { result: { store: 'postgres', where }, lines: [`Audit store: ${where} has the newest schema`] };
}

const TTL_SAYS = {
  enabled: 'is on now, by the attribute expiresAt',
  'enabled before': 'was on already, by the attribute expiresAt',
  unsupported: 'is not supported by this server: items stay until somebody deletes them (DynamoDB itself supports it)',
};

async function setupDynamoDb(settings: LoadedSettings['settings']['audit']['store']): Promise<AuditStoreSetup> {
  const [{ openDynamoDbClient }, { setUpTable }] = await Promise.all([
    import('../../audit/stores/open-audit-store.js'),
    import('../../audit/stores/dynamodb/table.js'),
  ]);
  const { table, endpoint, retention } = settings;
  const client = await openDynamoDbClient(settings);
  try {
    const region = await client.config.region();
    const { created, ttl } = await setUpTable(client, table);
    const result = {
      store: 'dynamodb' as const,
      table,
      region,
      ...(endpoint ? { endpoint } : {}),
      created,
      ttl,
      retention,
    };
    return {
      result,
      lines: [
        `Audit store: DynamoDB table ${table} in ${region}${endpoint === undefined ? '' : ` at ${endpoint}`}`,
        `  table and indexes ${created ? 'were created and are active' : 'were there already, as they should be'}`,
        `  TTL ${TTL_SAYS[ttl]}`,
        `  records are kept ${retention}`,
      ],
    };
  } finally {
    client.destroy();
  }
}
