import type { SchemaFault } from '../../platform/documents/validate';
import { gateFaults } from '../kinds/gate-faults';
import type { Gate } from '../kinds/gate';

/**
 * Why a gate's resolution does not hold: an approval needs as many different actors as the gate requires, all of them among its
 * reviewers where it names any, and the decided generation is the gate's own. A rejection needs one such actor. The same rules
 * on every way in; a gate without a resolution has no faults.
 */
export function approvalFaults(gate: Gate): SchemaFault[] {
  const faults = gateFaults(gate);
  const { spec, status, metadata } = gate;
  const resolution = status?.resolution;
  if (status === undefined || resolution === undefined) return faults;
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
  const generation = metadata.generation ?? 1;
  if (status.decidedGeneration !== undefined && status.decidedGeneration !== generation) {
    faults.push({
      pointer: '/status/decidedGeneration',
      sentence: `expected the gate's generation ${generation}, got ${status.decidedGeneration}`,
    });
  }
  return faults;
}
