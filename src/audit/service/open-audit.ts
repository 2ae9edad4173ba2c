import { parseDuration } from '../../kernel/duration';
import type { LoadedSettings } from '../../settings/load-settings';
import type { AuditLog, AuditLogger } from '../audit-log';
import type { AuditStore } from '../audit-record';
import { createAuditLog } from '../copies/create-audit-log';
import { openDecisionLogUpload } from '../copies/open-decision-log-upload';
import { createStdoutSink, type TextOutput } from '../copies/stdout';
import { keptOpen } from '../kept-open';
import { openAuditStore, type OpenedAuditStore } from '../stores/open-audit-store';
import type { AuditDatabase } from '../stores/postgres/open-audit-database';
import { startRetention } from '../stores/postgres/retention';
import { startPartSweeps } from '../stores/sweep-parts';
import type { AuditServiceMetrics } from './audit-metrics';

export interface AuditOptions {
  env: NodeJS.ProcessEnv;
  metrics: AuditServiceMetrics;
  logger: AuditLogger;
  /** where copies go when `audit.stdout` is set; @default process.stdout */
  stdout?: TextOutput;
  /** the program's own store of record, in place of the one that the settings name; the program closes it */
  own?: AuditStore;
}

export interface Audit {
  log: AuditLog;
  /** the store of record; absent where the settings have none */
  store?: AuditStore;
  /** of PostgreSQL and the embedded store */
  database?: AuditDatabase;
  /** ends the upload and the deleting of old records, gives waiting copies a last chance and closes the store */
  close(): Promise<void>;
}

/**
 * The store of record and the copies that the settings name.
 *
 * @throws GateError ConfigInvalid (a held store, a wrong URL), AuditUnavailable; nothing is left open then
 */
export async function openAudit(loaded: LoadedSettings, options: AuditOptions): Promise<Audit> {
  const { env, metrics, logger, own } = options;
  const opened: Partial<OpenedAuditStore> =
    own === undefined ? ((await openAuditStore(loaded, env)) ?? {}) : { store: keptOpen(own) };
  const { store, database } = opened;
  const { retention, stdout } = loaded.settings.audit;
  try {
    const upload = await openDecisionLogUpload(loaded, env, { metrics, logger });
    const log = createAuditLog({
      store,
      sinks: stdout ? [createStdoutSink(options.stdout)] : [],
      required: upload ? [upload] : [],
      metrics,
      logger,
    });
    const sweeps =
      database === undefined || retention === undefined
        ? undefined
        : startRetention(database, { retentionMs: parseDuration(retention), logger });
    const partSweeps = store?.parts === undefined ? undefined : startPartSweeps(store.parts, logger);
    return {
      log,
      ...opened,
      close: async () => {
        await upload?.close();
        await sweeps?.stop();
        await partSweeps?.stop();
        await log.close();
      },
    };
  } catch (error) {
    await store?.close();
    throw error;
  }
}
