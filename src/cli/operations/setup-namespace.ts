import type { CliIo } from '../io';

/** Prepares the Temporal namespace and the store of record; what it found and did, a line each. */
export async function setup(io: CliIo, settingsPath: string | undefined): Promise<string[]> {
  const [
    { Connection },
    { openLoadedSettings },
    { temporalConnectionConfig },
    { setupSearchAttributes },
    { setupAuditStore },
  ] = await Promise.all([
    import('@temporalio/client'),
    import('../open-settings.js'),
    import('../../settings/temporal-connection.js'),
    import('../../clients/search-attribute-setup.js'),
    import('../audit/setup-store.js'),
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
      ...(await setupAuditStore(io, loaded)).lines,
    ];
  } finally {
    await connection.close();
  }
}
