import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensureTools } from '../platform/tools/find-tool';
import { startAlertReceiver, type AlertReceiverServer } from './alert-receiver';
import { startNodeChild, type NodeChild } from './child-process';
import { startDynamoDbServer } from './dynamodb-server';
import { endedOf } from './dev-environment';
import { startS3Server } from './s3-server';
import { startTemporalServer, type TemporalServer } from './temporal-server';

export interface AwsEnvironmentOptions {
  /** data and logs of everything */
  folder: string;
  /** what the commands' own environment is made from */
  env: NodeJS.ProcessEnv;
  /** told what is being done */
  say(line: string): void;
  /** ends the start within a second: what was started is killed, and this signal's reason thrown */
  signal?: AbortSignal;
}

/** What a production gate needs, on this machine: Temporal, S3, DynamoDB, a LevelServer stand-in, an alert receiver. */
export interface AwsEnvironment {
  temporal: TemporalServer;
  levelServerUrl: string;
  alerts: AlertReceiverServer;
  /** says which of its processes has ended by itself; undefined while all of them run */
  ended(): string | undefined;
  /** the environment of workers and commands: where everything is, and the settings `configs/examples/local-aws.pkl` */
  env: NodeJS.ProcessEnv;
  startWorker(name: string): Promise<NodeChild>;
  /** in reverse order, each killed after so many milliseconds (by default 5 s); safe to call twice */
  stop(graceMs?: number): Promise<void>;
}

const ROOT = resolve(__dirname, '..', '..');
/** Child processes run the built package, also when this file is run from source. */
const BUILT = join(ROOT, 'dist');
export const LOCAL_AWS_SETTINGS = join(ROOT, 'configs', 'examples', 'local-aws.pkl');

/** @throws the first part's error; what had been started is stopped again */
export async function startAwsEnvironment({
  folder,
  env,
  say,
  signal,
}: AwsEnvironmentOptions): Promise<AwsEnvironment> {
  mkdirSync(folder, { recursive: true });
  const log = (name: string): string => join(folder, `${name}.log`);
  const started: ((graceMs?: number) => Promise<unknown>)[] = [];
  const stop = async (graceMs?: number): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end(graceMs);
  };
  try {
    await ensureTools(['temporal', 'opa', 'versitygw'], { say, signal });
    say('Starting a Temporal dev server, an S3 server and a DynamoDB');
    const temporal = await startTemporalServer({
      dbFile: join(folder, 'temporal.db'),
      logFile: log('temporal'),
      searchAttributes: [],
      signal,
    });
    started.push((graceMs) => temporal.stop(graceMs));
    const s3 = await startS3Server({
      folder: join(folder, 's3'),
      logFile: log('s3'),
      buckets: ['gate'],
      signal,
    });
    started.push((graceMs) => s3.stop(graceMs));
    const dynamoDb = await startDynamoDbServer({ logFile: log('dynamodb'), signal });
    started.push((graceMs) => dynamoDb.stop(graceMs));
    const levelServer = await startNodeChild(join(BUILT, 'dev', 'level-server.js'), {
      logFile: log('level-server'),
      signal,
    });
    started.push((graceMs) => levelServer.stop(graceMs));
    const alerts = await startAlertReceiver();
    started.push(() => alerts.close());
    say(`Temporal answers at ${temporal.address}, its UI at ${temporal.uiUrl}`);
    say(
      `S3 answers at ${s3.endpoint}, DynamoDB at ${dynamoDb.endpoint}, the LevelServer at ${String(levelServer.ready.url)}`,
    );

    const workers: Record<string, NodeChild> = {};
    const gateEnv: NodeJS.ProcessEnv = {
      ...withoutOurs(env),
      ...s3.env,
      ...dynamoDb.env,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      ALERT_RECEIVER_URL: alerts.url,
      GATE_SETTINGS: LOCAL_AWS_SETTINGS,
      XDG_CACHE_HOME: env.XDG_CACHE_HOME,
      XDG_DATA_HOME: join(folder, 'data'),
    };
    return {
      temporal,
      levelServerUrl: String(levelServer.ready.url),
      alerts,
      ended: () => endedOf({ temporal, s3, dynamodb: dynamoDb, levelServer, ...workers }, folder),
      env: gateEnv,
      startWorker: async (name) => {
        const worker = await startNodeChild(join(BUILT, 'cli', 'main.js'), {
          args: ['worker'],
          env: { ...gateEnv, GATE_READY_LINE: '1', LOG_FORMAT: 'json' },
          logFile: log(name),
          signal,
        });
        started.push((graceMs) => worker.stop(graceMs));
        workers[name] = worker;
        return worker;
      },
      stop,
    };
  } catch (error) {
    await stop(signal?.aborted ? 0 : undefined);
    throw error;
  }
}

/** The user's own Temporal and AWS must not be spoken to. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(TEMPORAL_|AWS_|GATE_)/.test(name)));
}
