import { randomUUID } from 'node:crypto';
import type { AuditLog } from '../../audit/audit-log';
import { repeat } from '../../kernel/repeat';
import type { Timers } from '../../kernel/timers';
import type { ProgramLogger } from '../../platform/observability/program-logger';
import type { PlanRuntime } from '../execution/plan-run';
import type { KeptEvents, PlanStore } from '../store/plan-store';
import { startController, type Controller } from './controller';
import { bringRecords } from './bring-records';
import { createEventFeed } from './event-feed';
import { createPlanService } from './create-plan-service';
import { ensureNamespace, namespaceKey } from './namespaces';
import type { PlanMetrics } from './plan-metrics';
import type { PlanService } from './plan-service';
import { runExecutions } from './run-executions';

export interface PlansOptions {
  /** closed with what this gives */
  store: PlanStore;
  timers: Timers;
  /** epoch milliseconds */
  now(): number;
  logger: ProgramLogger;
  metrics?: PlanMetrics;
  /** what runs executions; absent: those whose runtime is the gate are refused */
  runtime?: PlanRuntime;
  /** where the records of changes go; absent: they wait in the store */
  audit?: AuditLog;
  /** newest events that a watch can resume from; older ones are deleted. @default 100000 of 512 MiB */
  keep?: KeptEvents;
}

/** The use cases, and the controller behind them. */
export interface Plans {
  service: PlanService;
  controller: Controller;
  close(): Promise<void>;
}

const KEPT: KeptEvents = { events: 100_000, bytes: 512 * 1024 * 1024 };
const PRUNE_EVERY_MS = 60_000;

/**
 * Opens what serves plans: the feed of events, the controller, and the deletion of old events. The namespace `default` is there
 * from then on.
 *
 * @throws GateError StoreUnavailable; nothing is left open then but the store
 */
export async function openPlans(options: PlansOptions): Promise<Plans> {
  const { store, timers, now, logger, metrics, runtime, keep = KEPT, audit } = options;
  await store.write(async (session) => {
    // One that is being deleted is left alone.
    if ((await session.get(namespaceKey('default'))) !== undefined) return;
    await ensureNamespace(session, 'default', { nowMs: now(), newId: randomUUID });
  });
  const feed = await createEventFeed({ store, timers, logger });
  try {
    const controller = await startController({
      store,
      feed,
      timers,
      now,
      logger,
      ...(metrics === undefined ? {} : { metrics }),
    });
    const pruning = repeat({
      timers,
      everyMs: PRUNE_EVERY_MS,
      act: async () => void (await store.prune(keep)),
      onFailure: (error) => logger.warn({ error }, 'Old events of plans could not be deleted'),
    });
    const records = audit && bringRecords({ store, log: audit, logger, timers });
    const running = runtime && runExecutions({ store, feed, runtime, timers, logger, now });
    const runs = runtime === undefined ? {} : { runtime };
    return {
      service: createPlanService({
        store,
        feed,
        now,
        newId: randomUUID,
        ...runs,
        ...(records === undefined ? {} : { onWritten: records.nudge }),
        ...(metrics === undefined ? {} : { onWatchers: metrics.onWatchers }),
      }),
      controller,
      close: async () => {
        await pruning.stop();
        await running?.close();
        await records?.close();
        await controller.close();
        await feed.close();
        await store.close();
      },
    };
  } catch (error) {
    await feed.close();
    throw error;
  }
}
