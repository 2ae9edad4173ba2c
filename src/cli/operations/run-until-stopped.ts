import type { CommandIo } from '../io';
import { awaitStore } from './await-store';

/** What serves until it is stopped: a worker, a server. */
interface Serving {
  reload(): unknown;
  stop(): Promise<unknown>;
  stopped: Promise<unknown>;
}

/** What is said when it runs. */
interface Ready {
  /** for people */
  lines: readonly string[];
  /** in the first line that a parent process waits for */
  addresses: Readonly<Record<string, string>>;
}

/**
 * Starts something, once its store can be reached, and runs it until Ctrl-C or SIGTERM; SIGHUP makes it check for a new release.
 *
 * @throws what `start` throws beyond an outage of the store, and what ends it by itself
 */
export async function runUntilStopped<S extends Serving>(
  { stdout, stderr, env, signal }: CommandIo,
  start: () => Promise<S>,
  told: (serving: S) => Ready,
): Promise<void> {
  const serving = await awaitStore(start, {
    say: (line) => void stderr.write(`gate: ${line}\n`),
    signal,
    close: (late) => late.stop(),
  });
  if (serving === undefined) return;
  const reload = (): void => void Promise.resolve(serving.reload()).catch(() => undefined);
  process.on('SIGHUP', reload);
  const { lines, addresses } = told(serving);
  for (const line of lines) stderr.write(`${line}\n`);
  if (env.GATE_READY_LINE === '1') stdout.write(`${JSON.stringify({ ready: true, ...addresses })}\n`);
  const stop = (): void => void serving.stop().catch(() => undefined);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await serving.stopped;
  } finally {
    process.off('SIGHUP', reload);
  }
}
