import type { AuditStoreSetup } from '../../audit/stores/set-up-audit-store';

const TTL_SAYS = {
  enabled: 'is on now, by the attribute expiresAt',
  'enabled before': 'was on already, by the attribute expiresAt',
  unsupported: 'is not supported by this server: items stay until somebody deletes them (DynamoDB itself supports it)',
};

/** What a set-up of the audit store found and did, for people. */
export function auditSetupLines(setup: AuditStoreSetup): string[] {
  switch (setup.store) {
    case 'none':
      return ['Audit store: none is configured; copies go to stdout alone, and nothing can be adopted after a crash'];
    case 'embedded':
      return [
        'Audit store: embedded; the worker that owns it prepares it when it starts, so there is nothing to set up',
      ];
    case 'postgres':
      return [`Audit store: ${setup.where} has the newest schema`];
    case 'dynamodb': {
      const { table, region, endpoint, created, ttl, retention } = setup;
      return [
        `Audit store: DynamoDB table ${table} in ${region}${endpoint === undefined ? '' : ` at ${endpoint}`}`,
        `  table and indexes ${created ? 'were created and are active' : 'were there already, as they should be'}`,
        `  TTL ${TTL_SAYS[ttl]}`,
        `  records are kept ${retention}`,
      ];
    }
    default:
      return setup satisfies never;
  }
}
