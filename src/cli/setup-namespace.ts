import type { LoadedSettings } from '../config/loaders/settings';
import type { CliIo } from './io';

/** Prepares the Temporal namespace and the store of record; what it found and did, a line each. */
export async function setup(io: CliIo, settingsPath: string | undefined): Promise<string[]> {
  const [{ Connection }, { openLoadedSettings }, { temporalConnectionConfig }, { setupSearchAttributes }] = await Promise.all([
    import('@temporalio/client'),
    import('./open-settings.js'),
    import('../config/loaders/temporal-connection.js'),
    import('../dev/search-attribute-setup.js'),
  ]);
  const loaded = await openLoadedSettings(io, settingsPath);
  const { connectionOptions, namespace, address } = temporalConnectionConfig(loaded.settings, io.env);
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: 10_000 });
  try {
    const { created, existing } = await setupSearchAttributes(connection, namespace);
    return [
      `Temporal ${address}, namespace ${namespace}`,
      `  search attributes created: ${created.join(', ') || 'none'}`,
      `  search attributes already there: ${existing.join(', ') || 'none'}`,
      await setupStore(io, loaded),
    ];
  } finally {
    await connection.close();
  }
}

async function setupStore(io: CliIo, loaded: LoadedSettings): Promise<string> {
  if (loaded.settings.audit.store.type === 'none') return 'Audit store: none is configured; copies go to stdout alone, and nothing can be adopted after a crash';
  const { url } = loaded.settings.audit.store;
  if (url === undefined) return 'Audit store: embedded; the worker that owns it prepares it when it starts';
  const [{ openDatabase }, { readSecret }] = await Promise.all([import('../store/database.js'), import('../config/loaders/secrets.js')]);
  const database = await openDatabase({ url: typeof url === 'string' ? url : await readSecret(url, { env: io.env, configFolder: loaded.baseDir }) });
  await database.close();
  return `Audit store: ${database.where} has the newest schema`;
}
