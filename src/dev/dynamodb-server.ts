import { freePorts } from './free-ports';
import { startHttpChild } from './http-child';

export interface DynamoDbServerOptions {
  /** gets the server's output, appended */
  logFile: string;
  /** where tables are kept; absent, in memory: a stopped server's are gone */
  folder?: string;
  /** @default a free one; pass a stopped server's to start it again at the same address */
  port?: number;
  /** kills it while it does not answer yet */
  signal?: AbortSignal;
}

export interface DynamoDbServer {
  endpoint: string;
  port: number;
  region: string;
  /** AWS SDK's variables for a client of it */
  env: Record<string, string>;
  pid: number;
  /** SIGTERM, and SIGKILL after so many milliseconds (by default 5 s); safe to call twice */
  stop(graceMs?: number): Promise<void>;
}

const REGION = 'us-east-1';

/**
 * A DynamoDB stand-in (dynalite) on loopback; resolves when it answers. It dies with this process. It knows no TTL and no
 * transactions.
 *
 * @throws Error with the end of its log when it ends, or does not answer in time
 */
export async function startDynamoDbServer(options: DynamoDbServerOptions): Promise<DynamoDbServer> {
  const port = options.port ?? (await freePorts(1))[0]!;
  const endpoint = `http://127.0.0.1:${port}`;
  const { pid, stop } = await startHttpChild({
    what: 'the DynamoDB stand-in',
    command: process.execPath,
    args: [
      require.resolve('dynalite/cli.js'),
      ...['--host', '127.0.0.1', '--port', `${port}`],
      ...['--createTableMs', '0', '--deleteTableMs', '0', '--updateTableMs', '0'],
      ...(options.folder === undefined ? [] : ['--path', options.folder]),
    ],
    endpoint,
    logFile: options.logFile,
    signal: options.signal,
  });
  return {
    endpoint,
    port,
    region: REGION,
    env: {
      AWS_ACCESS_KEY_ID: 'local-access-key',
      AWS_SECRET_ACCESS_KEY: 'local-secret-key',
      AWS_REGION: REGION,
      AWS_ENDPOINT_URL_DYNAMODB: endpoint,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    pid,
    stop,
  };
}
