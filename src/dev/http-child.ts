import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
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
}

export interface HttpChild {
  pid: number;
  /** SIGTERM, then SIGKILL; safe to call twice */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 120_000;

/**
 * Starts a server as a process that dies with this one; resolves when it answers, whatever it answers.
 *
 * @throws Error with the end of its log when it ends, or does not answer in time
 */
export async function startHttpChild(options: HttpChildOptions): Promise<HttpChild> {
  const { what, command, args, env = process.env, endpoint, logFile } = options;
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, { stdio: ['ignore', log, log], env, detached: true });
  closeSync(log);
  child.on('error', () => undefined);
  dieWithParent(child);
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(endpoint))) {
    if (child.pid === undefined || hasEnded(child) || Date.now() > deadlineMs) {
      await stopChild(child);
      const tail = readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
      throw new Error(`Expected ${what} to answer at ${endpoint} within ${START_TIMEOUT_MS} ms; its log: ${tail}`);
    }
    await delay(25);
  }
  return { pid: child.pid as number, stop: () => stopChild(child) };
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    await withSignal({ timeoutMs: 1_000 }, async (signal) => (await fetch(endpoint, { signal })).arrayBuffer());
    return true;
  } catch {
    return false;
  }
}
