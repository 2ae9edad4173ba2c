import type { AuditReader } from '../audit/audit-reader';
import type { LoadedSettings } from '../settings/load-settings';
import type { CliIo } from './io';
import { requireStore } from './open-settings';

/** The audit log that the settings name: DynamoDB, PostgreSQL, or the embedded store through its owner or by itself. */
export async function openAudit(io: CliIo, loaded: LoadedSettings): Promise<AuditReader> {
  if (loaded.settings.audit.store.type === 'dynamodb') {
    const { openDynamoDbStore } = await import('../audit/stores/open-audit-store.js');
    return openDynamoDbStore(loaded.settings.audit.store);
  }
  const { openAuditReader } = await import('../audit/stores/open-audit-reader.js');
  return openAuditReader(await storeOf(io, loaded));
}

/**
 * The same for a question in passing: undefined when the settings have no store, or an embedded one that no worker holds
 * (opening it would keep a worker that starts now from doing so).
 */
export async function openAuditInPassing(io: CliIo, loaded: LoadedSettings): Promise<AuditReader | undefined> {
  const { type } = loaded.settings.audit.store;
  if (type === 'none') return undefined;
  const store = type === 'postgres' ? await storeOf(io, loaded) : undefined;
  if (store !== undefined && 'folder' in store) {
    const { findHolder } = await import('../platform/database/lock.js');
    if (!(await findHolder(store.folder))) return undefined;
  }
  return openAudit(io, loaded);
}

async function storeOf(io: CliIo, loaded: LoadedSettings): Promise<{ url: string } | { folder: string }> {
  requireStore(loaded);
  const { url, folder } = loaded.settings.audit.store;
  if (typeof url === 'string') return { url };
  if (url !== undefined) {
    const { readSecret } = await import('../platform/files/read-secret.js');
    return { url: await readSecret(url, { env: io.env, configFolder: loaded.baseDir }) };
  }
  const { storeFolder } = await import('../platform/database/store-folder.js');
  return { folder: storeFolder(folder, loaded.baseDir, io.env) };
}
