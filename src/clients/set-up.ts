import { Connection } from '@temporalio/client';
import { setUpAuditStore, type AuditStoreSetup } from '../audit/stores/set-up-audit-store';
import type { LoadedSettings } from '../settings/load-settings';
import { reachTemporal } from '../platform/temporal/connection/reach-temporal';
import { temporalConnectionConfig } from '../settings/temporal-connection';
import { CONNECT_TIMEOUT_MS } from './open-temporal';
import { setupSearchAttributes, type SearchAttributeSetup } from './search-attribute-setup';

/** What a set-up found and did. */
export interface GateSetup {
  address: string;
  namespace: string;
  searchAttributes: SearchAttributeSetup;
  auditStore: AuditStoreSetup;
}

/**
 * Prepares the Temporal namespace and the store of record that the settings name. Safe to repeat.
 *
 * @throws Error for a search attribute of another type; errors of the connection; GateError as `setUpAuditStore`
 */
export async function setUp(loaded: LoadedSettings, env: NodeJS.ProcessEnv): Promise<GateSetup> {
  const { connectionOptions, namespace, address } = temporalConnectionConfig(loaded.settings, env);
  const options = { ...connectionOptions, connectTimeout: CONNECT_TIMEOUT_MS };
  const connection = await reachTemporal(address, env, () => Connection.connect(options));
  try {
    const searchAttributes = await setupSearchAttributes(connection, namespace);
    return { address, namespace, searchAttributes, auditStore: await setUpAuditStore(loaded, env) };
  } finally {
    await connection.close();
  }
}
