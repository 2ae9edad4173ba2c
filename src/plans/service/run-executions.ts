import { repeat } from '../../kernel/repeat';
import type { Timers } from '../../kernel/timers';
import { messageOf } from '../../kernel/message-of';
import type { JsonObject } from '../../kernel/json';
import type { ProgramLogger } from '../../platform/observability/program-logger';
import { isRunByGate, type ExecutionRef, type PlanRuntime } from '../execution/plan-run';
import { callbackIn } from '../execution/callback';
import { retryFault, runAgain, unknownNodeFault } from '../execution/retry-node';
import { requestsOf, withoutRequests, type RunRequest } from '../execution/run-requests';
import { hasEnded } from '../execution/follow-run';
import { pinnedPlanOf } from '../execution/pinned-plan';
import type { Execution } from '../kinds/execution';
import { ExecutionPhase, NodePhase } from '../kinds/phases';
import type { PlanObject } from '../object';
import { EventsExpiredError, type PlanStore } from '../store/plan-store';
import type { EventFeed } from './event-feed';
import { endClosed, endGoal, isUnderWay, writeStatus } from './follow-run';
import { compileStored } from './pin-plan';
import { ofRun } from './of-run';

export interface RunExecutionsOptions {
  store: PlanStore;
  feed: EventFeed;
  runtime: PlanRuntime;
  timers: Timers;
  logger: Pick<ProgramLogger, 'info' | 'warn'>;
  /** epoch milliseconds */
  now(): number;
  /** what could not be started is tried again this often; @default 5000 */
  everyMs?: number;
  /** runs are looked at this often, whether they were closed from outside; @default 30000 */
  checkEveryMs?: number;
}

export interface RunningExecutions {
  close(): Promise<void>;
}

const PAGE = 500;
const STARTS_AT_ONCE = 8;

/**
 * Starts the run of each execution that waits for one, tells it when something happens to a gate that it waits for or when it is called back, and ends
 * that of one that is deleted. It keeps nothing that a restart
 * would lose: to start the same execution again finds its run, and the run writes the status itself.
 */
export function runExecutions(options: RunExecutionsOptions): RunningExecutions {
  const { store, feed, runtime, timers, logger, now, everyMs = 5_000, checkEveryMs = 30_000 } = options;
  let last: string | undefined;
  const waiting = new Map<string, ExecutionRef>();
  const deleted = new Map<string, PlanObject>();
  /** those whose runs are under way, as far as is known */
  const running = new Map<string, ExecutionRef>();
  let checkedAtMs = now();
  /** runs with nodes that wait for gates, and the names of these */
  const gated = new Map<string, { ref: ExecutionRef; gates: ReadonlySet<string> }>();
  /** those of whose runs something is asked */
  const asked = new Map<string, ExecutionRef>();
  /** ids of requests that runs under way were told of */
  const told = new Map<string, ReadonlySet<string>>();
  /** runs that are to be told that something happened to a gate of theirs */
  const news = new Map<string, ExecutionRef>();
  let starting: Promise<void> | undefined;
  let startAgain = false;
  let closed = false;
  let working: Promise<void> | undefined;
  let again = false;

  async function readNews(): Promise<void> {
    if (last === undefined) {
      const { items, revision } = await store.list({ kind: 'Execution' });
      gated.clear();
      items.forEach(note);
      // What happened to their gates meanwhile is not known.
      for (const [uid, { ref }] of gated) news.set(uid, ref);
      last = revision;
    }
    for (;;) {
      const events = await feed.after(last, PAGE);
      for (const { revision, type, object } of events) {
        last = revision;
        if (object.kind === 'Gate') noteGate(object);
        if (object.kind !== 'Execution') continue;
        if (type === 'DELETED') noteDeleted(object);
        else note(object);
      }
      if (events.length === 0) return;
    }
  }

  function note(object: PlanObject): void {
    const ref = refOf(object);
    if (isRunByGate(object) && isUnderWay(object.status?.phase)) running.set(ref.uid, ref);
    else running.delete(ref.uid);
    if (!isRunByGate(object) || object.status?.phase !== ExecutionPhase.Pending) waiting.delete(ref.uid);
    else waiting.set(ref.uid, ref);
    const requests = isRunByGate(object) ? requestsOf(object.status) : [];
    if (requests.length === 0) {
      asked.delete(ref.uid);
      told.delete(ref.uid);
    } else if (requests.some(({ id }) => told.get(ref.uid)?.has(id) !== true)) asked.set(ref.uid, ref);
    if (hasNewCallback(object)) news.set(ref.uid, ref);
    const gates = awaitedGates(object);
    if (gates.size === 0) gated.delete(ref.uid);
    else gated.set(ref.uid, { ref, gates });
  }

  function noteGate({ metadata }: PlanObject): void {
    for (const [uid, { ref, gates }] of gated) {
      if (ref.namespace === metadata.namespace && gates.has(metadata.name)) news.set(uid, ref);
    }
  }

  function noteDeleted(object: PlanObject): void {
    const ref = refOf(object);
    waiting.delete(ref.uid);
    running.delete(ref.uid);
    gated.delete(ref.uid);
    asked.delete(ref.uid);
    told.delete(ref.uid);
    news.delete(ref.uid);
    if (isRunByGate(object) && !hasEnded(object as unknown as Execution)) deleted.set(ref.uid, object);
  }

  async function look(): Promise<void> {
    await readNews().catch((error: unknown) => {
      if (!(error instanceof EventsExpiredError)) throw error;
      last = undefined;
      again = true;
    });
    startWaiting();
    for (const ref of asked.values()) {
      await attempt(ref, 'told what is asked of it', () => answerRequests(ref));
    }
    for (const [uid, ref] of news) {
      await attempt(ref, 'told of its gate', async () => {
        await runtime.nudge(ref);
        news.delete(uid);
      });
    }
    for (const [uid, object] of deleted) {
      const ref = refOf(object);
      await attempt(ref, 'ended', async () => {
        await runtime.cancel(ref);
        await endGoal(store, object, now());
        deleted.delete(uid);
      });
    }
    await lookAtRuns();
  }

  /** One that was terminated in Temporal tells nothing of its end. */
  async function lookAtRuns(): Promise<void> {
    if (now() - checkedAtMs < checkEveryMs) return;
    checkedAtMs = now();
    for (const ref of running.values()) {
      await attempt(ref, 'checked', async () => {
        const why = await runtime.whyClosed(ref);
        if (why !== undefined) await endClosed(store, ref, now(), why);
      });
    }
  }

  /** One that fails is tried again with the next look, and holds up no other. */
  async function attempt({ namespace, name }: ExecutionRef, done: string, act: () => Promise<void>): Promise<void> {
    if (closed) return;
    await act().catch((error: unknown) =>
      logger.warn({ error, execution: name, namespace }, `An execution could not be ${done}; it is tried again`),
    );
  }

  /** Several at once, beside all else: many that wait, or a server that does not answer, hold up no run that is under way. */
  function startWaiting(): void {
    startAgain = true;
    starting ??= (async () => {
      while (startAgain && !closed) {
        startAgain = false;
        // Each is tried once, those that come meanwhile too.
        const refs = waiting.values();
        const startNext = async (): Promise<void> => {
          for (const ref of refs) await attempt(ref, 'started', () => startOne(ref));
        };
        await Promise.all(Array.from({ length: STARTS_AT_ONCE }, startNext));
      }
    })().finally(() => (starting = undefined));
  }

  async function startOne(ref: ExecutionRef): Promise<void> {
    const { namespace, name, uid } = ref;
    const read = await store.write(async (session) => {
      const execution = await ofRun(session, ref);
      const plan = execution && pinnedPlanOf(execution);
      if (plan === undefined || execution?.status?.phase !== ExecutionPhase.Pending) return undefined;
      return compileStored(session, execution, plan, runtime);
    });
    if (read === undefined) return void waiting.delete(uid);
    const faults = read.faults ?? runtime.check(read.run);
    if (faults.length > 0) return refuse(ref, 'PlanRefused', faults.join('; '));
    const started = await runtime.start(read.run!, ref);
    if (started === 'taken') {
      const message = `Deployment ${read.run!.id} ran before: create the execution under another name`;
      return refuse(ref, 'NameTaken', message);
    }
    waiting.delete(uid);
    logger.info({ execution: name, namespace, deployment: read.run!.id }, 'Started an execution');
  }

  /** A run that is under way reads what is asked of it; for a retry after its end a new one is started. */
  async function answerRequests(ref: ExecutionRef): Promise<void> {
    const { namespace, name, uid } = ref;
    const read = await store.write(async (session) => {
      const execution = await ofRun(session, ref);
      const plan = execution && pinnedPlanOf(execution);
      if (execution === undefined || plan === undefined) return undefined;
      const requests = requestsOf(execution.status);
      const isOver = hasEnded(execution as unknown as Execution);
      const retry = isOver ? requests.find(({ kind }) => kind === 'retry') : undefined;
      return { execution, plan, requests, isOver, retry, ...(await compileStored(session, execution, plan, runtime)) };
    });
    if (read !== undefined && !read.isOver && read.requests.length > 0) {
      await runtime.ask(ref);
      told.set(uid, new Set(read.requests.map(({ id }) => id)));
    }
    if (read?.retry?.node !== undefined) {
      const { execution, plan, retry, run, faults } = read;
      const node = retry.node!;
      const unfit = unknownNodeFault(plan, node) ?? retryFault(execution as unknown as Execution, node);
      const found = unfit === undefined ? (faults ?? runtime.check(run!)) : [unfit];
      if (found.length > 0) return drop(ref, retry, found.join('; '));
      const from = runAgain(execution as unknown as Execution, run!.graph, node, retry.id);
      // The run before tells its end before it is closed.
      if ((await runtime.resume(run!, ref, from)) === 'closing') return;
      logger.info({ execution: name, namespace, node, deployment: run!.id }, 'Continued an execution');
    }
    asked.delete(uid);
  }

  async function drop(ref: ExecutionRef, { id, node }: RunRequest, why: string): Promise<void> {
    await store.write(async (session) => {
      const stored = await ofRun(session, ref);
      if (stored === undefined) return;
      const status = withoutRequests((stored as unknown as Execution).status ?? {}, (each) => each.id === id);
      const message = `node ${node} was not run again: ${why}`;
      await writeStatus(session, stored, { ...status, message } as JsonObject);
    });
    asked.delete(ref.uid);
  }

  async function refuse(ref: ExecutionRef, reason: string, message: string): Promise<void> {
    await store.write(async (session) => {
      const stored = await ofRun(session, ref);
      if (stored?.status?.phase !== ExecutionPhase.Pending) return;
      const status: JsonObject = { ...stored.status, phase: ExecutionPhase.Failed, reason, message };
      await writeStatus(session, stored, status);
    });
    waiting.delete(ref.uid);
  }

  function work(): void {
    again = true;
    if (closed) return;
    working ??= (async () => {
      while (again && !closed) {
        again = false;
        await look();
      }
    })()
      .catch((error: unknown) => {
        logger.warn({ error: messageOf(error) }, 'Executions could not be read; they are started later');
      })
      .finally(() => (working = undefined));
  }

  const unfollow = feed.follow(work);
  const looks = repeat({ timers, everyMs, act: () => Promise.resolve(work()) });
  return {
    async close() {
      closed = true;
      unfollow();
      await looks.stop();
      await working;
      await starting;
    },
  };
}

const OPEN: readonly unknown[] = [NodePhase.Running, NodePhase.Blocked];

/** The gates that nodes of a run wait for now. */
function awaitedGates(execution: PlanObject): ReadonlySet<string> {
  const { status } = execution as unknown as Execution;
  if (!isRunByGate(execution) || hasEnded({ status })) return new Set();
  const nodes = pinnedPlanOf(execution)?.spec.graph.nodes ?? [];
  return new Set(
    nodes.flatMap(({ id, gateRef }) =>
      gateRef !== undefined && OPEN.includes(status?.nodeStatuses?.[id]?.phase) ? [gateRef.name] : [],
    ),
  );
}

/** Whether a node that is open was called back. */
function hasNewCallback(execution: PlanObject): boolean {
  if (!isRunByGate(execution)) return false;
  const { status } = execution as unknown as Execution;
  return Object.values(status?.nodeStatuses ?? {}).some(
    ({ phase, extensions }) =>
      OPEN.includes(phase) && callbackIn(extensions as JsonObject | undefined)?.answer !== undefined,
  );
}

function refOf({ metadata }: PlanObject): ExecutionRef {
  const { namespace, name, uid = '' } = metadata;
  return { namespace, name, uid };
}
