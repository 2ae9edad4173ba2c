import { hostname } from 'node:os';
import { Registry } from 'prom-client';
import type { AlertDispatcher } from '../alerts/alert-dispatcher';
import { openAlerts } from '../alerts/service/open-alerts';
import type { WedgedAlerts } from '../alerts/wedged-alerts';
import type { TextOutput } from '../audit/copies/stdout';
import { openAudit, type Audit } from '../audit/service/open-audit';
import { FailureType } from '../kernel/failures';
import { createLogger, logFormatOf } from '../platform/observability/logger';
import type { ProgramLogger } from '../platform/observability/program-logger';
import { standardError } from '../platform/observability/terminal';
import type { ReleaseHolder } from '../releases/release';
import { openReleases } from '../releases/service/open-releases';
import { openReleaseSource } from '../releases/sources/open-release-source';
import type { LoadedSettings } from '../settings/load-settings';
import { withSettingsPlace } from '../settings/settings-place';
import { openPayloadCodec } from '../settings/open-data-converter';
import type { Actions } from './actions/registry';
import { openActions } from './actions/service/open-actions';
import type { AlertRules } from '../alerts/alert-rules';
import { openDecisions } from './decisions/service/open-decisions';
import { createEncryptionGuard } from './encryption-guard';
import { openFacts } from './facts/service/open-facts';
import { createImageReplication } from '../images/gating/replicate-images';
import { ACTIONS } from '../images/gating/all-actions';
import { imageFact } from '../images/gating/image-fact';
import { conditionTypesOf } from '../images/service/open-condition-types';
import { openImages, type Images } from '../images/service/open-images';
import { secretDeps } from '../settings/secret-deps';
import { parseDuration } from '../kernel/duration';
import { createShardChanges } from '../shards/gating/change-shards';
import { openShardManager } from '../shards/service/open-manager';
import { createBigFacts, type BigFacts } from './big-facts';
import type { GatePorts } from './gate-ports';
import { createMaskedGate, type MaskedGate } from './masked-gate';
import { createMasks } from './masking/create-masks';
import { releaseFaults } from './release-faults';
import { createMetrics, type Metrics } from './metrics';
import { createNotices } from './notices';

/** What a program may hand to the gate. */
export interface ServiceOptions extends GatePorts {
  /** where secrets and the places of files are looked up; @default process.env */
  env?: Readonly<Record<string, string | undefined>>;
  /** @default JSON lines, or readable ones on a terminal, on standard error */
  logger?: ProgramLogger;
  /** where copies of the audit records go when `audit.stdout` is set; @default process.stdout */
  stdout?: TextOutput;
  /** the facts pass through Temporal's history: what masks is refused without keys to encrypt it; @default false */
  overTemporal?: boolean;
}

/** What the worker hands over beside what a program may. */
export interface InnerOptions extends ServiceOptions {
  /** what facts and actions of images ask; who opened it closes it; @default opened from the settings */
  images?: Images;
}

/** The gate's parts, put together from the settings: what activities, the library and the worker share. */
export interface Services extends MaskedGate, Pick<Audit, 'store' | 'database'> {
  releases: ReleaseHolder;
  alerts: AlertDispatcher;
  wedgedAlerts: WedgedAlerts;
  /** what of deployments people are told; absent while new patches are held */
  alertRules?: AlertRules;
  /** whether runs pass no new patches of the workflow code; @default they do */
  holdsPatches?: boolean;
  actions: Actions;
  metrics: Metrics;
  registry: Registry;
  logger: ProgramLogger;
  /** absent where the store of record has no place for facts that are too big to pass through Temporal */
  bigFacts?: BigFacts;
  uiUrl?: string;
  /** a deployment continues as new beyond this many events */
  historyLimit?: number;
  /** checks for a new release now */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens everything that the settings name. A release that cannot be loaded is no error here: `releases.current` throws
 * until one is.
 *
 * @param beforeStore called once nothing is left that may refuse the settings, before a store, a file or a thread is opened;
 *   what it throws ends the start
 * @throws GateError ConfigInvalid (a held store, a wrong URL, …) with nothing left open
 */
export async function createServices(
  loaded: LoadedSettings,
  options: InnerOptions = {},
  beforeStore?: (logger: ProgramLogger) => Promise<void>,
): Promise<Services> {
  return withSettingsPlace(loaded, () => openServices(loaded, options, beforeStore));
}

async function openServices(
  loaded: LoadedSettings,
  options: InnerOptions,
  beforeStore?: (logger: ProgramLogger) => Promise<void>,
): Promise<Services> {
  const { settings } = loaded;
  const env = options.env ?? process.env;
  const logger: ProgramLogger =
    options.logger ??
    createLogger({ level: settings.logLevel, format: logFormatOf(env, standardError().isTTY === true) });
  const guard = createEncryptionGuard(settings, options.overTemporal === true);
  const registry = new Registry();
  const metrics = createMetrics(registry);
  const { failed } = metrics.errors;

  const conditionTypes =
    options.images === undefined ? await conditionTypesOf(loaded, options.conditionTypes) : undefined;
  const images = options.images ?? openImages(loaded, { env, conditionTypes, metrics: () => metrics.images });
  const replicateImage = createImageReplication({
    images,
    record: (record) => audit.log.record(record),
    find: async (id) => audit.store?.get(id),
    nowMs: Date.now,
  });
  const notices = createNotices({
    dispatcher: () => alerts.dispatcher,
    labels: settings.alerts.labels,
    nowMs: Date.now,
  });
  const changeShard = createShardChanges({
    manager: openShardManager(settings, secretDeps(loaded, env)),
    pollMs: parseDuration(settings.shards.execution.pollEvery),
  });
  const actions = await openActions(loaded, {
    ...{ env, own: options.actions, registry: ACTIONS },
    ...{ notices, replicateImage, changeShard },
  });
  const alerts = openAlerts(loaded, { env, metrics: metrics.alerts, logger, own: options.alertReceivers });
  const source =
    options.releaseSource ??
    openReleaseSource(loaded, {
      env,
      onNotKept: (error) =>
        logger.warn({ error }, 'the release could not be kept on disk: a start without its source would find none'),
    });
  const factMetrics = { ...metrics.facts, failure: failed };
  const facts = openFacts({
    env,
    configFolder: () => source.configFolder,
    settingsFolder: loaded.baseDir,
    allow: settings.release.allow,
    kinds: [imageFact(images.registries)],
    providers: options.providers,
    metrics: factMetrics,
  });
  const masks = createMasks({
    settings: settings.audit.mask,
    takesMasks: guard.takesMasks,
    evaluate: (request) => decisions.evaluatePolicy(request),
    onFailure: () => failed(FailureType.PolicyEvaluation),
  });
  const codec = options.overTemporal === true ? await openPayloadCodec(loaded, env) : undefined;
  await beforeStore?.(logger);
  // Whatever may refuse the settings is above; the audit log leaves nothing open when it fails, and threads come after it.
  const audit = await openAudit(loaded, {
    env,
    metrics: metrics.audit,
    logger,
    stdout: options.stdout,
    own: options.auditStore,
  });
  const decisions = openDecisions({
    threads: settings.evaluationThreads,
    own: options.evaluator,
    instance: `${process.pid}@${hostname()}`,
    metrics: metrics.decisions,
    onFault: failed,
    onDisagreement: (release, place) => {
      logger.error({ ...release, ...place }, 'the two evaluators do not agree on an allow');
      alerts.evaluators.disagreed(release, place);
    },
  });
  const releases = await openReleases({
    source,
    settings: settings.release,
    evaluate: decisions.evaluatePolicy,
    faultsOf: (policy, config) =>
      releaseFaults(policy, config, {
        facts,
        allowWasmOnly: settings.release.allowWasmOnly,
        faultsOf: guard.faultsOf,
      }),
    tryOut: masks.check,
    alerts: alerts.releases,
    onLoaded: alerts.evaluators.loaded,
    metrics: metrics.releases,
    logger,
  });
  const { holder } = releases;
  const gate = createMaskedGate({
    facts,
    decisions,
    audit: audit.log,
    masks,
    settingsMask: settings.audit.mask,
    releases: { inForce: releases.inForce, find: (ref) => holder.find(ref) },
    onRecorded: (record) => {
      metrics.decisions.recorded(record);
      metrics.ends.recorded(record);
      metrics.pauses.recorded(record);
    },
  });

  const { store, database } = audit;
  const { uiUrl } = settings.alerts;
  return {
    ...gate,
    ...(store ? { store } : {}),
    ...(database ? { database } : {}),
    ...(store?.parts ? { bigFacts: createBigFacts(store.parts, codec) } : {}),
    releases: holder,
    alerts: alerts.dispatcher,
    wedgedAlerts: alerts.wedged,
    // Workers of the release before cannot replay what passes a patch or alerts by incident.
    ...(settings.temporal.newPatches === 'hold'
      ? { holdsPatches: true }
      : { alertRules: { on: settings.alerts.on, labels: settings.alerts.labels } }),
    actions,
    metrics,
    registry,
    logger,
    ...(uiUrl === undefined ? {} : { uiUrl }),
    ...(settings.temporal.historyLimit === undefined ? {} : { historyLimit: settings.temporal.historyLimit }),
    reload: releases.reload,
    close: async () => {
      releases.stop();
      alerts.stop();
      await decisions.close();
      await audit.close();
      if (options.images === undefined) await images.close();
    },
  };
}
