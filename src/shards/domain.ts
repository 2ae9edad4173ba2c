import type { TSchema } from '../platform/documents/typebox';
import type { PolicyType, RuleDomain } from '../rules/domain';
import { contradictionOf, mergedAction } from './actions/merge-actions';
import {
  BalanceSchema,
  CostOptimizationSchema,
  MigrationSchema,
  PlacementSchema,
  ReplicationSchema,
} from './actions/schemas';
import { decideShardActions } from './decide';
import { SHARD_METRICS } from './state/metrics';
import { toDomainState } from './evaluation/to-domain-state';
import { olderThan } from './functions/older-than';
import { withinWindow } from './functions/within-window';

/** What can be asked of shard policies. */
export const ShardOperation = {
  place_shard: 'place_shard',
  migrate_shard: 'migrate_shard',
  replicate_shard: 'replicate_shard',
  balance: 'balance',
  optimize_cost: 'optimize_cost',
} as const;
export type ShardOperation = (typeof ShardOperation)[keyof typeof ShardOperation];

function type(
  name: string,
  description: string,
  action: string,
  schema: TSchema,
  operation: ShardOperation,
): PolicyType {
  return {
    name,
    description,
    actions: { [action]: schema },
    operations: [operation],
    contradiction: contradictionOf,
    merge: mergedAction,
  };
}

const TYPES: readonly PolicyType[] = [
  type('placement', 'where the replicas of a new shard go', 'placement', PlacementSchema, ShardOperation.place_shard),
  type('migration', 'which replicas leave their node', 'migration', MigrationSchema, ShardOperation.migrate_shard),
  type(
    'replication',
    'how many replicas a shard has, and how far apart',
    'replication',
    ReplicationSchema,
    ShardOperation.replicate_shard,
  ),
  type('load_balancing', 'when and how load is made even', 'balance', BalanceSchema, ShardOperation.balance),
  type(
    'cost_optimization',
    'which nodes are emptied to save their cost',
    'cost_optimization',
    CostOptimizationSchema,
    ShardOperation.optimize_cost,
  ),
];

/** The shard domain of the rule engine: what policies can say of shards, the nodes that hold them, and the cluster. */
export const shardDomain: RuleDomain = {
  name: 'shards',
  types: new Map(TYPES.map((one) => [one.name, one])),
  operations: {
    place_shard: 'choose nodes for the replicas that a shard lacks',
    migrate_shard: 'move replicas away from nodes that policies name',
    replicate_shard: 'bring each shard to its number of replicas',
    balance: 'move replicas until the load of nodes is even',
    optimize_cost: 'empty nodes whose cost can be saved',
  },
  functions: new Map([withinWindow, olderThan].map((one) => [one.name, one])),
  prefixes: { subject: 'shard', candidate: 'node', others: ['cluster', 'source'] },
  metrics: SHARD_METRICS,
  readState: toDomainState,
  priorityOf: ({ settings }) => (typeof settings.priority === 'number' ? settings.priority : 0),
  decide: decideShardActions,
};
