import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createImageActivities, type ImageParts } from '../../src/activities/create-image-activities';
import type { ImageSyncDefaults } from '../../src/activities/image-activities';
import type { Alert } from '../../src/alerts/alert';
import type { AuditRecord } from '../../src/audit/audit-record';
import { openImages } from '../../src/images/service/open-images';
import { loadSettings } from '../../src/settings/load-settings';
import { runWorkerProcess } from './worker-process';

/** What a worker of the tests replicates with. */
export interface ImageSyncWorkerOptions {
  /** a settings file */
  settings: string;
  /** Docker's configuration and proxies */
  env?: Readonly<Record<string, string>>;
  defaults?: Partial<ImageSyncDefaults>;
  /** gets each record, a line each, and is what records are found in; @default in memory */
  recordsFile?: string;
  onAlert?(alert: Alert): void;
  /** called with all that is logged, at every level */
  onLog?(...logged: unknown[]): void;
  /** called for each record before it is kept; what it throws is thrown */
  onRecord?(record: AuditRecord): Promise<void> | void;
}

/** An audit log of lines in a file, which adopts what is there already. */
export function recordsOf(file: string): AuditRecord[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditRecord);
}

/** The activities of syncs over real registries, with an audit log of the test. */
export async function imageParts(options: ImageSyncWorkerOptions): Promise<ImageParts & { records: AuditRecord[] }> {
  const { settings, env = {}, defaults = {}, recordsFile, onRecord } = options;
  const records: AuditRecord[] = [];
  const known = () => (recordsFile === undefined ? records : recordsOf(recordsFile));
  const log = (...logged: unknown[]): void => options.onLog?.(...logged);
  const logger = { debug: log, info: log, warn: log, error: log };
  return {
    records,
    images: openImages(await loadSettings(settings, {}, '/'), { env }),
    audit: {
      record: async (record) => {
        await onRecord?.(record);
        if (known().some(({ decisionID }) => decisionID === record.decisionID)) return;
        if (recordsFile === undefined) records.push(record);
        else appendFileSync(recordsFile, `${JSON.stringify(record)}\n`);
      },
      find: async (id) => known().find(({ decisionID }) => decisionID === id),
    },
    alerts: { send: async (alert) => options.onAlert?.(alert) },
    labels: { team: 'images' },
    defaults: { batchImages: 100, batchMs: 5_000, heartbeatTimeoutMs: 3_000, ...defaults },
    logger,
    nowMs: () => Date.now(),
  };
}

// A worker process of its own, which a test kills.
if (require.main === module) {
  runWorkerProcess(async (options: ImageSyncWorkerOptions) => createImageActivities(await imageParts(options)));
}
