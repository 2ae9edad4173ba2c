import type { DomainStep } from '../../rules/domain';
import type { ShardStep } from './step';

/** A step as whoever carries it out is given it. */
export function toDomainStep({ kind, shard, from, to, role, sentence }: ShardStep, action: number): DomainStep {
  const settings = {
    shard,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(role === undefined ? {} : { role }),
  };
  return { kind, action, subject: shard, settings, sentence };
}

/** The other way round. */
export function ofDomainStep({ kind, settings, sentence }: DomainStep): ShardStep {
  return { ...(settings as unknown as ShardStep), kind: kind as ShardStep['kind'], sentence };
}
