import type { JsonObject } from '../../src/kernel/json';
import type { DomainDecision, DomainQuestion, DomainState } from '../../src/rules/domain';
import { shardDomain } from '../../src/shards/domain';

export const NOW_MS = Date.parse('2026-11-27T12:00:00Z');

/** A state as the domain reads it. */
export function stateOf(document: object, operation?: string, subject?: string): DomainState {
  return shardDomain.readState(
    document as JsonObject,
    { file: 'state.json' },
    { nowMs: NOW_MS, ...(operation === undefined ? {} : { operation }), ...(subject === undefined ? {} : { subject }) },
  );
}

/** What one action comes to for one shard, or for all where none is named. */
export function decide(
  state: DomainState,
  name: string,
  settings: object,
  { shard, ...others }: { shard?: string } & Partial<DomainQuestion> = {},
): DomainDecision {
  const none = { labels: {}, metrics: {} };
  const subject = shard === undefined ? none : state.subjects.find(({ id }) => id === shard)!;
  return shardDomain.decide({
    subject,
    state,
    actions: [{ policies: ['one'], action: { name, settings: settings as JsonObject } }],
    ...others,
  });
}

/** Steps as short texts: `add s1 n1`, `move s1 n1 n2`, `remove s1 n1`. */
export function shortSteps({ steps }: Pick<DomainDecision, 'steps'>): string[] {
  return steps.map(({ kind, settings: { shard, from, to } }) => [kind, shard, from, to].filter(Boolean).join(' '));
}
