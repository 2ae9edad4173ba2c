import { Registry } from 'prom-client';
import { serveCallbacks } from './api/plans/serve-callbacks';
import { servePlans } from './api/plans/serve-plans';
import { requireServerAccess, startPolicyServer } from './api/rules/start-policy-server';
import { openAudit } from './audit/service/open-audit';
import type { Services } from './gate/services';
import { createMetrics } from './gate/metrics';
import { openExecutions } from './clients/rule-execution-client';
import { openPlanRuns } from './clients/plan-runs';
import { createExecutionStarter } from './clients/start-execution';
import { parseDuration } from './kernel/duration';
import { createLogger, logFormatOf } from './platform/observability/logger';
import { standardError } from './platform/observability/terminal';
import { systemTimers } from './platform/timers/system-timers';
import { openPlans } from './plans/service/open-plans';
import { createPlanMetrics } from './plans/service/plan-metrics';
import { plansWithin } from './plans/store/postgres/open-plan-database';
import { createPostgresPlanStore } from './plans/store/postgres/store';
import { createRuleMetrics } from './rules/service/rule-metrics';
import type { LoadedSettings } from './settings/load-settings';
import { withSettingsPlace } from './settings/settings-place';
import { openShardRules } from './shards/service/open-shard-rules';
import { startWorker, type WorkerStartOptions } from './worker';

export interface ServerStartOptions extends WorkerStartOptions {
  /** runs a worker in this process too, over the same store; @default true */
  worker?: boolean;
}

export interface RunningServer {
  /** where the API is, e.g. `http://127.0.0.1:8080` */
  url: string;
  /** where the worker's health, metrics and audit routes are; absent without one */
  workerUrl?: string;
  /** has the worker check for a new release now; does nothing without one */
  reload(): Promise<void>;
  /** resolves when the server has stopped, rejects when its worker failed */
  stopped: Promise<void>;
  /** answers what is under way, then closes */
  stop(): Promise<void>;
}

type Shared = Pick<Services, 'audit' | 'store' | 'database' | 'registry' | 'logger'>;

/**
 * The composition root of the server of rule policies and plans. With a worker both have one store, as an embedded store has
 * one owner; the worker ends first, as the API may have work for it.
 *
 * @throws GateError ConfigInvalid, StoreUnavailable, or an error of the connection to Temporal; nothing is left open then
 */
export async function startServer(loaded: LoadedSettings, options: ServerStartOptions = {}): Promise<RunningServer> {
  return withSettingsPlace(loaded, async () => {
    requireServerAccess(loaded.settings);
    return options.worker === false ? startAlone(loaded, options) : startWithWorker(loaded, options);
  });
}

async function startWithWorker(loaded: LoadedSettings, options: ServerStartOptions): Promise<RunningServer> {
  let url = '';
  const worker = await startWorker(loaded, {
    ...options,
    beside: async (services) => {
      const api = await openApi(loaded, services, options.env ?? process.env);
      url = api.url;
      return api.close;
    },
  });
  return {
    url,
    workerUrl: worker.httpUrl,
    reload: worker.reload,
    stopped: worker.stopped,
    stop: worker.stop,
  };
}

async function startAlone(loaded: LoadedSettings, options: ServerStartOptions): Promise<RunningServer> {
  const env = options.env ?? process.env;
  const logger =
    options.logger ??
    createLogger({ level: loaded.settings.logLevel, format: logFormatOf(env, standardError().isTTY === true) });
  const registry = new Registry();
  const metrics = createMetrics(registry);
  const audit = await openAudit(loaded, {
    env,
    metrics: metrics.audit,
    logger,
    ...(options.stdout === undefined ? {} : { stdout: options.stdout }),
    ...(options.auditStore === undefined ? {} : { own: options.auditStore }),
  });
  try {
    const { log, ...stores } = audit;
    const api = await openApi(loaded, { ...stores, audit: log, registry, logger }, env);
    let end = (): void => undefined;
    const stopping = new Promise<void>((resolve) => (end = resolve));
    const stopped = stopping.then(async () => {
      try {
        await api.close();
      } finally {
        await audit.close();
      }
    });
    return {
      url: api.url,
      reload: () => Promise.resolve(),
      stopped,
      stop: () => {
        end();
        return stopped;
      },
    };
  } catch (error) {
    await audit.close().catch(() => undefined);
    throw error;
  }
}

/** How long Temporal may take to answer one question. */
const TEMPORAL_WITHIN_MS = 10_000;

async function openApi(
  loaded: LoadedSettings,
  shared: Shared,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ url: string; close(): Promise<void> }> {
  const { audit, store: records, database, registry, logger } = shared;
  const { server: serving, shards: managed, rules: ruling } = loaded.settings;
  const metrics = createRuleMetrics(registry);
  const rules = await openShardRules({
    audit: {
      log: audit,
      ...(records === undefined ? {} : { store: records }),
      ...(database === undefined ? {} : { database }),
    },
    quotas: serving.quotas,
    maxStateAgeMs: parseDuration(managed.state.maxAge),
    deadlineMs: parseDuration(ruling.evaluation.deadline),
    memoryMiB: ruling.evaluation.memory,
    metrics,
    logger,
    schedules: { loaded, env },
  });
  const executions = createExecutionStarter({
    open: () => openExecutions(loaded, env, TEMPORAL_WITHIN_MS),
    rules,
  });
  let listensAt: string | undefined;
  const runs = openPlanRuns(loaded, env, TEMPORAL_WITHIN_MS, () => loaded.settings.plans.callbackUrl ?? listensAt);
  let toClose: { close(): Promise<void> } | undefined;
  try {
    const ownerToken = database?.owner?.token;
    // `openShardRules` refuses settings without a database.
    const store = createPostgresPlanStore(await plansWithin(database!));
    toClose = store;
    const plans = await openPlans({
      store,
      timers: systemTimers,
      now: Date.now,
      logger,
      metrics: createPlanMetrics(registry),
      audit,
      runtime: runs.runtime,
      keep: { events: loaded.settings.plans.keepEvents, bytes: loaded.settings.plans.keepEventBytes },
    });
    toClose = plans;
    const { maxRequestBytes } = loaded.settings.server;
    const onUnexpected = (error: unknown) => logger.error({ error }, 'a request failed unexpectedly');
    const surface = { service: plans.service, maxBodyBytes: maxRequestBytes, onUnexpected };
    const server = await startPolicyServer(loaded, {
      rules,
      startExecution: executions.start,
      surfaces: [serveCallbacks(surface), servePlans(surface)],
      onOverQuota: () => metrics.quotaRefused('requests'),
      ...(ownerToken === undefined ? {} : { ownerToken }),
      registry,
      logger,
      isServing: () =>
        rules.list({}, { pageSize: 1 }).then(
          () => true,
          () => false,
        ),
    });
    listensAt = server.url;
    return {
      url: server.url,
      close: async () => {
        await server.close();
        await executions.close();
        await plans.close();
        await runs.close();
        await rules.close();
      },
    };
  } catch (error) {
    await toClose?.close();
    await rules.close();
    throw error;
  }
}
