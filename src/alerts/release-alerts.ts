import { derivedId } from '../kernel/derived-id';
import { FailureType, type GateError } from '../kernel/failures';
import type { Release } from '../releases/release';
import type { Alert } from './alert';
import type { StandingAlerts } from './standing-alerts';

/** One alert at a time about the newest release: it fires when that is refused or out of reach, and is resolved after. */
export interface ReleaseAlerts {
  /**
   * @param kept what stays in force
   * @param digest of manifest and URL, the same on all workers; absent where the manifest could not be read
   */
  refused(error: GateError, kept: Release | undefined, digest?: string): void;
  /** The newest release is in force: to be called after each check that found it so. */
  healthy(release: Release): void;
}

/** What the alerts about releases need. */
export interface ReleaseAlertsOptions {
  standing: StandingAlerts;
  /** URL of the manifest: a label, because what receivers know by its labels must differ from another manifest's */
  manifest: string;
  nowMs(): number;
}

const REFUSED = 'ReleaseRefused';
const UNAVAILABLE = 'ReleaseUnavailable';
const NAMES = [REFUSED, UNAVAILABLE];

export function createReleaseAlerts({ standing, manifest, nowMs }: ReleaseAlertsOptions): ReleaseAlerts {
  let hasSettled = false;
  return {
    refused: (error, kept, digest) => {
      const alert = refusalAlert(error, kept, { manifest, startsAtMs: nowMs(), digest });
      standing.lower({ names: NAMES, except: new Set([alert.fingerprint]) }, 'Another reason took its place');
      standing.raise(alert);
    },
    healthy: ({ ref }) => {
      const summary = `Release ${ref.manifestVersion} is in force`;
      standing.lower({ names: NAMES }, summary);
      if (hasSettled) return;
      hasSettled = true;
      const atMs = nowMs();
      for (const name of NAMES)
        standing.settle({
          ...{ status: 'resolved', fingerprint: derivedId(name, manifest), name, manifest, summary, description: '' },
          ...{ startsAtMs: atMs, endsAtMs: atMs, reminder: 0 },
        });
    },
  };
}

function refusalAlert(
  error: GateError,
  kept: Release | undefined,
  { manifest, startsAtMs, digest }: { manifest: string; startsAtMs: number; digest?: string },
): Alert {
  const still = kept
    ? `version ${kept.ref.manifestVersion} stays in force`
    : 'no release is in force: nothing is decided';
  const isOutOfReach = error.type === FailureType.PolicyUnavailable;
  const name = isOutOfReach ? UNAVAILABLE : REFUSED;
  return {
    status: 'firing',
    // Whatever a worker says of it: another time, the same reason may be in other words.
    fingerprint: derivedId(name, manifest, isOutOfReach ? '' : (digest ?? error.message)),
    name,
    manifest,
    summary: isOutOfReach
      ? `The newest release cannot be read; ${still}, and no action begins under a lease`
      : `A new release was refused; ${still}`,
    description: error.faults.map((fault) => fault.message).join('\n'),
    startsAtMs,
    reminder: 0,
  };
}
