import { setUpAuditStore, type AuditStoreSetup } from '../audit/stores/set-up-audit-store';
import type { LoadedSettings } from '../settings/load-settings';
import { temporalConnectionConfig } from '../settings/temporal-connection';
import { connectTemporal } from './open-temporal';
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
  const config = temporalConnectionConfig(loaded.settings, env);
  const { namespace, address } = config;
  const connection = await connectTemporal(config, env);
  try {
    const searchAttributes = await setupSearchAttributes(connection, namespace);
    return { address, namespace, searchAttributes, auditStore: await setUpAuditStore(loaded, env) };
  } finally {
    await connection.close();
  }
}
