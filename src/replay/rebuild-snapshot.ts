import type { GateRecord } from '../audit/audit-record';
import { parseDuration } from '../kernel/duration';
import type { Fact, FactTarget } from '../gate/facts/fact';
import type { Snapshot } from '../gate/facts/snapshot';
import { FailureType } from '../kernel/failures';
import { parseTime } from '../kernel/time';
import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/json';
import type { Release } from '../releases/release';

/** The release that past decisions are put to. */
export interface Candidate {
  release: Release;
  /** facts that the configuration itself holds: they come from the candidate, not from the record */
  configFacts: Record<string, JsonValue>;
}

/** The moment again under the candidate, or exactly why not. */
export type Rebuilt = { snapshot: Snapshot } | { cause: string };

/** Why a record that was damaged in its store is not replayed. */
export const DAMAGED = 'the record is damaged';

/** Faults of a decision that was never put to a policy for a reason which no snapshot holds. */
const BEYOND_SNAPSHOT: readonly string[] = [FailureType.PolicyUnavailable, FailureType.ReleaseChanged];

/**
 * The snapshot of a recorded decision as the candidate would have seen it: the facts that *it* reads, at their recorded
 * times, with *its* max ages, at the recorded decision time. A cause instead where the record does not hold enough.
 */
export function rebuildSnapshot(record: GateRecord, { release, configFacts }: Candidate): Rebuilt {
  if (record.damaged !== undefined) return { cause: DAMAGED };
  if (record.schemaVersion !== 1)
    return { cause: `the record's schemaVersion ${String(record.schemaVersion)} is unknown` };
  if ((record.masked?.length ?? 0) > 0) return { cause: 'the record holds masked values' };
  const beyond = record.errorDetails.find(({ type }) => BEYOND_SNAPSHOT.includes(type));
  if (beyond) return { cause: `the decision failed before any policy was asked (${beyond.type})` };
  const target = targetOf(record);
  if (!target) return { cause: 'the record does not hold the deployment as the policy saw it' };
  const decisionTimeMs = parseTime(record.timestamp);
  if (decisionTimeMs === undefined) return { cause: 'the timestamp of the record is no time' };
  const recorded = new Map(record.usedFacts.map((fact) => [fact.id, fact]));
  const facts: Fact[] = [];
  const maxAgeMs: Record<string, number> = {};
  for (const [id, allowedMs] of factsOf(release)) {
    if (Object.hasOwn(configFacts, id)) {
      const value = configFacts[id] as JsonValue;
      facts.push({ id, value, observedAtMs: decisionTimeMs, collectedAtMs: decisionTimeMs, source: 'config' });
      continue;
    }
    const fact = recorded.get(id);
    if (!fact) return { cause: lacking(record, id) };
    const { value, observedAt, collectedAt, source } = fact;
    const [observedAtMs, collectedAtMs] = [parseTime(observedAt), parseTime(collectedAt)];
    if (observedAtMs === undefined || collectedAtMs === undefined)
      return { cause: `the record holds no time of the fact ${id}` };
    facts.push({ id, value, observedAtMs, collectedAtMs, source });
    if (allowedMs !== undefined) maxAgeMs[id] = allowedMs;
  }
  return {
    snapshot: { decisionId: record.decisionID, decisionTimeMs, target, release: release.ref, facts, maxAgeMs },
  };
}

/** Facts that a release reads, in order, with the most that each may age. */
type FactAges = readonly (readonly [id: string, allowedMs: number | undefined])[];

const known = new WeakMap<Release, FactAges>();

/** Worked out once a release, not once a record. */
function factsOf(release: Release): FactAges {
  const found = known.get(release);
  if (found) return found;
  const ages = [...release.policy.reads.facts].sort().map((id) => {
    const provider = release.config.facts[id];
    return [id, provider && provider.type !== 'config' ? parseDuration(provider.maxAge) : undefined] as const;
  });
  known.set(release, ages);
  return ages;
}

function lacking(record: GateRecord, factId: string): string {
  const fault = record.errorDetails.find((one) => one.factId === factId);
  const why = fault ? `, which failed then (${fault.type})` : '';
  return `the record does not hold the fact ${factId}${why}`;
}

function targetOf({ deploymentID, stage, deployment }: GateRecord): FactTarget | undefined {
  if (!deployment) return undefined;
  const { stage_index: stageIndex, attributes, stage_attributes: stageAttributes } = deployment;
  if (typeof stageIndex !== 'number' || !isJsonObject(attributes) || !isJsonObject(stageAttributes)) return undefined;
  return { deploymentId: deploymentID, stage, stageIndex, attributes, stageAttributes: stageAttributes as JsonObject };
}
