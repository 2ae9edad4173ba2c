import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import type { ActionContext } from './actions/action';
import { createAlertDispatcher, type AlertDispatcher } from '../alerts/alert-dispatcher';
import { createReleaseAlerts } from '../alerts/release-alerts';
import { createAlertReceivers } from '../alerts/receivers/create-receivers';
import type { AuditLog } from '../audit/audit-log';
import { createAuditLog } from '../audit/copies/create-audit-log';
import type { AuditStore } from '../audit/audit-record';
import { createStdoutSink, type TextOutput } from '../audit/copies/stdout';
import { parseDuration } from '../kernel/duration';
import { systemClock, systemTimers } from '../platform/timers/system-timers';
import { readSecret } from '../platform/files/read-secret';
import type { LoadedSettings } from '../settings/load-settings';
import type { Decision } from './decisions/decision';
import { toPolicyInput } from './decisions/decide';
import { evaluateSnapshot } from './decisions/evaluate-snapshot';
import { reasonCodesOf } from '../kernel/reason-code';
import { collectSnapshot, SnapshotError } from './facts/collect-snapshot';
import { createFactCollector } from './facts/collector';
import type { FactTarget } from './facts/fact';
import { PROVIDER_KINDS } from './facts/providers';
import { registryFromConfig, type FactRegistry, type RegisteredProvider } from './facts/registry';
import type { Snapshot } from './facts/snapshot';
import type { ReleaseRef } from '../releases/release-ref';
import { FailureType, GateError } from '../kernel/failures';
import { createMasks } from './masking/create-masks';
import { maskRecord } from './masking/mask-record';
import { errorAreaOf } from './error-area';
import type { ProgramLogger } from '../platform/observability/program-logger';
import { createLogger, logFormatOf } from '../platform/observability/logger';
import { createMetrics, type Metrics } from './metrics';
import { missingPlan } from '../releases/check-plan';
import { checkRelease } from '../releases/check-release';
import { createEvaluator } from '../rego/evaluation/evaluator';
import { createReleaseHolder } from '../releases/release-holder';
import { startReleaseRefresh } from '../releases/release-refresh';
import type { Release, ReleaseHolder } from '../releases/release';
import { smokeRelease } from '../releases/smoke-release';
import { isGateRecord } from '../audit/place';
import { startRetention } from '../audit/stores/postgres/retention';
import { openAuditStore } from '../audit/stores/open-audit-store';
import { openDecisionLogUpload } from '../audit/copies/open-decision-log-upload';
import { openReleaseSource } from '../releases/sources/open-release-source';
import type { AuditDatabase } from '../audit/stores/postgres/open-audit-database';

/** What a program may hand to the gate. */
export interface ServiceOptions {
  /** facts of the caller's own, beside those that the release configures */
  providers?: readonly RegisteredProvider[];
  /** where secrets and the places of files are looked up; @default process.env */
  env?: Readonly<Record<string, string | undefined>>;
  /** @default JSON lines, or readable ones on a terminal, on standard error */
  logger?: ProgramLogger;
  /** where copies of the audit records go when `audit.stdout` is set; @default process.stdout */
  stdout?: TextOutput;
  /** the facts pass through Temporal's history: what masks is refused without keys to encrypt it; @default false */
  overTemporal?: boolean;
}

/** The gate's parts, put together from the settings: what activities, the library and the worker share. */
export interface Services {
  releases: ReleaseHolder;
  /** @throws SnapshotError with every fault */
  collect(release: Release, target: FactTarget, bypassCache?: boolean): Promise<Snapshot>;
  evaluate(release: Release, snapshot: Snapshot): Promise<Decision>;
  audit: AuditLog;
  /**
   * Whether something of a deployment's attributes may be masked, so that no message may show them: by the release in force,
   * or by the one under which its action was allowed.
   */
  hidesAttributes(context: Pick<ActionContext, 'attributes' | 'stage_attributes'>, allowedUnder?: ReleaseRef): boolean;
  /** the store of record; absent where the settings have none */
  store?: AuditStore;
  database?: AuditDatabase;
  alerts: AlertDispatcher;
  metrics: Metrics;
  registry: Registry;
  logger: ProgramLogger;
  uiUrl?: string;
  /** checks for a new release now */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens everything that the settings name. A release that cannot be loaded is no error here: `releases.current` throws
 * until one is.
 *
 * @throws GateError ConfigInvalid (a held store, a wrong URL, …) with nothing left open
 */
export async function createServices(loaded: LoadedSettings, options: ServiceOptions = {}): Promise<Services> {
  const { settings, baseDir } = loaded;
  const env = options.env ?? process.env;
  const logger: ProgramLogger =
    options.logger ??
    createLogger({ level: settings.logLevel, format: logFormatOf(env, process.stderr.isTTY === true) });
  const isUnencrypted = options.overTemporal === true && settings.temporal.encryptionKeys.length === 0;
  if (isUnencrypted && settings.audit.mask.length > 0) {
    throw unencrypted('audit.mask', 'the settings mask values (audit.mask)');
  }
  const registry = new Registry();
  const metrics = createMetrics(registry);
  const secret = (ref: Parameters<typeof readSecret>[0]): Promise<string> =>
    readSecret(ref, { env, configFolder: baseDir });

  const { store, database } = (await openAuditStore(loaded, env)) ?? {};
  const { retention } = settings.audit;
  const sweeps =
    database === undefined || retention === undefined
      ? undefined
      : startRetention(database, { retentionMs: parseDuration(retention), logger });
  const upload = await openDecisionLogUpload(loaded, env, { metrics: metrics.audit, logger }).catch(async (error) => {
    await sweeps?.stop();
    await store?.close();
    throw error;
  });
  const audit = createAuditLog({
    store,
    sinks: settings.audit.stdout ? [createStdoutSink(options.stdout)] : [],
    required: upload ? [upload] : [],
    metrics: metrics.audit,
    logger,
  });
  const alerts = createAlertDispatcher(
    createAlertReceivers(settings.alerts.receivers, { readSecret: secret, uiUrl: settings.alerts.uiUrl }),
    metrics.alerts,
  );
  const evaluator = createEvaluator({ threads: settings.evaluationThreads });
  const collector = createFactCollector({
    clock: systemClock,
    timers: systemTimers,
    metrics: {
      observeLatency: (provider, seconds) => metrics.facts.collected(provider, seconds),
      cacheHit: () => metrics.facts.cacheHit(),
      observeAge: (factId, seconds) => metrics.facts.age(factId, seconds),
      failure: (type) => metrics.facts.failed(type),
    },
  });

  const source = openReleaseSource(
    { settings, baseDir },
    {
      env,
      onNotKept: (error) =>
        logger.warn({ error }, 'the release could not be kept on disk: a start without its source would find none'),
    },
  );
  const releaseAlerts = createReleaseAlerts({
    send: (alert) => alerts.send(alert),
    nowMs: () => Date.now(),
    onUndelivered: (failure) => logger.warn({ error: failure }, 'alert not delivered'),
  });
  const registries = new WeakMap<object, Promise<FactRegistry>>();
  const registryOf = (
    policy: Release['policy'],
    config: Release['config'],
    configDocument: Release['configDocument'],
  ): Promise<FactRegistry> => {
    const known = registries.get(configDocument);
    if (known) return known;
    const created = registryFromConfig({
      facts: config.facts,
      inputSchema: policy.inputSchema,
      kinds: PROVIDER_KINDS,
      deps: { env, configFolder: source.configFolder, configDocument },
      extra: options.providers,
    });
    registries.set(configDocument, created);
    return created;
  };

  const masks = createMasks({
    settings: settings.audit.mask,
    takesMasks: !isUnencrypted,
    evaluate: (request) => evaluator.evaluate(request),
    onFailure: () => metrics.evaluation.failed(FailureType.PolicyEvaluation),
  });
  const collect: Services['collect'] = async (release, target, bypassCache) => {
    try {
      const snapshot = await collectSnapshot({
        release,
        target,
        collector,
        providersOf: ({ policy, config, configDocument }) => registryOf(policy, config, configDocument),
        newDecisionId: randomUUID,
        bypassCache,
      });
      const mask = masks.unknown(release);
      return mask.length === 0 ? snapshot : { ...snapshot, mask };
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      const { failure } = error;
      const input = toPolicyInput({ ...failure, release: release.ref, maxAgeMs: {} });
      const absent = failure.faults.flatMap(({ factId }) =>
        factId === undefined || Object.hasOwn(input, factId) ? [] : [factId],
      );
      const mask = await masks.of(release, { taken: failure, input, absent });
      throw mask.length === 0 ? error : new SnapshotError({ ...failure, mask });
    }
  };

  const evaluate = async (release: Release, snapshot: Snapshot): Promise<Decision> => {
    const evaluated = await evaluateSnapshot({
      release,
      snapshot,
      evaluate: (request) => evaluator.evaluate(request),
    });
    const { outcome, denyReasons } = evaluated;
    const result = outcome === 'error' ? undefined : { allow: outcome === 'allow', deny_reasons: denyReasons };
    const mask = await masks.of(release, { taken: snapshot, input: toPolicyInput(snapshot), result });
    const decision = mask.length === 0 ? evaluated : { ...evaluated, mask };
    if (decision.evalDurationNs > 0) metrics.evaluation.evaluated(decision.evalDurationNs / 1e9);
    for (const fault of decision.faults) metrics[errorAreaOf(fault.type)].failed(fault.type);
    return decision;
  };

  const releases = createReleaseHolder({
    timers: systemTimers,
    read: () => source.read(),
    where: source.where,
    check: async (policy, { config, configDocument }) => {
      const providers = await registryOf(policy, config, configDocument);
      const faults = [
        ...missingPlan(policy, settings.release.allowWasmOnly),
        ...checkRelease(policy, config, configDocument, [...providers.keys()]),
      ];
      if (!isUnencrypted || policy.maskEntrypoint === undefined) return faults;
      return [...faults, ...unencrypted('.manifest', 'the policy masks values (data.system.log.mask)').faults];
    },
    smoke: async (release) => {
      await smokeRelease(release, (request) => evaluator.evaluate(request));
      await masks.check(release);
    },
    nowMs: () => Date.now(),
    readKept: source.readKept,
    onLoaded: (release, fromCache) => {
      metrics.releases.loaded(release.ref, release.loadedAtMs, fromCache);
      if (fromCache)
        logger.warn({ ...release.ref }, 'release loaded from the copy on disk: its source is out of reach');
      else logger.info({ ...release.ref }, 'release loaded');
    },
    onRefused: (error, kept) => {
      const isOutOfReach = error.type === FailureType.PolicyUnavailable;
      metrics.releases[isOutOfReach ? 'unavailable' : 'refused']();
      const details = { faults: error.faults, kept: kept?.ref.manifestVersion };
      logger.error(details, isOutOfReach ? 'release cannot be read' : 'release refused');
      releaseAlerts.refused(error, kept);
    },
    onChecked: (release, recovered) => {
      metrics.releases.checked(Date.now());
      if (!recovered) return;
      logger.info({ ...release.ref }, 'the newest release is in force again');
      releaseAlerts.recovered(release);
    },
  });
  const inForce = (): Release | undefined => {
    const { ref } = releases.status();
    return ref && releases.find(ref);
  };
  await releases.refresh().catch(() => undefined);
  const refresh = startReleaseRefresh({
    timers: systemTimers,
    refresh: () => releases.refresh(),
    intervalMs: parseDuration(settings.release.refreshInterval),
    random: Math.random,
    watch: source.watch,
  });

  return {
    releases,
    collect,
    evaluate,
    hidesAttributes: ({ attributes, stage_attributes }, allowedUnder) => {
      const mayHide = (release: Release | undefined) => masks.mayHide(release, { attributes, stage_attributes });
      return mayHide(inForce()) || (allowedUnder !== undefined && mayHide(releases.find(allowedUnder)));
    },
    audit: {
      record: async (record) => {
        // Without a digest it is unknown under which release it was made, and what that release masks.
        const rules = record.policySHA === undefined ? masks.unknown(inForce()) : settings.audit.mask;
        const stored = await audit.record(maskRecord(record, rules));
        if (isGateRecord(stored) && stored.kind === 'decision' && stored.outcome) {
          metrics.decisions.decided(stored.outcome, stored.stage, reasonCodesOf(stored));
        }
        return stored;
      },
      close: (withinMs) => audit.close(withinMs),
    },
    ...(store ? { store } : {}),
    ...(database ? { database } : {}),
    alerts,
    metrics,
    registry,
    logger,
    ...(settings.alerts.uiUrl === undefined ? {} : { uiUrl: settings.alerts.uiUrl }),
    reload: () => refresh.now(),
    close: async () => {
      refresh.stop();
      await evaluator.close();
      await upload?.close();
      await sweeps?.stop();
      await audit.close();
    },
  };
}

function unencrypted(where: string, because: string): GateError {
  const message = `Expected temporal.encryptionKeys, because ${because}, which would be in Temporal's history in the clear`;
  return new GateError(FailureType.ConfigInvalid, message, [{ type: FailureType.ConfigInvalid, message, where }]);
}
