import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createPatience } from './patience';
import { dieWithParent, hasEnded, stopChild } from './supervise';
import { withSignal } from '../platform/timers/with-signal';

export interface HttpChildOptions {
  /** for people: `the S3 server` */
  what: string;
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** where it answers */
  endpoint: string;
  /** gets its output, appended */
  logFile: string;
  /** kills it while it does not answer yet */
  signal?: AbortSignal;
}

export interface HttpChild {
  pid: number;
  /** SIGTERM, and SIGKILL after so many milliseconds (by default 5 s); safe to call twice */
  stop(graceMs?: number): Promise<void>;
}

/** Without an answer and without more of its log. */
const START_TIMEOUT_MS = 120_000;

/**
 * Starts a server as a process that dies with this one; resolves when it answers, whatever it answers.
 *
 * @throws Error with the end of its log when it ends, or stands still for too long; the signal's reason
 */
export async function startHttpChild(options: HttpChildOptions): Promise<HttpChild> {
  const { what, command, args, env = process.env, endpoint, logFile, signal } = options;
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, { stdio: ['ignore', log, log], env, detached: true });
  closeSync(log);
  child.on('error', () => undefined);
  dieWithParent(child);
  const patience = createPatience(START_TIMEOUT_MS, () => statSync(logFile).size);
  while (!(await answers(endpoint, signal))) {
    if (child.pid === undefined || hasEnded(child) || signal?.aborted || patience.isOver()) {
      await stopChild(child, signal?.aborted ? 0 : undefined);
      signal?.throwIfAborted();
      const tail = readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
      throw new Error(`Expected ${what} to answer at ${endpoint} within ${START_TIMEOUT_MS} ms; its log: ${tail}`);
    }
    await delay(25);
  }
  return { pid: child.pid as number, stop: (graceMs) => stopChild(child, graceMs) };
}

async function answers(endpoint: string, stopped?: AbortSignal): Promise<boolean> {
  try {
    const signals = stopped === undefined ? [] : [stopped];
    await withSignal({ timeoutMs: 1_000, signals }, async (signal) =>
      (await fetch(endpoint, { signal })).arrayBuffer(),
    );
    return true;
  } catch {
    return false;
  }
}
