import type { JsonObject } from '../../kernel/json';
import { repeat } from '../../kernel/repeat';
import type { Timers } from '../../kernel/timers';
import type { ProgramLogger } from '../../platform/observability/program-logger';
import { createExecutionIndex } from '../execution/execution-index';
import type { UnderWay } from '../execution/pinned-plan';
import type { Binding } from '../kinds/binding';
import type { Goal } from '../kinds/goal';
import type { Plan } from '../kinds/plan';
import { objectName, type PlanObject } from '../object';
import { bindingStatus, capabilitiesOf, type CapabilityPlace } from '../resolver/binding-status';
import { deadlineOf, withTimeout } from '../resolver/goal-timeout';
import { createPlanIndex, type GoalPlace, type PlanIndex } from '../resolver/plan-index';
import { resolve, type Resolution } from '../resolver/resolve';
import { compareRevisions } from '../serving/resource-version';
import { replaceStatus } from '../serving/write-object';
import { EventsExpiredError, type PlanStore } from '../store/plan-store';
import type { EventFeed } from './event-feed';
import { readUnderWay } from './read-under-way';

export interface ControllerMetrics {
  /** a goal's status was written, or could not be */
  onResolved(result: Resolution['result'] | 'error'): void;
  /** a status was stored so many seconds after the change that asked for it, commit to commit by the store's clock */
  onStatus(seconds: number): void;
  /** goals and bindings that wait */
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
 * Keeps the status of every goal as `resolve` wants it, and that of every binding as `bindingStatus` does: events say which to
 * look at, and a slow pass over all makes up for what events missed. A status is computed once more over the object as it is
 * stored, in the transaction that writes it, so that no write of others is lost. One that fails is tried again later, and holds up
 * no other.
 *
 * @throws GateError StoreUnavailable when the objects cannot be read at the start
 */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const { store, feed, timers, now, logger, metrics, fullPassMs = 600_000 } = options;
  /** goals and bindings, whose status is written here */
  const subjects = new Map<string, PlanObject>();
  const capabilities = new Map<string, PlanObject>();
  let executions = createExecutionIndex();
  let index: PlanIndex = createPlanIndex();
  let last = '0';
  /** what waits, with the time of the first change that asks for a look; none where no change did */
  const queue = new Map<string, number | undefined>();
  /** statuses that were stored, until their events tell when */
  const stored = new Map<string, { revision: string; sinceMs: number }>();
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
    const goals = await store.list({ kind: 'Goal' });
    const bindings = await store.list({ kind: 'Binding' });
    const found = await store.list({ kind: 'Capability' });
    const plans = await store.list({ kind: 'Plan' });
    const underWay = await readUnderWay(store);
    last = goals.revision;
    index = createPlanIndex(plans.items as unknown as Plan[]);
    subjects.clear();
    stored.clear();
    capabilities.clear();
    for (const capability of found.items) capabilities.set(placeKey(capability.metadata), capability);
    executions = createExecutionIndex(underWay);
    for (const subject of [...goals.items, ...bindings.items]) {
      subjects.set(keyOf(subject), subject);
      enqueue(keyOf(subject));
    }
  }

  async function readEvents(): Promise<void> {
    for (;;) {
      const events = await feed.after(last, PAGE);
      for (const { revision, type, object, writtenMs } of events) {
        last = revision;
        take(object, type === 'DELETED', writtenMs);
        measure(object, revision, writtenMs);
      }
      if (events.length === 0) return;
    }
  }

  /** Notes an object as it is now, and whose status may follow from it. */
  function take(object: PlanObject, isGone: boolean, atMs: number): void {
    switch (object.kind) {
      case 'Plan': {
        const places = isGone ? index.remove(object.metadata) : index.put(object as unknown as Plan);
        for (const metadata of places) enqueue(keyOf({ kind: 'Goal', metadata }), atMs);
        return;
      }
      case 'Execution': {
        // A change of the goal may have waited for its end.
        const metadata = executions.take(object, isGone);
        if (metadata !== undefined) enqueue(keyOf({ kind: 'Goal', metadata }));
        return;
      }
      case 'Capability': {
        const place = placeKey(object.metadata);
        if (isGone) capabilities.delete(place);
        else capabilities.set(place, object);
        for (const [key, subject] of subjects) {
          if (subject.kind === 'Binding' && capabilitiesOf(asBinding(subject)).some((each) => placeKey(each) === place))
            enqueue(key, atMs);
        }
        return;
      }
      case 'Goal':
      case 'Binding': {
        const key = keyOf(object);
        if (isGone) return forget(key);
        subjects.set(key, object);
        enqueue(key, atMs);
      }
    }
  }

  /** From the change that asked for a status to the status: both times are the store's. */
  function measure(object: PlanObject, revision: string, writtenMs: number): void {
    const key = keyOf(object);
    const written = stored.get(key);
    if (written === undefined || compareRevisions(written.revision, revision) > 0) return;
    stored.delete(key);
    if (written.revision === revision) metrics?.onStatus(Math.max(0, writtenMs - written.sinceMs) / 1000);
  }

  /** The first change counts: until its status is stored the user waits. */
  function enqueue(key: string, sinceMs?: number): void {
    if (queue.get(key) === undefined) queue.set(key, sinceMs);
    metrics?.onQueue(queue.size);
  }

  function forget(key: string): void {
    subjects.delete(key);
    queue.delete(key);
    failures.delete(key);
    stored.delete(key);
    callOff(key);
  }

  function callOff(key: string): void {
    due.get(key)?.();
    due.delete(key);
  }

  function later(key: string, delayMs: number, sinceMs?: number): void {
    callOff(key);
    const stop = timers.after(
      delayMs,
      () => {
        due.delete(key);
        enqueue(key, sinceMs);
        work();
      },
      { background: true },
    );
    due.set(key, stop);
  }

  async function look(key: string, sinceMs: number | undefined): Promise<void> {
    const subject = subjects.get(key);
    if (subject === undefined) return;
    callOff(key);
    const nowMs = now();
    const deadline = subject.kind === 'Goal' ? deadlineOf(asGoal(subject)) : undefined;
    if (deadline !== undefined && deadline > nowMs) later(key, deadline - nowMs);
    if (wantedFor(subject, nowMs).status === subject.status) return;
    await writeStatus(key, subject, sinceMs);
  }

  function wantedFor(
    subject: PlanObject,
    nowMs: number,
    found?: UnderWay,
  ): { status: JsonObject; result?: Resolution['result'] } {
    if (subject.kind === 'Binding') {
      const find = (place: CapabilityPlace) => capabilities.get(placeKey(place));
      return { status: bindingStatus(asBinding(subject), find, nowMs) };
    }
    const goal = asGoal(subject);
    const execution = executions.of(goal.metadata) ?? found;
    const { status, result } = resolve(goal, index.plansOf(goal.metadata), { nowMs, execution });
    return { status: withTimeout(goal, status, nowMs), result };
  }

  async function writeStatus(key: string, { kind, metadata }: PlanObject, sinceMs: number | undefined): Promise<void> {
    const { namespace, name } = metadata;
    const written = await store.write(async (session) => {
      const stored = await session.get({ kind, namespace, name });
      if (stored === undefined) return undefined;
      let wanted = wantedFor(stored, now());
      if (isResolvedAnew(stored.status, wanted.status)) {
        // An execution may have been created since events were read: a goal never loses the plan that is executed.
        const plan = await session.get({ kind: 'Plan', namespace, name: planOf(stored)! });
        const owned = await session.owned({ namespace, uid: plan?.metadata.uid ?? '' });
        const found = createExecutionIndex(owned).of(metadata);
        if (found !== undefined) wanted = wantedFor(stored, now(), found);
      }
      if (wanted.status === stored.status) return undefined;
      const outcome = replaceStatus(stored, { status: wanted.status }, { by: 'controller' });
      if (outcome.action === 'invalid') {
        const faults = outcome.faults.map(({ pointer, sentence }) => `${pointer}: ${sentence}`);
        throw new Error(`The status of ${objectName(stored)} cannot be written: ${faults.join('; ')}`);
      }
      if (outcome.action !== 'updated') return undefined;
      return { before: stored, object: await session.update(outcome.object, stored), result: wanted.result };
    });
    if (written === undefined) return;
    subjects.set(key, written.object);
    const { resourceVersion: revision } = written.object.metadata;
    if (sinceMs !== undefined && revision !== undefined) stored.set(key, { revision, sinceMs });
    if (written.result === undefined) return;
    metrics?.onResolved(written.result);
    const plan = planOf(written.object);
    if (plan !== planOf(written.before)) logger.info({ goal: name, namespace, plan }, 'Resolved plan for goal');
    const failed = (status: PlanObject['status']): boolean => status?.phase === 'Failed';
    if (failed(written.object.status) && !failed(written.before.status))
      logger.warn({ goal: name, namespace, plan }, 'A goal failed: its timeout is over');
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
      const [first] = queue;
      if (first === undefined) continue;
      const [key, sinceMs] = first;
      queue.delete(key);
      metrics?.onQueue(queue.size);
      try {
        await look(key, sinceMs);
        failures.delete(key);
      } catch (error) {
        const count = (failures.get(key) ?? 0) + 1;
        failures.set(key, count);
        const [kind, namespace, name] = key.split('/');
        if (kind === 'Goal') {
          metrics?.onResolved('error');
          const plan = planOf(subjects.get(key));
          logger.warn({ error, goal: name, namespace, plan }, 'A goal could not be resolved; it is tried again');
        } else {
          logger.warn(
            { error, binding: name, namespace },
            'The status of a binding could not be written; it is tried again',
          );
        }
        later(key, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(count - 1, 10)), sinceMs);
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

function keyOf({ kind, metadata }: { kind: string; metadata: GoalPlace }): string {
  return `${kind}/${placeKey(metadata)}`;
}

function placeKey({ namespace, name }: GoalPlace): string {
  return `${namespace}/${name}`;
}

/** Whether a goal that has a plan would get another one or none, or counts as resolved for another generation. */
function isResolvedAnew(before: PlanObject['status'], after: JsonObject): boolean {
  const plan = planOf({ status: before });
  if (plan === undefined) return false;
  return plan !== planOf({ status: after }) || before?.observedGeneration !== after.observedGeneration;
}

const asGoal = (subject: PlanObject): Goal => subject as unknown as Goal;
const asBinding = (subject: PlanObject): Binding => subject as unknown as Binding;

function planOf(subject: Pick<PlanObject, 'status'> | undefined): string | undefined {
  const ref = subject?.status?.activePlanRef as { name?: string } | undefined;
  return ref?.name;
}
