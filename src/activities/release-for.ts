import { randomUUID } from 'node:crypto';
import { messageOf } from '../kernel/message-of';
import type { FactTarget } from '../gate/facts/fact';
import type { SnapshotFailure } from '../gate/facts/snapshot';
import type { Services } from '../gate/services';
import { FailureType } from '../kernel/failures';
import type { Release } from '../releases/release';
import { isSameRelease, type ReleaseRef } from '../releases/release-ref';
import { toApplicationFailure } from './to-application-failure';

/** For what a release is asked for. */
export interface ReleaseRequest {
  target: FactTarget;
  /** the release that the action's worker found when a lease lapsed */
  release?: ReleaseRef;
}

/**
 * The release in force; when a lease lapsed over a newer one, at least as new as the one found there.
 *
 * @throws ApplicationFailure with a SnapshotFailure as its first detail
 */
export async function releaseFor(
  { releases }: Pick<Services, 'releases'>,
  { release, target }: ReleaseRequest,
): Promise<Release> {
  try {
    const current = releases.current();
    return release && !isSameRelease(current.ref, release) ? await releases.refresh() : current;
  } catch (error) {
    throw toApplicationFailure(error, withoutRelease(target, error));
  }
}

/** A decision that fails before there is a snapshot still has an id and a time, so that it can be recorded. */
function withoutRelease(target: FactTarget, error: unknown): SnapshotFailure {
  const message = messageOf(error);
  return nothingCollected(target, FailureType.PolicyUnavailable, message);
}

/** Why nothing was collected, under an id and a time of its own. */
export function nothingCollected(target: FactTarget, type: FailureType, message: string): SnapshotFailure {
  return { decisionId: randomUUID(), decisionTimeMs: Date.now(), target, facts: [], faults: [{ type, message }] };
}
