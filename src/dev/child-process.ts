import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { isJsonObject, type JsonObject } from '../kernel/json';
import { dieWithParent, ended, hasEnded, stopChild } from './supervise';

export interface NodeChildOptions {
  args?: readonly string[];
  /** added to this process's environment */
  env?: NodeJS.ProcessEnv;
  /** gets the child's stderr, appended */
  logFile: string;
  /** how long until the ready line; @default 120000 */
  readyTimeoutMs?: number;
}

export interface NodeChild {
  pid: number;
  /** the first line of stdout that is a JSON object */
  ready: JsonObject;
  /** SIGTERM, then SIGKILL; safe to call twice */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would */
  kill(): Promise<void>;
  /** resolves when it has ended, with its exit code, or null when a signal ended it */
  exited: Promise<number | null>;
}

/**
 * Starts the Node program `script` and resolves when it prints its ready line, a JSON object. Later lines of its stdout
 * are read and dropped. The child dies with this process.
 *
 * @throws Error with the end of its log when it ends before it is ready, or is not ready in time
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
  const exited = ended(child).then(() => child.exitCode);
  const readyTimeoutMs = options.readyTimeoutMs ?? 120_000;
  const ready = new Promise<JsonObject | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), readyTimeoutMs);
    const settle = (line?: JsonObject): void => {
      clearTimeout(timer);
      resolve(line);
    };
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const parsed = parseObject(line);
      if (parsed !== undefined) settle(parsed);
    });
    void exited.then(() => settle());
  });
  const line = await ready;
  if (line === undefined) {
    const why = hasEnded(child) ? `it ended (exit code ${child.exitCode})` : `${readyTimeoutMs} ms passed`;
    await stopChild(child);
    const tail = readFileSync(options.logFile, 'utf8').trim().split('\n').slice(-10).join('\n');
    throw new Error(`Expected ${script} to print a ready line of JSON, but ${why}: ${tail}`);
  }
  return {
    pid: child.pid as number,
    ready: line,
    exited,
    stop: () => stopChild(child),
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
