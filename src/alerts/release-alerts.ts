import { FailureType, type GateError } from '../kernel/failures';
import type { Release } from '../releases/release';
import type { Alert } from './alert';
import { createAlertQueue, type UnawaitedAlerts } from './alert-queue';

/** One alert at a time about the newest release: it fires when that is refused or out of reach, and is resolved after. */
export interface ReleaseAlerts {
  /**
   * @param kept what stays in force
   * @param digest of manifest and URL, the same on all workers; absent where the manifest could not be read
   */
  refused(error: GateError, kept: Release | undefined, digest?: string): void;
  recovered(release: Release): void;
}

export function createReleaseAlerts(unawaited: UnawaitedAlerts): ReleaseAlerts {
  let firing: Alert | undefined;
  const { nowMs } = unawaited;
  const queue = createAlertQueue(unawaited);
  const resolve = (summary: string): void => {
    if (firing === undefined) return;
    queue({ ...firing, status: 'resolved', summary, endsAtMs: nowMs() });
    firing = undefined;
  };
  return {
    refused: (error, kept, digest) => {
      resolve('Another reason took its place');
      firing = refusalAlert(error, kept, nowMs(), digest);
      queue(firing);
    },
    recovered: ({ ref }) => resolve(`Release ${ref.manifestVersion} is in force`),
  };
}

function refusalAlert(error: GateError, kept: Release | undefined, startsAtMs: number, digest?: string): Alert {
  const still = kept
    ? `version ${kept.ref.manifestVersion} stays in force`
    : 'no release is in force: nothing is decided';
  const isOutOfReach = error.type === FailureType.PolicyUnavailable;
  return {
    status: 'firing',
    fingerprint: `release-refused-${isOutOfReach || digest === undefined ? error.message : digest}`.slice(0, 200),
    name: isOutOfReach ? 'ReleaseUnavailable' : 'ReleaseRefused',
    summary: isOutOfReach
      ? `The newest release cannot be read; ${still}, and no action begins under a lease`
      : `A new release was refused; ${still}`,
    description: error.faults.map((fault) => fault.message).join('\n'),
    startsAtMs,
    reminder: 0,
  };
}
