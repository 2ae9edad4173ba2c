import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findTool } from '../platform/tools/find-tool';
import { freePorts } from './free-ports';
import { startHttpChild } from './http-child';

export interface S3ServerOptions {
  /** its buckets are folders in here; created when absent */
  folder: string;
  /** gets the server's output, appended */
  logFile: string;
  /** created when absent */
  buckets: readonly string[];
  /** @default a free one; pass a stopped server's to start it again at the same address */
  port?: number;
  /** kills it while it does not answer yet */
  signal?: AbortSignal;
}

export interface S3Server {
  endpoint: string;
  port: number;
  region: string;
  /** AWS SDK's variables for a client of it: credentials, region, endpoint, no metadata service */
  env: Record<string, string>;
  pid: number;
  /** SIGTERM, and SIGKILL after so many milliseconds (by default 5 s); safe to call twice */
  stop(graceMs?: number): Promise<void>;
}

const ACCESS_KEY = 'local-access-key';
const SECRET_KEY = 'local-secret-key';
const REGION = 'us-east-1';

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
  const endpoint = `http://127.0.0.1:${port}`;
  const { pid, stop } = await startHttpChild({
    what: 'the S3 server',
    command: path,
    args: ['--port', `127.0.0.1:${port}`, '--region', REGION, 'posix', data],
    env: { ...process.env, ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
    endpoint,
    logFile: options.logFile,
    signal: options.signal,
  });
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
    pid,
    stop,
  };
}
