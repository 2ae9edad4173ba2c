import { setTimeout as delay } from 'node:timers/promises';
import { receivesTasks, type TaskRouting } from './task-routing';
import { versionOf, type WorkerBuild } from './worker-build';

/** A worker without tasks soon becomes current in most installations, and people watch for it. */
const CHECK_WHILE_IDLE_MS = 2_000;
const CHECK_WHILE_BUSY_MS = 30_000;
const SAY_EVERY_MS = 60_000;

export interface RoutingWatch {
  /** as of the last answer; false before the first one */
  receivesTasks(): boolean;
  /** resolves when the watch has ended */
  stop(): Promise<void>;
}

/**
 * Watches whether a running worker gets tasks: a build that is not current gets none, and neither does an unversioned
 * worker while a build is current. A server that does not answer changes nothing: the last answer holds.
 */
export function watchRouting(options: {
  read(): Promise<TaskRouting>;
  build: WorkerBuild;
  /** told at once when the worker gets no tasks, and once a minute while that lasts */
  onIdle(routing: TaskRouting): void;
  /** told when the worker gets tasks after it got none */
  onBusy(): void;
  nowMs(): number;
}): RoutingWatch {
  const { read, build, onIdle, onBusy, nowMs } = options;
  const version = versionOf(build);
  const ended = new AbortController();
  let receives: boolean | undefined;
  let saidAtMs = -Infinity;

  const check = async (): Promise<void> => {
    const routing = await read().catch(() => undefined);
    if (routing === undefined || ended.signal.aborted) return;
    const before = receives;
    receives = receivesTasks(routing, version);
    if (receives) {
      if (before === false) onBusy();
      saidAtMs = -Infinity;
    } else if (nowMs() - saidAtMs >= SAY_EVERY_MS) {
      saidAtMs = nowMs();
      onIdle(routing);
    }
  };
  const watch = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await check();
      const waitMs = receives === true ? CHECK_WHILE_BUSY_MS : CHECK_WHILE_IDLE_MS;
      await delay(waitMs, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  };
  const watching = watch();
  return {
    receivesTasks: () => receives === true,
    stop: () => {
      ended.abort();
      return watching;
    },
  };
}
