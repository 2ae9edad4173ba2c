import type { Registry } from 'prom-client';
import { metricsOn } from '../../platform/observability/metrics-on';
import type { ReleaseRef } from '../release-ref';

/** What the code of releases reports; no hook throws. */
export interface ReleaseMetrics {
  loaded(ref: ReleaseRef, atMs: number, fromCache: boolean): void;
  refused(): void;
  unavailable(): void;
  /** the newest release is the one in force, as the source says */
  checked(atMs: number): void;
}

/** Declares the metrics of releases. */
export function createReleaseMetrics(registry: Registry): ReleaseMetrics {
  const { counter, gauge } = metricsOn(registry);
  const reloads = counter('gate_release_reloads_total', 'Releases read, by result: ok, refused or unavailable', [
    'result',
  ]);
  const info = gauge('gate_release_info', 'The release in force; always 1', [
    'policy_sha',
    'config_rev',
    'manifest_version',
  ]);
  const loadedAt = gauge(
    'gate_release_loaded_timestamp_seconds',
    'When the release in force was loaded, in seconds since the epoch',
  );
  const isFromCache = gauge(
    'gate_release_from_cache',
    'Whether the release in force came from the copy on disk and its source has not confirmed it: 1 or 0',
  );
  const checkedAt = gauge(
    'gate_release_checked_timestamp_seconds',
    'When the source last said that the release in force is the newest, in seconds since the epoch',
  );
  return {
    loaded(ref, atMs, fromCache) {
      reloads.inc({ result: 'ok' });
      // One release is in force: the last one's line must go.
      info.reset();
      info.set({ policy_sha: ref.policySha, config_rev: ref.configRev, manifest_version: ref.manifestVersion }, 1);
      loadedAt.set(atMs / 1000);
      isFromCache.set(fromCache ? 1 : 0);
    },
    refused: () => reloads.inc({ result: 'refused' }),
    unavailable: () => reloads.inc({ result: 'unavailable' }),
    checked(atMs) {
      checkedAt.set(atMs / 1000);
      isFromCache.set(0);
    },
  };
}
