import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Client } from '@temporalio/client';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from './activities/create-gate-activities';
import type { AuditRecord } from './audit/audit-record';
import { createImageActivities } from './activities/create-image-activities';
import { createRuleActivities, type ExecutionParts } from './activities/create-rule-activities';
import { lookAtFact } from './activities/look-at-fact';
import { createPlanActivities } from './activities/create-plan-activities';
import { createSweepActivities } from './activities/create-sweep-activities';
import { RECHECK_ACTIVITY } from './activities/recheck';
import { HEARTBEATS } from './platform/temporal/heartbeats';
import { toHealthRelease } from './releases/release-health';
import { requireHttpAccess, startHttpServer, type HttpServer } from './api/http-server';
import { auditRoutes } from './api/audit-routes';
import { decisionRoutes, type DecisionQuestion } from './api/decision-routes';
import { parseDuration } from './kernel/duration';
import { repeat } from './kernel/repeat';
import { imageSchedulePrefixOf, SWEEP_WORKFLOW_ID } from './kernel/names';
import { readSecret } from './platform/files/read-secret';
import { secretDeps } from './settings/secret-deps';
import { createHttpFetch } from './platform/http/http-client';
import type { LoadedSettings } from './settings/load-settings';
import { withSettingsPlace } from './settings/settings-place';
import { temporalConnectionConfig } from './settings/temporal-connection';
import { pollFleetQueues } from './releases/fleet/polling/poll-fleet-queues';
import type { FleetStatus } from './releases/fleet/worker-answer';
import { encrypts, gateDataConverter } from './settings/open-data-converter';
import { WEDGED_ADVICE, wedgedText } from './platform/temporal/wedged/find-wedged';
import { keepSweep } from './platform/temporal/keeping/keep-sweep';
import { countPaused } from './platform/temporal/paused-activities';
import { reachTemporal } from './platform/temporal/connection/reach-temporal';
import { watchWedged } from './platform/temporal/wedged/watch-wedged';
import { systemTimers } from './platform/timers/system-timers';
import { createWorkerVersioning, type WorkerVersioning } from './platform/temporal/versioning/worker-versioning';
import { builtWorkflows } from './built-workflows';
import { FailureType, GateError } from './kernel/failures';
import { createTemporalLogger } from './platform/observability/temporal-logger';
import type { GateRecord } from './audit/audit-record';
import { decideTarget } from './gate/decide-target';
import { plansWithin } from './plans/store/postgres/open-plan-database';
import type { PlanStore } from './plans/store/plan-store';
import { createPostgresPlanStore } from './plans/store/postgres/store';
import { createAuditJournal } from './rules/execution/audit-journal';
import { reconcileWanted } from './rules/schedules/reconcile-schedules';
import { keepSchedules } from './rules/service/keep-schedules';
import { openedLate } from './rules/service/stored-executions';
import { createTemporalSchedules } from './rules/service/temporal-schedules';
import { rulesWithin } from './rules/store/postgres/open-rule-database';
import { createPostgresPolicyStore } from './rules/store/postgres/store';
import { shardDomain } from './shards/domain';
import { wantedSyncs } from './images/schedules/wanted-syncs';
import { conditionTypesOf } from './images/service/open-condition-types';
import { openImages } from './images/service/open-images';
import { openShards } from './shards/service/open-shards';
import { createServices, type ServiceOptions, type Services } from './gate/services';
import type { SettingsSecret } from './platform/documents/schema-types';

const COUNT_PAUSED_EVERY_MS = 60_000;
/** A batch is short beside its heartbeat, so that the status of a sync is recent; its images are few enough for a history. */
const IMAGE_SYNC_DEFAULTS = { batchImages: 500, batchMs: 15_000, heartbeatTimeoutMs: 10_000 } as const;

export interface WorkerStartOptions extends ServiceOptions {
  /** makes the worker's build the current one of `temporal.deployment` after its first poll; @default false */
  makeCurrent?: boolean;
  /** opens what runs beside the worker over the same services, such as the server of rule policies; gives what closes it */
  beside?(services: Services): Promise<() => Promise<void>>;
}

export interface RunningWorker {
  /** where health, metrics and the audit routes are */
  httpUrl: string;
  /** checks for a new release now */
  reload(): Promise<void>;
  /** resolves when the worker has stopped, rejects when it failed */
  stopped: Promise<void>;
  stop(): Promise<void>;
}

/**
 * The composition root of a worker: settings, Temporal, services, HTTP server, Temporal worker. It takes tasks once a release
 * is loaded; until then it serves health, which says why. Before Temporal is reached it opens no store and makes no file.
 *
 * @throws GateError ConfigInvalid, or an error of the connection; nothing is left open then
 */
export async function startWorker(loaded: LoadedSettings, options: WorkerStartOptions = {}): Promise<RunningWorker> {
  return withSettingsPlace(loaded, () => openWorker(loaded, options));
}

async function openWorker(loaded: LoadedSettings, options: WorkerStartOptions): Promise<RunningWorker> {
  const env = options.env ?? process.env;
  const { settings } = loaded;
  const { taskQueue, deployment } = settings.temporal;
  if (options.makeCurrent === true && deployment === undefined) throw withoutDeployment();
  const { bearerToken, decisionToken, host, port, openProbes } = settings.http;
  const readToken = async (ref: SettingsSecret | undefined, where: string): Promise<string> =>
    ref === undefined ? '' : readSecret(ref, { ...secretDeps(loaded, env), where });
  const httpToken = await readToken(bearerToken, 'http.bearerToken');
  const forDecisions = await readToken(decisionToken, 'http.decisionToken');
  requireHttpAccess({ host, bearerToken: httpToken });
  const opened: (() => Promise<unknown>)[] = [];
  const closeAll = async (): Promise<void> => {
    let failure: { error: unknown } | undefined;
    for (const close of opened.splice(0).reverse()) {
      await close().catch((error: unknown) => (failure ??= { error }));
    }
    if (failure) throw failure.error;
  };
  try {
    const shards = openShards(loaded, { env, labels: settings.alerts.labels });
    opened.push(() => shards.close());
    const images = openImages(loaded, {
      env,
      conditionTypes: await conditionTypesOf(loaded, options.conditionTypes),
      onRefused: (error) =>
        services.logger.error({ error }, 'the image policies were refused: the earlier ones stay in force'),
      metrics: () => services.metrics.images,
    });
    opened.push(() => images.close());

    const { connectionOptions, namespace, address } = temporalConnectionConfig(settings, env);
    const dataConverter = await gateDataConverter(loaded, env);
    let reached: NativeConnection | undefined;
    const services = await createServices(loaded, { ...options, overTemporal: true, images }, async (logger) => {
      installRuntime(logger, encrypts(dataConverter));
      reached = await reachTemporal(address, env, () => NativeConnection.connect(connectionOptions));
      opened.push(() => reached!.close());
    });
    const connection = reached!;
    opened.push(() => services.close());

    const identity = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
    const { bundle, buildId } = await builtWorkflows(encrypts(dataConverter));
    const versioning = createWorkerVersioning({
      connection,
      namespace,
      taskQueue,
      identity,
      build: { buildId: deployment?.buildId ?? buildId, deployment: deployment?.name },
      makeCurrent: options.makeCurrent === true,
      holdPatches: settings.temporal.newPatches === 'hold',
      logger: services.logger,
    });
    opened.push(() => versioning.stop());

    const ownerToken = services.database?.owner?.token ?? '';
    const tokens = [httpToken, ownerToken].filter((token) => token !== '');
    const { store } = services;
    const http: HttpServer = await startHttpServer({
      host,
      port,
      bearerToken: httpToken,
      moreTokens: [ownerToken],
      openProbes,
      releaseStatus: () => services.releases.status(),
      workerStatus: () => versioning.status(),
      checkTemporal: () => connection.workflowService.getSystemInfo({}),
      registry: services.registry,
      onUnexpected: (error) => services.logger.error({ error }, 'a request failed unexpectedly'),
      register: async (server) => {
        if (store !== undefined) {
          const writer = { record: (record: AuditRecord) => services.audit.record(record), tokens: [ownerToken] };
          await server.register(auditRoutes, { reader: store, tokens, writer });
        }
        if (forDecisions === '') return;
        await server.register(decisionRoutes, {
          token: forDecisions,
          decide: (question) => answer(services, question),
        });
      },
    });
    opened.push(() => http.close());
    await services.database?.owner?.publishAddress(http.url);

    if (options.beside !== undefined) opened.push(await options.beside(services));

    const { releases } = services;
    const status = async (): Promise<FleetStatus> => ({
      ...toHealthRelease(releases.status()),
      ...versioning.status(),
    });
    const fleet = await pollFleetQueues({
      connection,
      namespace,
      taskQueue,
      identity,
      dataConverter,
      activities: {
        releaseStatus: status,
        // A refused release is what the status says; it is not an error of asking.
        reloadRelease: () => releases.refresh().then(status, status),
      },
    });
    opened.push(() => {
      fleet.stop();
      return fleet.stopped;
    });

    const client = new Client({ connection, namespace });
    const watch = watchWedged({
      client,
      namespace,
      taskQueue,
      timers: systemTimers,
      onLook: (wedged) => {
        services.metrics.wedged.found(wedged.length);
        services.wedgedAlerts.found(wedged.map((one) => ({ ...one, text: `${wedgedText(one)}. ${WEDGED_ADVICE}` })));
      },
      onFailure: (error) => services.logger.warn({ error }, 'could not look for workflows whose task fails'),
    });
    opened.push(() => watch.stop());
    const counting = repeat({
      timers: systemTimers,
      everyMs: COUNT_PAUSED_EVERY_MS,
      act: async () => {
        const search = { taskQueue, activityType: RECHECK_ACTIVITY };
        services.metrics.decisions.rechecksPaused(await countPaused(client, search));
      },
      onFailure: (error) => services.logger.warn({ error }, 'could not count the rechecks that are paused in Temporal'),
    });
    opened.push(() => counting.stop());

    const sweep = keepSweep(client, {
      namespace,
      taskQueue,
      onFound: ({ state }) => services.metrics.sweep.found(state === 'attended'),
      onFailure: (error) => services.logger.warn({ error }, `could not start the workflow ${SWEEP_WORKFLOW_ID}`),
    });
    opened.push(() => sweep.stop());

    const book = createTemporalSchedules({
      client: new Client({ connection, namespace, dataConverter }),
      taskQueue,
      workflowTaskTimeoutMs: parseDuration(settings.temporal.workflowTaskTimeout),
      prefix: imageSchedulePrefixOf(taskQueue),
    });
    const syncSchedules = keepSchedules({
      reconcile: (pass) =>
        reconcileWanted(
          async () => new Map(wantedSyncs(await images.policies(), book.prefix).map((one) => [one.id, one])),
          book,
          pass,
        ),
      timers: systemTimers,
      logger: services.logger,
      whose: 'image policies',
    });
    opened.push(() => syncSchedules.stop());

    const abort = new AbortController();
    // Who can no longer be asked is no worker that people could rely on.
    fleet.stopped.catch(() => abort.abort());
    const stopped = pollWhenReady(services, abort.signal, versioning, () =>
      Worker.create({
        connection,
        namespace,
        identity,
        taskQueue,
        workflowBundle: bundle,
        ...versioning.workerOptions,
        dataConverter,
        activities: {
          ...createActivities(services),
          ...createSweepActivities(services),
          ...createRuleActivities({
            ...shards,
            ...executionPlaces(services, settings.rules.policies !== undefined),
            metrics: services.metrics.executions,
            alerts: services.alerts,
            nowMs: Date.now,
          }),
          ...createImageActivities({
            images,
            audit: {
              record: (record) => services.audit.record(record),
              ...(store === undefined ? {} : { find: (id) => store.get(id) }),
            },
            alerts: services.alerts,
            labels: settings.alerts.labels,
            defaults: {
              ...IMAGE_SYNC_DEFAULTS,
              ...(services.historyLimit === undefined ? {} : { historyLimit: services.historyLimit }),
            },
            logger: services.logger,
            nowMs: Date.now,
          }),
          ...createPlanActivities(
            () => openPlanStore(services),
            createHttpFetch({ env, tls: settings.actions.tls, folder: loaded.baseDir }),
            (target, id) => lookAtFact(services, target, id),
          ),
        },
        ...HEARTBEATS,
        maxConcurrentActivityTaskExecutions: settings.temporal.maxConcurrentActivities,
        maxCachedWorkflows: settings.temporal.maxCachedWorkflows,
        shutdownGraceTime: parseDuration(settings.temporal.shutdownGraceTime),
      }),
    ).finally(closeAll);
    stopped.catch(() => undefined);
    return {
      httpUrl: http.url,
      reload: () => services.reload(),
      stopped,
      stop: async () => {
        abort.abort();
        await stopped;
      },
    };
  } catch (error) {
    await closeAll().catch(() => undefined);
    throw error;
  }
}

async function answer(services: Services, { decisionId, ...question }: DecisionQuestion): Promise<GateRecord> {
  const { record } = await decideTarget(services, { ...question, stageIndex: 0 }, decisionId);
  return record;
}

function withoutDeployment(): GateError {
  const message = 'Expected temporal.deployment, because an unversioned worker has no build that could be made current';
  const fault = { type: FailureType.ConfigInvalid, message, where: 'temporal.deployment' };
  return new GateError(FailureType.ConfigInvalid, message, [fault]);
}

async function pollWhenReady(
  services: {
    releases: { status(): { ref?: unknown; lastError?: string } };
    logger: { warn(details: object, message: string): void };
  },
  signal: AbortSignal,
  versioning: WorkerVersioning,
  create: () => Promise<Worker>,
): Promise<void> {
  let said: string | undefined;
  while (services.releases.status().ref === undefined) {
    if (signal.aborted) return;
    const { lastError } = services.releases.status();
    if (lastError !== said) services.logger.warn({ lastError }, 'no release is loaded: tasks are not taken yet');
    said = lastError;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const worker = await create();
  const stop = (): void => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const running = worker.run();
  versioning.start();
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  await running;
}

let installed: { withoutTexts: boolean } | undefined;

/** Temporal's runtime is one per process; a second worker in the same process uses the first one's, and may ask for less. */
function installRuntime(logger: Parameters<typeof createTemporalLogger>[0], withoutTexts: boolean): void {
  if (installed) {
    installed.withoutTexts ||= withoutTexts;
    return;
  }
  installed = { withoutTexts };
  try {
    Runtime.install({
      logger: createTemporalLogger(logger, installed),
      // The core would write to stdout by itself, between the copies of records.
      telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
      shutdownSignals: [],
    });
  } catch {
    // The host program installed its own before: it stays.
  }
}

/** Opened when the first execution of a plan tells of itself: a worker that executes none needs no tables of theirs. */
async function openPlanStore({ database }: Services): Promise<PlanStore> {
  if (database !== undefined) return createPostgresPlanStore(await plansWithin(database));
  throw new GateError(
    FailureType.StoreUnavailable,
    'Executions of plans need the store of gate server, which is a PostgreSQL or an embedded one',
  );
}

/** Where executions take policies from and are kept: the store beside the audit log, unless a folder of policies is named. */
function executionPlaces(
  { audit, database, logger }: Services,
  hasFolder: boolean,
): Pick<ExecutionParts, 'journal'> & Partial<Pick<ExecutionParts, 'policies'>> {
  if (hasFolder || database === undefined) {
    return { journal: createAuditJournal((record) => audit.record(record), Date.now) };
  }
  const open = async () => createPostgresPolicyStore(await rulesWithin(database));
  return openedLate(open, { log: audit, domain: shardDomain, logger, now: Date.now });
}
