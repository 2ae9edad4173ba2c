import { parseTime } from '../../kernel/time';
import type { SchemaFault } from '../../platform/documents/validate';
import type { Gate } from './gate';

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
