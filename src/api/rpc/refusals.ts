import { BoundedMap } from '../../kernel/bounded-map';
import type { Clock } from '../../kernel/timers';

/** A call that was refused before it reached its service. */
export interface Refusal {
  /** `anonymous` where no valid token was given */
  actor: string;
  /** full name of the service, and of its method */
  service: string;
  method: string;
  reason: RefusalReason;
  /** one sentence, without secrets */
  message: string;
  /** the policy that the request names, as far as it does */
  policy?: { id: string } | { name: string };
  /** calls of the same kind that were refused since the last one that was told of */
  unsaid: number;
}

export type RefusalReason = 'unauthenticated' | 'role' | 'actor' | 'quota';

/** Kinds of refusals that are remembered at once. */
const KINDS = 1_000;
/** One of each kind is told of in this time: whoever floods the server must not flood the audit log. */
const EVERY_MS = 10_000;

/**
 * Tells of refused calls: of the first of a kind at once, and of one in ten seconds while they go on, with the number of those
 * between. A kind is an actor, a method and a reason.
 */
export function createRefusals(
  clock: Clock,
  tell: (refusal: Refusal) => void,
): (refusal: Omit<Refusal, 'unsaid'>) => void {
  const kinds = new BoundedMap<string, { toldAtMs: number; unsaid: number }>(KINDS);
  return (refusal) => {
    const nowMs = clock.now();
    const kind = JSON.stringify([refusal.actor, refusal.method, refusal.reason]);
    const before = kinds.get(kind);
    if (before !== undefined && nowMs - before.toldAtMs < EVERY_MS && nowMs >= before.toldAtMs) {
      before.unsaid++;
      return;
    }
    kinds.set(kind, { toldAtMs: nowMs, unsaid: 0 });
    tell({ ...refusal, unsaid: before?.unsaid ?? 0 });
  };
}
