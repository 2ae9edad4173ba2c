import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { untilAborted } from '../platform/timers/with-signal';
import { findTool } from '../platform/tools/find-tool';
import { SEARCH_ATTRIBUTES } from '../workflows/search-attributes';
import { freePorts } from './free-ports';
import { createPatience } from './patience';
import { dieWithParent, hasEnded, stopChild } from './supervise';

/** Loopback ports of one dev server; pass a running server's to start it again at the same address. */
export interface TemporalPorts {
  grpc: number;
  http: number;
  ui: number;
  metrics: number;
}

export interface TemporalServerOptions {
  /** absent, everything is lost when the server ends; its folder is created */
  dbFile?: string;
  /** @default 'default' */
  namespace?: string;
  /** names of Keyword search attributes; @default the product's own */
  searchAttributes?: readonly string[];
  /** @default free ones */
  ports?: TemporalPorts;
  /** settings of the server itself, such as `matching.numTaskqueueReadPartitions=4`; @default none */
  dynamicConfig?: readonly string[];
  /** gets the server's output, appended */
  logFile: string;
  /** how long without a sign of progress (an answer, or more of its log) until it is given up; @default 120000 */
  startTimeoutMs?: number;
  /** kills it while it does not answer yet */
  signal?: AbortSignal;
}

export interface TemporalServer {
  /** host and port of the gRPC frontend */
  address: string;
  namespace: string;
  uiUrl: string;
  ports: TemporalPorts;
  pid: number;
  /** SIGTERM, and SIGKILL after so many milliseconds (by default 5 s); resolves when the process is gone; safe to call twice */
  stop(graceMs?: number): Promise<void>;
}

const ATTEMPTS = 3;
const POLL_MS = 50;

/** The server ended before it answered. It picks ports for its inner services by itself, and a busy machine may take one. */
class EndedEarly extends Error {
  constructor(
    message: string,
    readonly portsWereTaken: boolean,
  ) {
    super(message);
  }
}

/**
 * Starts `temporal server start-dev` on loopback and resolves when the namespace answers and knows the search attributes.
 * A server that ends before it answers is started again, with other ports; ports that were given are kept, and taken ones
 * are an error. The server dies with this process (see `dieWithParent`).
 *
 * @throws Error with the last lines of the log when the server ends or stands still for too long; the signal's reason
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { path } = await findTool('temporal', { signal: options.signal });
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(path, options, options.ports ?? (await chosenPorts()));
    } catch (error) {
      if (!(error instanceof EndedEarly) || attempt === ATTEMPTS) throw error;
      if (error.portsWereTaken && options.ports !== undefined) throw error;
    }
  }
}

async function chosenPorts(): Promise<TemporalPorts> {
  const [grpc = 0, http = 0, ui = 0, metrics = 0] = await freePorts(4);
  return { grpc, http, ui, metrics };
}

async function startOnce(path: string, options: TemporalServerOptions, ports: TemporalPorts): Promise<TemporalServer> {
  const namespace = options.namespace ?? 'default';
  const searchAttributes = options.searchAttributes ?? SEARCH_ATTRIBUTES.map((key) => key.name);
  mkdirSync(dirname(options.logFile), { recursive: true });
  if (options.dbFile !== undefined) mkdirSync(dirname(options.dbFile), { recursive: true });
  const log = openSync(options.logFile, 'a');
  const logStart = fstatSync(log).size;
  const args = [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--namespace', namespace],
    ...['--port', `${ports.grpc}`, '--http-port', `${ports.http}`, '--ui-port', `${ports.ui}`],
    ...['--metrics-port', `${ports.metrics}`, '--log-level', 'warn'],
    ...(options.dbFile === undefined ? [] : ['--db-filename', options.dbFile]),
    ...searchAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ...(options.dynamicConfig ?? []).flatMap((setting) => ['--dynamic-config-value', setting]),
  ];
  // Detached, so that a Ctrl-C in the terminal reaches us alone, and the server is stopped last.
  const child = spawn(path, args, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  child.on('error', () => undefined);
  dieWithParent(child);
  const address = `127.0.0.1:${ports.grpc}`;
  try {
    await answers(child, ports, namespace, searchAttributes, { ...options, logStart });
  } catch (error) {
    await stopChild(child, options.signal?.aborted ? 0 : undefined);
    throw error;
  }
  const pid = child.pid as number;
  return {
    address,
    namespace,
    uiUrl: `http://127.0.0.1:${ports.ui}`,
    ports,
    pid,
    stop: (graceMs) => stopChild(child, graceMs),
  };
}

async function answers(
  child: ChildProcess,
  ports: TemporalPorts,
  namespace: string,
  searchAttributes: readonly string[],
  options: TemporalServerOptions & { logStart: number },
): Promise<void> {
  const address = `127.0.0.1:${ports.grpc}`;
  const said = (): string => readFileSync(options.logFile).subarray(options.logStart).toString();
  const timeoutMs = options.startTimeoutMs ?? 120_000;
  const patience = createPatience(timeoutMs, () => statSync(options.logFile).size);
  while (!patience.isOver()) {
    options.signal?.throwIfAborted();
    if (child.pid === undefined || hasEnded(child)) {
      const taken = said()
        .split('\n')
        .filter((line) => line.includes('address already in use'));
      const own = Object.values(ports).map((port) => `:${port}: `);
      throw new EndedEarly(
        `The Temporal dev server ended before it answered at ${address}: ${reasonOf(said())}`,
        taken.some((line) => own.some((port) => line.includes(port))),
      );
    }
    // Its own word first: on a taken port it is another server that answers.
    const announced = said().includes('Server: ');
    if (announced && (await untilAborted(options.signal, isReady(address, namespace, searchAttributes)))) return;
    await delay(POLL_MS);
  }
  throw new Error(
    `Expected the Temporal dev server at ${address} to answer within ${timeoutMs} ms; its log: ${reasonOf(said())}`,
  );
}

async function isReady(address: string, namespace: string, searchAttributes: readonly string[]): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 1_000 }).catch(() => undefined);
  if (connection === undefined) return false;
  try {
    await connection.workflowService.describeNamespace({ namespace });
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return searchAttributes.every((name) => Object.hasOwn(customAttributes ?? {}, name));
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

/** The lines that say why, before the stacks of a Go program; otherwise the last ones. */
function reasonOf(log: string): string {
  const lines = log.trim().split('\n');
  const reasons = lines.filter((line) => /^(panic|fatal error|Error)\b|address already in use/.test(line));
  return (reasons.length > 0 ? reasons : lines).slice(-5).join('\n') || '(the log is empty)';
}
