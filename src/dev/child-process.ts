import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { isJsonObject, type JsonObject } from '../kernel/json';
import { createPatience } from './patience';
import { dieWithParent, ended, hasEnded, stopChild } from './supervise';

export interface NodeChildOptions {
  args?: readonly string[];
  /** added to this process's environment */
  env?: NodeJS.ProcessEnv;
  /** gets the child's stderr, appended */
  logFile: string;
  /** how long without a sign of progress (the ready line, or more of its log) until it is given up; @default 120000 */
  readyTimeoutMs?: number;
  /** kills it while it is not ready */
  signal?: AbortSignal;
}

export interface NodeChild {
  pid: number;
  /** the first line of stdout that is a JSON object */
  ready: JsonObject;
  /** SIGTERM, and SIGKILL after so many milliseconds (by default 5 s); safe to call twice */
  stop(graceMs?: number): Promise<void>;
  /** SIGKILL, as a crash would */
  kill(): Promise<void>;
  /** resolves when it has ended, with its exit code, or null when a signal ended it */
  exited: Promise<number | null>;
}

const POLL_MS = 100;

/**
 * Starts the Node program `script` and resolves when it prints its ready line: the first JSON object, or with `GATE_READY_LINE`
 * the one that has `ready: true`. Other lines of its stdout are read and dropped. The child dies with this process.
 *
 * @throws Error with the end of its log when it ends before it is ready, or stands still for too long; the signal's reason
 */
export async function startNodeChild(script: string, options: NodeChildOptions): Promise<NodeChild> {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a');
  const child = spawn(process.execPath, [script, ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', log],
    env: { ...process.env, ...options.env },
    detached: true,
  });
  closeSync(log);
  child.on('error', () => undefined);
  dieWithParent(child);
  const saysReady = options.env?.GATE_READY_LINE === '1';
  const exited = ended(child).then(() => child.exitCode);
  const readyTimeoutMs = options.readyTimeoutMs ?? 120_000;
  const ready = new Promise<JsonObject | undefined>((resolve) => {
    const patience = createPatience(readyTimeoutMs, () => statSync(options.logFile).size);
    const timer = setInterval(() => patience.isOver() && settle(), Math.min(POLL_MS, readyTimeoutMs));
    const settle = (line?: JsonObject): void => {
      clearInterval(timer);
      resolve(line);
    };
    options.signal?.addEventListener('abort', () => settle(), { once: true });
    if (options.signal?.aborted) settle();
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const parsed = parseObject(line);
      // A worker that takes up work may write copies of its records before.
      if (parsed !== undefined && (parsed.ready === true || !saysReady)) settle(parsed);
    });
    void exited.then(() => settle());
  });
  const line = await ready;
  if (line === undefined) {
    const why = hasEnded(child) ? `it ended (exit code ${child.exitCode})` : `${readyTimeoutMs} ms passed`;
    await stopChild(child, options.signal?.aborted ? 0 : undefined);
    options.signal?.throwIfAborted();
    const tail = readFileSync(options.logFile, 'utf8').trim().split('\n').slice(-10).join('\n');
    throw new Error(`Expected ${script} to print a ready line of JSON, but ${why}: ${tail}`);
  }
  return {
    pid: child.pid as number,
    ready: line,
    exited,
    stop: (graceMs) => stopChild(child, graceMs),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function parseObject(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
