import { repeat } from '../../kernel/repeat';
import type { Timers } from '../../kernel/timers';
import type { ProgramLogger } from '../../platform/observability/program-logger';
import type { Goal } from '../kinds/goal';
import type { Plan } from '../kinds/plan';
import type { PlanObject } from '../object';
import { deadlineOf, withTimeout } from '../resolver/goal-timeout';
import { createPlanIndex, type GoalPlace, type PlanIndex } from '../resolver/plan-index';
import { resolve, type Resolution } from '../resolver/resolve';
import { replaceStatus } from '../serving/write-object';
import { EventsExpiredError, type PlanStore } from '../store/plan-store';
import type { EventFeed } from './event-feed';

export interface ControllerMetrics {
  /** a goal's status was written, or could not be */
  onResolved(result: Resolution['result'] | 'error'): void;
  /** goals that wait */
  onQueue(length: number): void;
}

export interface ControllerOptions {
  store: PlanStore;
  feed: EventFeed;
  timers: Timers;
  /** epoch milliseconds */
  now(): number;
  logger: Pick<ProgramLogger, 'info' | 'warn'>;
  metrics?: ControllerMetrics;
  /** everything is read and looked at again this often, whatever the events said; @default 600000 */
  fullPassMs?: number;
}

export interface Controller {
  /** resolves when no goal waits that can be looked at now */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const PAGE = 500;
/** After a read that failed. */
const RESUME_MS = 1_000;
const [FIRST_RETRY_MS, LONGEST_RETRY_MS] = [100, 60_000];

/**
 * Keeps the status of every goal as `resolve` wants it: events say which goals to look at, and a slow pass over all makes up for
 * what events missed. A status is computed once more over the goal as it is stored, in the transaction that writes it, so that no
 * write of others is lost. A goal that fails is tried again later, and holds up no other.
 *
 * @throws GateError StoreUnavailable when the objects cannot be read at the start
 */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const { store, feed, timers, now, logger, metrics, fullPassMs = 600_000 } = options;
  const goals = new Map<string, Goal>();
  let index: PlanIndex = createPlanIndex();
  let last = '0';
  const queue = new Set<string>();
  /** what waits for its time: a retry, a deadline */
  const due = new Map<string, () => void>();
  const failures = new Map<string, number>();
  let closed = false;
  let working: Promise<void> | undefined;
  let hasNews = false;
  let wantsAll = false;
  /** the store did not answer, and is asked again later */
  let waits = false;
  // The start reads all by itself.
  let isFirstPass = true;

  /** Reads all, from a revision that no object is older than: events behind it that are in already change nothing. */
  async function readAll(): Promise<void> {
    const listed = await store.list({ kind: 'Goal' });
    const plans = await store.list({ kind: 'Plan' });
    last = listed.revision;
    index = createPlanIndex(plans.items as unknown as Plan[]);
    goals.clear();
    for (const goal of listed.items as unknown as Goal[]) {
      goals.set(keyOf(goal.metadata), goal);
      queue.add(keyOf(goal.metadata));
    }
  }

  async function readEvents(): Promise<void> {
    for (;;) {
      const events = await feed.after(last, PAGE);
      for (const { revision, type, object } of events) {
        last = revision;
        if (object.kind === 'Plan') {
          const places = type === 'DELETED' ? index.remove(object.metadata) : index.put(object as unknown as Plan);
          for (const place of places) queue.add(keyOf(place));
        } else if (object.kind === 'Goal') {
          const key = keyOf(object.metadata);
          if (type === 'DELETED') forget(key);
          else {
            goals.set(key, object as unknown as Goal);
            queue.add(key);
          }
        }
      }
      if (events.length < PAGE) return;
    }
  }

  function forget(key: string): void {
    goals.delete(key);
    queue.delete(key);
    failures.delete(key);
    callOff(key);
  }

  function callOff(key: string): void {
    due.get(key)?.();
    due.delete(key);
  }

  function later(key: string, delayMs: number): void {
    callOff(key);
    const stop = timers.after(
      delayMs,
      () => {
        due.delete(key);
        queue.add(key);
        work();
      },
      { background: true },
    );
    due.set(key, stop);
  }

  async function look(key: string): Promise<void> {
    const goal = goals.get(key);
    if (goal === undefined) return;
    callOff(key);
    const nowMs = now();
    const deadline = deadlineOf(goal);
    if (deadline !== undefined && deadline > nowMs) later(key, deadline - nowMs);
    if (wantedFor(goal, nowMs).status === goal.status) return;
    await writeStatus(key, goal);
  }

  function wantedFor(goal: Goal, nowMs: number): Resolution {
    const resolution = resolve(goal, index.plansOf(goal.metadata), { nowMs });
    return { ...resolution, status: withTimeout(goal, resolution.status, nowMs) };
  }

  async function writeStatus(key: string, { metadata }: Goal): Promise<void> {
    const { namespace, name } = metadata;
    const written = await store.write(async (session) => {
      const stored = await session.get({ kind: 'Goal', namespace, name });
      if (stored === undefined) return undefined;
      const goal = stored as unknown as Goal;
      const wanted = wantedFor(goal, now());
      if (wanted.status === goal.status) return undefined;
      const body = { status: wanted.status };
      const outcome = replaceStatus(stored, body, { by: 'controller' });
      if (outcome.action === 'invalid') {
        const faults = outcome.faults.map(({ pointer, sentence }) => `${pointer}: ${sentence}`);
        throw new Error(`The goal's status cannot be written: ${faults.join('; ')}`);
      }
      if (outcome.action !== 'updated') return undefined;
      return { before: stored, object: await session.update(outcome.object, stored), wanted };
    });
    if (written === undefined) return;
    goals.set(key, written.object as unknown as Goal);
    metrics?.onResolved(written.wanted.result);
    const plan = planOf(written.object);
    if (plan !== planOf(written.before)) logger.info({ goal: name, namespace, plan }, 'Resolved plan for goal');
  }

  async function drain(): Promise<void> {
    while (!closed && (wantsAll || hasNews || queue.size > 0)) {
      try {
        if (wantsAll) {
          wantsAll = false;
          await readAll();
        }
        if (hasNews) {
          hasNews = false;
          await readEvents();
        }
      } catch (error) {
        if (error instanceof EventsExpiredError) {
          wantsAll = true;
          continue;
        }
        logger.warn({ error }, 'Objects could not be read; goals are resolved later');
        wantsAll = true;
        waits = true;
        const resume = (): void => {
          waits = false;
          work();
        };
        timers.after(RESUME_MS, resume, { background: true });
        return;
      }
      const [key] = queue;
      if (key === undefined) continue;
      queue.delete(key);
      metrics?.onQueue(queue.size);
      try {
        await look(key);
        failures.delete(key);
      } catch (error) {
        const count = (failures.get(key) ?? 0) + 1;
        failures.set(key, count);
        metrics?.onResolved('error');
        const [namespace, goal] = key.split('/');
        logger.warn({ error, goal, namespace }, 'A goal could not be resolved; it is tried again');
        later(key, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(count - 1, 10)));
      }
    }
  }

  function work(): void {
    if (closed || waits || working !== undefined) return;
    working = drain().finally(() => {
      working = undefined;
      // News may have come after the last look and before this.
      if (!waits && (hasNews || queue.size > 0)) work();
    });
  }

  const unfollow = feed.follow(() => {
    hasNews = true;
    work();
  });
  try {
    await readAll();
  } catch (error) {
    unfollow();
    throw error;
  }
  // What was written since, and before this followed, is read with the first events.
  hasNews = true;
  work();
  const passes = repeat({
    timers,
    everyMs: fullPassMs,
    act: () => {
      wantsAll ||= !isFirstPass;
      isFirstPass = false;
      work();
      return Promise.resolve();
    },
  });
  return {
    async settled() {
      while (working !== undefined) await working;
    },
    async close() {
      closed = true;
      unfollow();
      for (const stop of due.values()) stop();
      due.clear();
      await passes.stop();
      await working;
    },
  };
}

function keyOf({ namespace, name }: GoalPlace): string {
  return `${namespace}/${name}`;
}

function planOf({ status }: PlanObject): string | undefined {
  const ref = status?.activePlanRef as { name?: string } | undefined;
  return ref?.name;
}
