import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../src/activities/create-gate-activities';
import { loadSettings } from '../src/settings/load-settings';
import { startNodeChild } from '../src/dev/child-process';
import { setLevel } from '../src/dev/dev-environment';
import { startTemporalServer } from '../src/dev/temporal-server';
import { createServices } from '../src/gate/services';
import { noOpActivities } from './no-op-activities';

const ROOT = resolve(__dirname, '..');

export interface StageEnvironment {
  client: Client;
  taskQueue: string;
  stop(): Promise<void>;
}

/**
 * A dev server that keeps nothing on disk, a LevelServer stand-in in a process of its own, and one worker for gated and
 * bare workflows alike. Facts are fetched anew for every decision; audit records go to a stream that discards them.
 */
export async function startStageEnvironment(): Promise<StageEnvironment> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-stage-'));
  const opened: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    const logger = new DefaultLogger('ERROR');
    Runtime.install({ logger });
    const server = await startTemporalServer({ logFile: join(folder, 'temporal.log') });
    opened.push(() => server.stop());
    const levels = await startNodeChild(join(ROOT, 'dist/dev/level-server.js'), {
      logFile: join(folder, 'levels.log'),
    });
    opened.push(() => levels.stop());
    const settingsFile = await writeSettings(folder, String(levels.ready.url), server.address);

    const loaded = await loadSettings(settingsFile, process.env, folder);
    const discarding = new Writable({ write: (_chunk, _encoding, done) => done() });
    const services = await createServices(loaded, { stdout: discarding });
    opened.push(() => services.close());
    services.releases.current();

    const { taskQueue, maxConcurrentActivities } = loaded.settings.temporal;
    const connection = await NativeConnection.connect({ address: server.address });
    opened.push(() => connection.close());
    const worker = await Worker.create({
      connection,
      taskQueue,
      workflowBundle: await bundleWorkflowCode({ workflowsPath: require.resolve('./workflows'), logger }),
      activities: { ...createActivities(services), ...noOpActivities },
      maxConcurrentActivityTaskExecutions: maxConcurrentActivities,
      shutdownGraceTime: '1s',
    });
    const running = worker.run();
    opened.push(async () => {
      worker.shutdown();
      await running;
    });
    const clientConnection = await Connection.connect({ address: server.address });
    opened.push(() => clientConnection.close());
    return { client: new Client({ connection: clientConnection }), taskQueue, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function writeSettings(folder: string, levelServerUrl: string, address: string): Promise<string> {
  await setLevel(levelServerUrl, 'pending_delta', { value: 10 });
  await setLevel(levelServerUrl, 'max_pending', { value: 80 });
  await setLevel(levelServerUrl, 'region_health', { value: { eu: { status: 'green' }, us: { status: 'green' } } });
  const provider = { type: 'levelServer', base: levelServerUrl, ttl: '0s' };
  const documents = {
    'release.json': { facts: { pending_delta: provider, max_pending: provider, region_health: provider } },
    'latest.json': { policy: join(ROOT, 'policy'), config: 'release.json', version: 'bench' },
    'settings.json': {
      temporal: { address },
      release: { manifest: 'latest.json' },
      audit: { store: { type: 'none' }, stdout: true },
      logLevel: 'warn',
    },
  };
  for (const [name, document] of Object.entries(documents)) writeFileSync(join(folder, name), JSON.stringify(document));
  return join(folder, 'settings.json');
}
