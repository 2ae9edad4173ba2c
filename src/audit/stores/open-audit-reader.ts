import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FailureType, GateError } from '../../kernel/failures';
import { openAuditDatabase } from './postgres/open-audit-database';
import { EMBEDDED_DATA } from '../../platform/database/database';
import { findHolder } from '../../platform/database/lock';
import { readAddress } from '../../platform/database/owner-files';
import { createOwnerClient, type AuditRecorder } from './owner-client';
import { createPostgresAuditStore } from './postgres/store';

/** A worker that has just started holds the folder for a moment before it says where it answers. */
const ADDRESS_WITHIN_MS = 5_000;
const ADDRESS_POLL_MS = 100;

/**
 * Opens the audit log in PostgreSQL, or in an embedded store's folder: through the process that owns it when one does, and
 * by itself otherwise (it then is the owner until `close`).
 *
 * @throws GateError ConfigInvalid when there is no store in the folder; AuditUnavailable when its owner gives no address
 */
export async function openAuditReader(
  settings: { url: string } | { folder: string; addressWithinMs?: number },
): Promise<AuditRecorder> {
  if ('url' in settings) return createPostgresAuditStore(await openAuditDatabase(settings));
  const { folder, addressWithinMs = ADDRESS_WITHIN_MS } = settings;
  const deadline = Date.now() + addressWithinMs;
  for (;;) {
    const holder = await findHolder(folder);
    if (holder === undefined) {
      if (!existsSync(join(folder, EMBEDDED_DATA))) {
        const why = 'no worker has run with it yet, or audit.store names another';
        throw new GateError(FailureType.ConfigInvalid, `There is no audit store in ${folder}: ${why}`);
      }
      try {
        return createPostgresAuditStore(await openAuditDatabase({ folder }));
      } catch (error) {
        // Somebody else may have taken the folder since; then they are the one to ask.
        if ((await findHolder(folder)) === undefined) throw error;
        continue;
      }
    }
    const owner = await readAddress(folder, holder);
    if (owner !== undefined) return createOwnerClient(owner);
    if (Date.now() >= deadline) {
      throw new GateError(
        FailureType.AuditUnavailable,
        `Cannot read the audit log: process ${holder.pid} holds the embedded store in ${folder} and has not said where it answers`,
      );
    }
    await sleep(ADDRESS_POLL_MS);
  }
}
