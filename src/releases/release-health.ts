import type { ReleaseStatus } from './release';

/** What both routes say of the release; times are RFC 3339 in UTC. */
export interface HealthRelease {
  policySHA?: string;
  configRev?: string;
  manifestVersion?: string;
  loadedSince?: string;
  lastCheck?: string;
  lastSuccessfulCheck?: string;
  /** why the newest release was refused or could not be read; the one in force stays, so it alone does not end readiness */
  lastError?: string;
  /** the worker started with the copy on disk, and the release's source has not confirmed it yet */
  fromCache?: true;
  /** when the manifest in force was published, as it says */
  publishedAt?: string;
  /** the key whose signature of the manifest was verified; absent where no verification key is set */
  signedBy?: { keyID: string; algorithm: string };
  /** the bundle has no plan: wasm decides alone (`release.allowWasmOnly`), and nothing notices what is missing meanwhile */
  wasmAlone?: true;
}

export interface Readiness extends HealthRelease {
  status: 'ready' | 'not ready';
  temporal: TemporalHealth;
}

export interface TemporalHealth {
  reachable: boolean;
  error?: string;
}

export function toHealthRelease(status: ReleaseStatus): HealthRelease {
  const { ref, fromCache, publishedAt, signedBy, wasmAlone } = status;
  return {
    policySHA: ref?.policySha,
    configRev: ref?.configRev,
    manifestVersion: ref?.manifestVersion,
    loadedSince: toTime(status.loadedAtMs),
    lastCheck: toTime(status.lastCheckAtMs),
    lastSuccessfulCheck: toTime(status.lastSuccessfulCheckAtMs),
    lastError: status.lastError,
    ...(fromCache ? { fromCache } : {}),
    ...(publishedAt === undefined ? {} : { publishedAt }),
    ...(signedBy ? { signedBy: { keyID: signedBy.keyId, algorithm: signedBy.algorithm } } : {}),
    ...(wasmAlone ? { wasmAlone } : {}),
  };
}

/** Ready means: a release is loaded and Temporal answers. */
export function toReadiness(release: ReleaseStatus, temporal: TemporalHealth): Readiness {
  return {
    status: release.ref !== undefined && temporal.reachable ? 'ready' : 'not ready',
    ...toHealthRelease(release),
    temporal,
  };
}

function toTime(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : new Date(atMs).toISOString();
}
