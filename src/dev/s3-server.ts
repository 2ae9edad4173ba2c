import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findTool } from '../tools/find-tool';
import { freePorts } from './free-ports';
import { dieWithParent, hasEnded, stopChild } from './supervise';

export interface S3ServerOptions {
  /** its buckets are folders in here; created when absent */
  folder: string;
  /** gets the server's output, appended */
  logFile: string;
  /** created when absent */
  buckets: readonly string[];
  /** @default a free one; pass a stopped server's to start it again at the same address */
  port?: number;
}

export interface S3Server {
  endpoint: string;
  port: number;
  region: string;
  /** AWS SDK's variables for a client of it: credentials, region, endpoint, no metadata service */
  env: Record<string, string>;
  pid: number;
  /** SIGTERM, then SIGKILL; safe to call twice */
  stop(): Promise<void>;
}

const ACCESS_KEY = 'local-access-key';
const SECRET_KEY = 'local-secret-key';
const REGION = 'us-east-1';
const START_TIMEOUT_MS = 15_000;

/**
 * A real S3 server (versitygw over a folder) on loopback; resolves when it answers. It dies with this process. It wants the
 * bucket in the path (`forcePathStyle`).
 *
 * @throws Error with the end of its log when it ends, or does not answer in time
 */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const { path } = await findTool('versitygw');
  const port = options.port ?? (await freePorts(1))[0]!;
  const data = join(options.folder, 'buckets');
  for (const bucket of options.buckets) mkdirSync(join(data, bucket), { recursive: true });
  const log = openSync(options.logFile, 'a');
  const child = spawn(path, ['--port', `127.0.0.1:${port}`, '--region', REGION, 'posix', data], {
    stdio: ['ignore', log, log],
    env: { ...process.env, ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
    detached: true,
  });
  closeSync(log);
  child.on('error', () => undefined);
  dieWithParent(child);
  const endpoint = `http://127.0.0.1:${port}`;
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(endpoint))) {
    if (child.pid === undefined || hasEnded(child) || Date.now() > deadlineMs) {
      await stopChild(child);
      const tail = readFileSync(options.logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
      throw new Error(
        `Expected the S3 server to answer at ${endpoint} within ${START_TIMEOUT_MS} ms; its log: ${tail}`,
      );
    }
    await delay(25);
  }
  return {
    endpoint,
    port,
    region: REGION,
    env: {
      AWS_ACCESS_KEY_ID: ACCESS_KEY,
      AWS_SECRET_ACCESS_KEY: SECRET_KEY,
      AWS_REGION: REGION,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    pid: child.pid as number,
    stop: () => stopChild(child),
  };
}

/** Any answer will do: without a signature it is a refusal. */
async function answers(endpoint: string): Promise<boolean> {
  try {
    await (await fetch(endpoint, { signal: AbortSignal.timeout(1_000) })).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
