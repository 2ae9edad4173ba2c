import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../src/dev/free-ports';
import { startHttpChild } from '../../src/dev/http-child';
import { startDynamoDbLocal } from './dynamodb-local';
import { installPythonPackages, type PythonPackages } from './python-packages';

/** S3 and DynamoDB of a stand-in for AWS. */
export interface AwsStandIn {
  /** AWS SDK's variables for a client of it */
  env: Record<string, string>;
  stop(): Promise<void>;
}

const { PLANNING_ENGINE_PYTHON: chosen } = process.env;
const CHOSEN = chosen === undefined || chosen === '' ? [] : [chosen];

const MOTO: PythonPackages = {
  name: 'moto',
  version: '5.2.5',
  pythons: [...CHOSEN, 'python3.13', 'python3.12', 'python3.11'],
  oldestMinor: 11,
  packages: ['moto[server]==5.2.5'],
};

const LOCALSTACK: PythonPackages = {
  name: 'localstack',
  version: '4.14.0',
  pythons: [...CHOSEN, 'python3.13'],
  // It installs under 3.11, and then S3 fails at syntax that this one does not know.
  oldestMinor: 13,
  packages: ['localstack-core[runtime]==4.14.0', 'cbor2<5.8', 'pyopenssl<24.3', 'service_identity<25'],
};

/** moto's server; why not, as a text, where this machine cannot have it. */
export async function startMoto(folder: string): Promise<AwsStandIn | string> {
  const bin = await installPythonPackages(MOTO);
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
  const bin = await installPythonPackages(LOCALSTACK);
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
        ...{ GATEWAY_LISTEN: `127.0.0.1:${port}`, SERVICES: 's3', DNS_ADDRESS: '0' },
        // In a container its files would be in /var/lib/localstack.
        ...{ OVERRIDE_IN_DOCKER: '0', FILESYSTEM_ROOT: data },
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
