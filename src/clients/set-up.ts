import { setUpAuditStore, type AuditStoreSetup } from '../audit/stores/set-up-audit-store';
import type { BucketSetup } from '../platform/objects/stores/create-bucket';
import type { LoadedSettings } from '../settings/load-settings';
import { temporalConnectionConfig } from '../settings/temporal-connection';
import { connectTemporal } from './open-temporal';
import { setupSearchAttributes, type SearchAttributeSetup } from './search-attribute-setup';
import { setUpBuckets } from './set-up-buckets';

/** What a set-up found and did. */
export interface GateSetup {
  address: string;
  namespace: string;
  searchAttributes: SearchAttributeSetup;
  /** those that were asked for */
  buckets: BucketSetup[];
  auditStore: AuditStoreSetup;
}

/**
 * Prepares the Temporal namespace and the store of record that the settings name. Safe to repeat.
 *
 * @param options.create also makes the buckets that the settings name
 * @throws Error for a search attribute of another type; errors of the connection; GateError as `setUpAuditStore` and `setUpBuckets`
 */
export async function setUp(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv,
  { create = false }: { create?: boolean } = {},
): Promise<GateSetup> {
  const config = temporalConnectionConfig(loaded.settings, env);
  const { namespace, address } = config;
  const connection = await connectTemporal(config, env);
  try {
    const searchAttributes = await setupSearchAttributes(connection, namespace);
    const buckets = create ? await setUpBuckets(loaded) : [];
    return { address, namespace, searchAttributes, buckets, auditStore: await setUpAuditStore(loaded, env) };
  } finally {
    await connection.close();
  }
}
