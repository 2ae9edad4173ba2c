import type { SchemaFault } from '../../platform/documents/validate';
import { actorFaults, gateFaults } from '../kinds/gate-faults';
import type { Gate } from '../kinds/gate';

/**
 * Why a gate's resolution does not hold: an approval needs as many different actors as the gate requires, all of them among its
 * reviewers where it names any, and the decided generation is the gate's own. A rejection needs one such actor. The same rules
 * on every way in; a gate without a resolution has no faults.
 */
export function approvalFaults(gate: Gate): SchemaFault[] {
  const faults = [...gateFaults(gate), ...actorFaults(gate)];
  const { status, metadata } = gate;
  if (status?.resolution === undefined) return faults;
  const generation = metadata.generation ?? 1;
  if (status.decidedGeneration !== undefined && status.decidedGeneration !== generation) {
    faults.push({
      pointer: '/status/decidedGeneration',
      sentence: `expected the gate's generation ${generation}, got ${status.decidedGeneration}`,
    });
  }
  return faults;
}
