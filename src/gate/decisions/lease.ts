import { hasSameContent } from '../../releases/release-ref';
import type { Fact } from '../facts/fact';
import type { Snapshot } from '../facts/snapshot';
import type { ReleaseRef } from '../../releases/release-ref';

/** How long an allow holds, and the fact that ends it; both absent when no fact limits it. */
export interface Lease {
  expiresAtMs?: number;
  limit?: { factId: string; maxAgeMs: number };
}

/**
 * The earliest `observedAtMs + maxAgeMs` of the facts that a decision used (gate rules, section 6). Of facts that end it
 * together, the one with the shortest max age is named, then the first by id.
 *
 * @param maxAgeMs by fact id; an always fresh fact has no entry and limits nothing
 */
export function leaseOf(facts: readonly Pick<Fact, 'id' | 'observedAtMs'>[], maxAgeMs: Snapshot['maxAgeMs']): Lease {
  let first: LeaseEnd | undefined;
  for (const { id, observedAtMs } of facts) {
    if (!Object.hasOwn(maxAgeMs, id)) continue;
    const end = { factId: id, maxAgeMs: maxAgeMs[id]!, expiresAtMs: observedAtMs + maxAgeMs[id]! };
    if (first === undefined || endsBefore(end, first)) first = end;
  }
  if (first === undefined) return {};
  return { expiresAtMs: first.expiresAtMs, limit: { factId: first.factId, maxAgeMs: first.maxAgeMs } };
}

type LeaseEnd = { factId: string; maxAgeMs: number; expiresAtMs: number };

function endsBefore(a: LeaseEnd, b: LeaseEnd): boolean {
  if (a.expiresAtMs !== b.expiresAtMs) return a.expiresAtMs < b.expiresAtMs;
  return a.maxAgeMs === b.maxAgeMs ? a.factId < b.factId : a.maxAgeMs < b.maxAgeMs;
}

/**
 * Why a claimed allow no longer holds, or undefined while it does. Exactly at its expiry it still holds. Another release
 * is one whose digests differ: a manifest that names the same content under a new version changes no decision. Where the
 * release differs and the time is over too, the release is the cause.
 *
 * @param nowMs epoch milliseconds, the clock of the action's worker
 * @param currentRelease what that worker finds in the manifest now
 */
export function leaseLapse(check: {
  claim: LeaseClaim;
  nowMs: number;
  currentRelease: ReleaseRef;
}): LapsedLease | undefined {
  const { claim, nowMs, currentRelease } = check;
  const lapsed = (cause: LapsedLease['cause']): LapsedLease => ({
    cause,
    release: currentRelease,
    delayMs: nowMs - claim.decisionTimeMs,
  });
  if (claim.release !== undefined && !hasSameContent(claim.release, currentRelease)) return lapsed('release');
  // written so that a time which is not a number counts as over
  if (claim.expiresAtMs !== undefined && !(nowMs <= claim.expiresAtMs)) return lapsed('age');
  return undefined;
}

/** First detail of a LeaseLapsed failure. */
export interface LapsedLease {
  cause: 'age' | 'release';
  /** the release that the action's worker found */
  release: ReleaseRef;
  /** from the decision to this check */
  delayMs: number;
}

/** What an action's worker checks before it sends a request: the allow that it acts on, and how long that holds. */
export interface LeaseClaim {
  decisionId: string;
  decisionTimeMs: number;
  /** absent: no fact limits it */
  expiresAtMs?: number;
  /** the allow holds only while the manifest names this release; absent for an override or in observe mode */
  release?: ReleaseRef;
  limit?: { factId: string; maxAgeMs: number };
}
