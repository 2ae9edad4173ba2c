import { parseTime } from '../../kernel/time';
import type { SchemaFault } from '../../platform/documents/validate';
import type { Gate } from './gate';

/** What is wrong with a gate's status, all at once: its own shape, and then who decided. Whether the decision is for this generation is `approvalFaults`' to say. */
export function gateStatusFaults(gate: Gate): SchemaFault[] {
  const faults = gateFaults(gate);
  // By itself a stored gate may have been edited since it was decided: then nobody claims a decision anew.
  return faults.length === 0 ? [] : [...faults, ...actorFaults(gate)];
}

/**
 * Faults of a gate's status by itself: `resolution`, `decidedGeneration` and a final phase are there together or not at all,
 * and say the same. Whether the resolution was allowed is `approvalFaults`' to say.
 */
export function gateFaults({ status }: Gate): SchemaFault[] {
  if (status === undefined) return [];
  const { phase, resolution, decidedGeneration } = status;
  const faults: SchemaFault[] = [];
  const isFinal = phase === 'Approved' || phase === 'Rejected';
  const there = { resolution: resolution !== undefined, decidedGeneration: decidedGeneration !== undefined };
  if (isFinal || there.resolution || there.decidedGeneration) {
    for (const [key, isThere] of Object.entries(there)) {
      if (isThere) continue;
      const because = isFinal ? `the phase is ${phase}` : 'the gate is resolved';
      faults.push({ pointer: '/status', sentence: `expected status to have the key ${key}, since ${because}` });
    }
  }
  if (resolution === undefined) return faults;
  const wanted = resolution.outcome === 'approved' ? 'Approved' : 'Rejected';
  if (phase !== wanted) {
    faults.push({
      pointer: '/status/phase',
      sentence: `expected status.phase to be ${wanted}, as status.resolution.outcome has it, got ${phase ?? 'nothing'}`,
    });
  }
  if (parseTime(resolution.timestamp) === undefined) {
    faults.push({
      pointer: '/status/resolution/timestamp',
      sentence: 'expected an RFC 3339 time such as 2026-11-26T10:00:00Z',
    });
  }
  return faults;
}

/** An approval needs as many different actors as the gate requires, a rejection one, all of them among its reviewers where it names any. */
export function actorFaults({ spec, status }: Gate): SchemaFault[] {
  const resolution = status?.resolution;
  if (resolution === undefined) return [];
  const faults: SchemaFault[] = [];
  const actors = [...new Set(resolution.actors ?? [])];
  const required = resolution.outcome === 'approved' ? (spec.requiredApprovers ?? 1) : 1;
  if (actors.length < required) {
    faults.push({
      pointer: '/status/resolution/actors',
      sentence: `expected at least ${required} different actors for ${resolution.outcome}, got ${actors.length}`,
    });
  }
  const { reviewers = [] } = spec;
  const strangers = reviewers.length === 0 ? [] : actors.filter((actor) => !reviewers.includes(actor));
  if (strangers.length > 0) {
    faults.push({
      pointer: '/status/resolution/actors',
      sentence: `expected actors among the reviewers ${reviewers.join(', ')}, got ${strangers.join(', ')}`,
    });
  }
  return faults;
}
