import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../../src/dev/free-ports';
import { startHttpChild } from '../../src/dev/http-child';
import { userCacheFolder } from '../../src/platform/files/user-folders';
import { withLock } from '../../src/platform/tools/install/install-lock';
import { startDynamoDbLocal } from './dynamodb-local';

const run = promisify(execFile);
const INSTALL_WITHIN_MS = 480_000;

/** S3 and DynamoDB of a stand-in for AWS. */
export interface AwsStandIn {
  /** AWS SDK's variables for a client of it */
  env: Record<string, string>;
  stop(): Promise<void>;
}

interface PythonServer {
  name: string;
  version: string;
  /** of these the first that can make a virtual environment is taken */
  pythons: readonly string[];
  packages: readonly string[];
}

const MOTO: PythonServer = {
  name: 'moto',
  version: '5.2.5',
  pythons: ['python3.13', 'python3.12', 'python3.11'],
  packages: ['moto[server]==5.2.5'],
};

const LOCALSTACK: PythonServer = {
  name: 'localstack',
  version: '4.14.0',
  pythons: ['python3.13'],
  packages: ['localstack-core[runtime]==4.14.0', 'cbor2<5.8', 'pyopenssl<24.3', 'service_identity<25'],
};

/** moto's server; why not, as a text, where this machine cannot have it. */
export async function startMoto(folder: string): Promise<AwsStandIn | string> {
  const bin = await install(MOTO);
  if (typeof bin !== 'object') return bin;
  const [port] = (await freePorts(1)) as [number];
  const endpoint = `http://127.0.0.1:${port}`;
  const { stop } = await startHttpChild({
    what: 'moto',
    command: join(bin.folder, 'moto_server'),
    args: ['-H', '127.0.0.1', '-p', `${port}`],
    endpoint,
    logFile: join(folder, 'moto.log'),
  });
  return { env: envOf(endpoint, endpoint), stop: () => stop() };
}

/**
 * LocalStack's S3, and DynamoDB Local beside it: LocalStack starts the same one, but fetches it and its Java from places that
 * not every machine reaches.
 *
 * @returns why not, as a text, where this machine cannot have them
 */
export async function startLocalStack(folder: string): Promise<AwsStandIn | string> {
  const bin = await install(LOCALSTACK);
  if (typeof bin !== 'object') return bin;
  const dynamoDb = await startDynamoDbLocal();
  if (typeof dynamoDb === 'string') return dynamoDb;
  try {
    const [port] = (await freePorts(1)) as [number];
    const data = join(folder, 'localstack');
    await mkdir(data);
    const endpoint = `http://127.0.0.1:${port}`;
    const { stop } = await startHttpChild({
      what: 'LocalStack',
      command: join(bin.folder, 'python'),
      args: ['-m', 'localstack.runtime.main'],
      env: {
        ...process.env,
        ...{ GATEWAY_LISTEN: `127.0.0.1:${port}`, SERVICES: 's3', DNS_ADDRESS: '0', FILESYSTEM_ROOT: data },
        ...{ DISABLE_EVENTS: '1', SKIP_SSL_CERT_DOWNLOAD: '1' },
      },
      endpoint: `${endpoint}/_localstack/health`,
      logFile: join(folder, 'localstack.log'),
    });
    return {
      env: envOf(endpoint, dynamoDb.endpoint),
      stop: async () => {
        await stop();
        await dynamoDb.stop();
      },
    };
  } catch (error) {
    await dynamoDb.stop();
    throw error;
  }
}

function envOf(s3: string, dynamoDb: string): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_S3: s3,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** Its virtual environment in the cache folder, made once; a part of one, left by a process that died, is made again. */
async function install({ name, version, pythons, packages }: PythonServer): Promise<{ folder: string } | string> {
  const home = join(userCacheFolder('python', process.env), `${name}-${version}`);
  const folder = join(home, 'bin');
  const whole = join(home, 'installed');
  if (existsSync(whole)) return { folder };
  const python = await firstThatRuns(pythons);
  if (python === undefined) return `${name} ${version} needs one of ${pythons.join(', ')}, with venv`;
  await mkdir(dirname(home), { recursive: true });
  return withLock(`${home}.lock`, async () => {
    if (existsSync(whole)) return { folder };
    try {
      // A virtual environment cannot be moved: what says that it is whole comes last.
      await rm(home, { recursive: true, force: true });
      await run(python, ['-m', 'venv', home]);
      const pip = ['install', '--quiet', '--disable-pip-version-check', ...packages];
      await run(join(folder, 'pip'), pip, { timeout: INSTALL_WITHIN_MS });
      await writeFile(whole, `${packages.join('\n')}\n`);
      return { folder };
    } catch (error) {
      return `pip could not install ${name} ${version}: ${String((error as Error).message).split('\n')[0]}`;
    }
  });
}

/** A name on the PATH may be a shim for a version that is not there: only one that runs counts. */
async function firstThatRuns(pythons: readonly string[]): Promise<string | undefined> {
  for (const python of [process.env.PLANNING_ENGINE_PYTHON, ...pythons]) {
    if (python === undefined || python === '') continue;
    const works = await run(python, ['-c', 'import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 11))']).then(
      () => true,
      () => false,
    );
    if (works) return python;
  }
  return undefined;
}
