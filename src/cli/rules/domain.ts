import type { RuleDomain } from '../../rules/domain';

/** The domain whose policies `gate rules` works with. Loaded late: help needs none. */
export async function ruleDomain(): Promise<RuleDomain> {
  return (await import('../../shards/domain.js')).shardDomain;
}
