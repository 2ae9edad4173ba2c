import { FailureType, type GateError } from '../../kernel/failures';
import { canonicalJson } from '../../kernel/canonical-json';
import { sha256 } from '../../kernel/digest';
import { parseDuration } from '../../kernel/duration';
import { systemTimers } from '../../platform/timers/system-timers';
import type { EvaluatePolicy } from '../../rego/evaluation/evaluate-policy';
import type { Settings } from '../../settings/settings';
import type { ReleaseCheck } from '../load-parts';
import { sampleInputs } from '../diff/sample-inputs';
import type { Release, ReleaseHolder } from '../release';
import type { ReleaseRef } from '../release-ref';
import { createReleaseHolder } from '../release-holder';
import { startReleaseRefresh } from '../release-refresh';
import { smokeRelease } from '../smoke-release';
import type { ReleaseSource } from '../sources/release-source';
import type { ReleaseMetrics } from './release-metrics';

export interface ReleasesOptions {
  source: ReleaseSource;
  settings: Pick<Settings['release'], 'refreshInterval'>;
  evaluate: EvaluatePolicy;
  /** what a release lacks on this process; it is refused when there is any. Throws nothing */
  faultsOf: ReleaseCheck;
  /** tried after the smoke evaluation; rejects to refuse the release */
  tryOut(release: Release): Promise<void>;
  /** told when the newest release is not in force, and after each check that finds it so */
  alerts: {
    refused(error: GateError, kept: Release | undefined, digest?: string): void;
    healthy(release: Release): void;
  };
  /** told of each release that comes into force */
  onLoaded(release: ReleaseRef): void;
  metrics: ReleaseMetrics;
  logger: Record<'info' | 'warn' | 'error', (details: object, message: string) => void>;
}

export interface Releases {
  holder: ReleaseHolder;
  /** undefined until a release is loaded */
  inForce(): Release | undefined;
  /** checks for a new release now */
  reload(): Promise<void>;
  stop(): void;
}

/** Loads the newest release and keeps it in force; one that cannot be loaded is no error here but `holder`'s to report. */
export async function openReleases(options: ReleasesOptions): Promise<Releases> {
  const { source, settings, metrics, logger, alerts } = options;
  const holder = createReleaseHolder({
    timers: systemTimers,
    nowMs: () => Date.now(),
    where: source.where,
    read: () => source.read(),
    readKept: source.readKept,
    check: options.faultsOf,
    smoke: async (release) => {
      await smokeRelease(release, options.evaluate, sampleInputs);
      await options.tryOut(release);
    },
    onLoaded: (release, fromCache) => {
      metrics.loaded(release.ref, release.loadedAtMs, fromCache);
      options.onLoaded(release.ref);
      if (fromCache)
        logger.warn({ ...release.ref }, 'release loaded from the copy on disk: its source is out of reach');
      else logger.info({ ...release.ref }, 'release loaded');
    },
    onRefused: (error, kept, manifest) => {
      const isOutOfReach = error.type === FailureType.PolicyUnavailable;
      metrics[isOutOfReach ? 'unavailable' : 'refused']();
      const details = { faults: error.faults, kept: kept?.ref.manifestVersion };
      logger.error(details, isOutOfReach ? 'release cannot be read' : 'release refused');
      alerts.refused(error, kept, manifest && sha256(canonicalJson([source.where, { ...manifest }])));
    },
    onChecked: (release, recovered) => {
      metrics.checked(Date.now());
      if (recovered) logger.info({ ...release.ref }, 'the newest release is in force again');
      alerts.healthy(release);
    },
  });
  await holder.refresh().catch(() => undefined);
  const refresh = startReleaseRefresh({
    timers: systemTimers,
    refresh: () => holder.refresh(),
    intervalMs: parseDuration(settings.refreshInterval),
    random: Math.random,
    watch: source.watch,
  });
  return {
    holder,
    inForce: () => {
      const { ref } = holder.status();
      return ref && holder.find(ref);
    },
    reload: () => refresh.now(),
    stop: () => refresh.stop(),
  };
}
