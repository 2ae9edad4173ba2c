import type { LoadedSettings } from '../../settings/load-settings';
import type { AuditReader } from '../audit-reader';
import { openAudit, openAuditInPassing } from './open-audit';

/** An audit log that is looked at again and again, beside the workers that write to it. */
export interface FollowedLog {
  /** @throws what `openAudit` and `run` throw */
  first<T>(run: (reader: AuditReader) => Promise<T>): Promise<T>;
  /** Does nothing while an embedded store has no owner: no one writes to it then. @throws as `first` */
  again(run: (reader: AuditReader) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/**
 * The audit log that the settings name. An embedded store is opened for each look: its owner may be another worker by then,
 * and holding it while no worker does would keep one from starting.
 *
 * @throws as `openAudit`
 */
export async function openFollowedLog(loaded: LoadedSettings, env: NodeJS.ProcessEnv): Promise<FollowedLog> {
  const { type, url } = loaded.settings.audit.store;
  if (type !== 'postgres' || url !== undefined) {
    const reader = await openAudit(loaded, env);
    return { first: (run) => run(reader), again: (run) => run(reader), close: () => reader.close() };
  }
  return {
    first: async (run) => using(await openAudit(loaded, env), run),
    async again(run) {
      const reader = await openAuditInPassing(loaded, env);
      if (reader !== undefined) await using(reader, run);
    },
    close: () => Promise.resolve(),
  };
}

async function using<T>(reader: AuditReader, run: (reader: AuditReader) => Promise<T>): Promise<T> {
  try {
    return await run(reader);
  } finally {
    await reader.close();
  }
}
