import type { ReleaseStatus } from '../policy/release';

export interface HealthRelease {
  policySHA?: string;
  configRev?: string;
  manifestVersion?: string;
}

export interface Readiness extends HealthRelease {
  status: 'ready' | 'not ready';
  /** times are RFC 3339 in UTC */
  loadedSince?: string;
  lastCheck?: string;
  lastSuccessfulCheck?: string;
  /** why the newest release was refused; the one in force stays, so it alone does not end readiness */
  lastError?: string;
  temporal: TemporalHealth;
}

export interface TemporalHealth {
  reachable: boolean;
  error?: string;
}

export function toHealthRelease({ ref }: ReleaseStatus): HealthRelease {
  return { policySHA: ref?.policySha, configRev: ref?.configRev, manifestVersion: ref?.manifestVersion };
}

/** Ready means: a release is loaded and Temporal answers. */
export function toReadiness(release: ReleaseStatus, temporal: TemporalHealth): Readiness {
  return {
    status: release.ref !== undefined && temporal.reachable ? 'ready' : 'not ready',
    ...toHealthRelease(release),
    loadedSince: toTime(release.loadedAtMs),
    lastCheck: toTime(release.lastCheckAtMs),
    lastSuccessfulCheck: toTime(release.lastSuccessfulCheckAtMs),
    lastError: release.lastError,
    temporal,
  };
}

function toTime(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : new Date(atMs).toISOString();
}
