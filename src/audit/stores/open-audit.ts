import { FailureType, GateError } from '../../kernel/failures';
import type { LoadedSettings } from '../../settings/load-settings';
import { secretDeps } from '../../settings/secret-deps';
import type { AuditReader } from '../audit-reader';
import type { AuditRecorder } from './owner-client';

type Env = NodeJS.ProcessEnv;

/** The audit log that the settings name, for commands: DynamoDB, PostgreSQL, or the embedded store through its owner or by itself. */
export async function openAudit(loaded: LoadedSettings, env: Env): Promise<AuditRecorder> {
  if (loaded.settings.audit.store.type === 'dynamodb') {
    const { openDynamoDbStore } = await import('./open-audit-store.js');
    return openDynamoDbStore(loaded.settings.audit.store);
  }
  const { openAuditReader } = await import('./open-audit-reader.js');
  return openAuditReader(await storeOf(loaded, env));
}

/**
 * The same for a question in passing: undefined when the settings have no store, or an embedded one that no worker holds
 * (opening it would keep a worker that starts now from doing so).
 */
export async function openAuditInPassing(loaded: LoadedSettings, env: Env): Promise<AuditReader | undefined> {
  const { type } = loaded.settings.audit.store;
  if (type === 'none') return undefined;
  const store = type === 'postgres' ? await storeOf(loaded, env) : undefined;
  if (store !== undefined && 'folder' in store) {
    const { findHolder } = await import('../../platform/database/lock.js');
    if (!(await findHolder(store.folder))) return undefined;
  }
  return openAudit(loaded, env);
}

async function storeOf(loaded: LoadedSettings, env: Env): Promise<{ url: string } | { folder: string }> {
  requireStore(loaded);
  const { url, folder } = loaded.settings.audit.store;
  if (typeof url === 'string') return { url };
  if (url !== undefined) {
    const { readSecret } = await import('../../platform/files/read-secret.js');
    return { url: await readSecret(url, { ...secretDeps(loaded, env), where: 'audit.store.url' }) };
  }
  const { storeFolder } = await import('../../platform/database/store-folder.js');
  return { folder: storeFolder(folder, loaded.baseDir, env) };
}

/** @throws GateError ConfigInvalid when the settings have no store of record */
export function requireStore({ settings }: LoadedSettings): void {
  if (settings.audit.store.type !== 'none') return;
  throw new GateError(
    FailureType.ConfigInvalid,
    'Expected audit.store.type to be postgres or dynamodb for this command, got none: copies on stdout cannot be asked',
  );
}
