import type { MetricKind } from '../../rules/domain';

const NODE = {
  id: 'text',
  status: 'text',
  region: 'text',
  zone: 'text',
  labels: 'object',
  capacity: 'object',
  cost_per_hour: 'number',
  cpu_usage: 'number',
  memory_usage: 'number',
  disk_usage: 'number',
} as const satisfies Record<string, MetricKind>;

/** The metrics of a state's schema, for `gate rules lint`. Of the cluster any field is a metric: nothing is known of it. */
export const SHARD_METRICS: Readonly<Record<string, Readonly<Record<string, MetricKind>>>> = {
  node: NODE,
  source: NODE,
  shard: { id: 'text', labels: 'object', size_bytes: 'number', qps: 'number', replicas: 'list' },
};
