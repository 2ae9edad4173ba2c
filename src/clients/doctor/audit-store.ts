import type { LoadedSettings } from '../../settings/load-settings';
import { storeFolder } from '../../platform/database/store-folder';
import { findHolder } from '../../platform/database/lock';
import { readSecret } from '../../platform/files/read-secret';
import { secretDeps } from '../../settings/secret-deps';
import { attempt, missing, type Finding } from './finding';

const WHAT = 'audit store';

/** Whether the store of record can be opened, and who owns an embedded one. */
export async function storeFindings(loaded: LoadedSettings, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { store } = loaded.settings.audit;
  if (store.type === 'none') {
    const advice = 'After a crash no record can be adopted, so a decision may be recorded twice. Set audit.store';
    return [{ state: 'note', what: WHAT, found: 'none: copies on stdout alone', advice }];
  }
  if (store.type === 'dynamodb') {
    const { dynamoDbFindings } = await import('./dynamodb-store.js');
    return dynamoDbFindings(store);
  }
  return [store.url === undefined ? await embedded(loaded, env) : await postgres(loaded, store.url, env)];
}

type StoreUrl = NonNullable<LoadedSettings['settings']['audit']['store']['url']>;

async function postgres(loaded: LoadedSettings, url: StoreUrl, env: NodeJS.ProcessEnv): Promise<Finding> {
  const opened = await attempt(async () => {
    const { openAuditDatabase } = await import('../../audit/stores/postgres/open-audit-database.js');
    const database = await openAuditDatabase({
      url:
        typeof url === 'string' ? url : await readSecret(url, { ...secretDeps(loaded, env), where: 'audit.store.url' }),
    });
    await database.close();
    return database.where;
  });
  if ('error' in opened) return missing(WHAT, opened.error, 'Correct audit.store.url');
  return { state: 'ok', what: WHAT, found: opened.value };
}

async function embedded({ settings, baseDir }: LoadedSettings, env: NodeJS.ProcessEnv): Promise<Finding> {
  const path = storeFolder(settings.audit.store.folder, baseDir, env);
  const holder = await findHolder(path);
  return {
    state: 'note',
    what: WHAT,
    found: `embedded, in ${path}${holder ? `, held by process ${holder.pid}` : ', held by no process'}`,
    advice:
      'One worker alone can own it, and a power failure may lose its last moments: for more, set audit.store.url to a PostgreSQL URL',
  };
}
