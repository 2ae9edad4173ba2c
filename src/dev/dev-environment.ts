import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startAlertReceiver, type AlertReceiverServer } from './alert-receiver';
import { startNodeChild, type NodeChild } from './child-process';
import { removeDevAddresses, writeDevAddresses, type DevAddresses } from './dev-addresses';
import { startTemporalServer, type TemporalServer } from './temporal-server';
import { ensureTools } from '../platform/tools/find-tool';

export interface DevEnvironmentOptions {
  /** databases, logs, settings and the audit store; kept between runs */
  folder: string;
  env: NodeJS.ProcessEnv;
  /** what the worker's release has beside the defaults, e.g. shorter durations */
  release?: { recheckEvery?: string; maxAge?: string; ttl?: string };
  /** serves rule policies beside the worker, over its store; @default false */
  server?: boolean;
  /** told what is being done */
  say(line: string): void;
  /** ends the start within a second: what was started is killed, and this signal's reason thrown */
  signal?: AbortSignal;
}

/** Everything of a gate on this machine: Temporal, a worker, stand-ins for a LevelServer and a shard manager, an alert receiver. */
export interface DevEnvironment {
  addresses: DevAddresses;
  temporal: TemporalServer;
  /** with the server in the same process, where there is one: an embedded store has one owner */
  worker: NodeChild;
  alerts: AlertReceiverServer;
  /** says which of its processes has ended by itself; undefined while all of them run */
  ended(): string | undefined;
  /** in reverse order, each killed after so many milliseconds (by default 5 s); safe to call twice */
  stop(graceMs?: number): Promise<void>;
}

const ROOT = resolve(__dirname, '..', '..');
/** Child processes run the built package, also when this file is run from source. */
const BUILT = join(ROOT, 'dist');
const FACTS = ['pending_delta', 'max_pending', 'region_health'] as const;

/**
 * Starts the environment on free loopback ports and writes its addresses where other commands find them.
 *
 * @throws the first part's error; what had been started is stopped again
 */
export async function startDevEnvironment(options: DevEnvironmentOptions): Promise<DevEnvironment> {
  const { folder, env, say, signal, server = false } = options;
  mkdirSync(folder, { recursive: true });
  const log = (name: string): string => join(folder, `${name}.log`);
  const started: ((graceMs?: number) => Promise<unknown>)[] = [];
  const stop = async (graceMs?: number): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end(graceMs);
  };
  try {
    // Here, with progress to be seen: the worker builds the policy with opa and must not install it behind its ready line.
    await ensureTools(['temporal', 'opa'], { say, signal });
    say('Starting a Temporal dev server');
    const temporal = await startTemporalServer({
      dbFile: join(folder, 'temporal.db'),
      logFile: log('temporal'),
      signal,
    });
    started.push((graceMs) => temporal.stop(graceMs));
    say(`Temporal answers at ${temporal.address}, its UI at ${temporal.uiUrl}`);

    const levelServer = await startNodeChild(join(BUILT, 'dev', 'level-server.js'), {
      logFile: log('level-server'),
      signal,
    });
    started.push((graceMs) => levelServer.stop(graceMs));
    const levelServerUrl = String(levelServer.ready.url);
    await seedLevels(levelServerUrl);
    say(`A LevelServer stand-in answers at ${levelServerUrl}`);

    const shardManager = await startNodeChild(join(BUILT, 'dev', 'shard-manager.js'), {
      logFile: log('shard-manager'),
      signal,
    });
    started.push((graceMs) => shardManager.stop(graceMs));
    const shardManagerUrl = String(shardManager.ready.url);
    say(`A shard manager stand-in answers at ${shardManagerUrl}`);

    const alerts = await startAlertReceiver();
    started.push(() => alerts.close());
    say(`An alert receiver listens at ${alerts.url}`);
    const beside = server ? ' with the server of rule policies beside it' : '';
    say(`Starting a worker${beside}, which creates its audit store and builds the policy`);

    const parts = { temporal, levelServerUrl, shardManagerUrl, alertUrl: alerts.url, server, ...options.release };
    const settings = writeSettings(folder, parts);
    const worker = await startNodeChild(join(BUILT, 'cli', 'main.js'), {
      args: [server ? 'server' : 'worker', '--settings', settings],
      env: { ...env, GATE_READY_LINE: '1', LOG_FORMAT: 'json' },
      logFile: log('worker'),
      signal,
    });
    started.push((graceMs) => worker.stop(graceMs));
    say(`A worker runs; health and metrics at ${String(worker.ready.http)}`);
    const serverUrl = server ? String(worker.ready.url) : undefined;
    if (serverUrl !== undefined) {
      // Other commands find the server by these settings: they name the port that it took.
      writeSettings(folder, { ...parts, serverPort: Number(new URL(serverUrl).port) });
      say(`Rule policies and plans are served at ${serverUrl}`);
    }

    const addresses: DevAddresses = {
      pid: process.pid,
      temporalAddress: temporal.address,
      namespace: temporal.namespace,
      uiUrl: temporal.uiUrl,
      settings,
      levelServer: levelServerUrl,
      shardManager: shardManagerUrl,
      alertReceiver: alerts.url,
      ...(serverUrl === undefined ? {} : { server: serverUrl }),
    };
    writeDevAddresses(folder, addresses);
    started.push(async () => removeDevAddresses(folder));
    return {
      addresses,
      temporal,
      worker,
      alerts,
      ended: () => endedOf({ worker, levelServer, shardManager, temporal }, folder),
      stop,
    };
  } catch (error) {
    await stop(signal?.aborted ? 0 : undefined);
    throw error;
  }
}

/** Which of these processes has ended, in a sentence with the place of its log. */
export function endedOf(processes: Record<string, { pid: number }>, folder: string): string | undefined {
  const name = Object.keys(processes).find((key) => !isAlive(processes[key]!.pid));
  const file = name?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return name === undefined ? undefined : `the process ${file} has ended; its log is ${join(folder, `${file}.log`)}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function setLevel(levelServerUrl: string, factId: string, metric: Record<string, unknown>): Promise<void> {
  const response = await fetch(`${levelServerUrl}/admin/metrics/${encodeURIComponent(factId)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metric),
  });
  if (!response.ok) throw new Error(`The LevelServer stand-in answered ${response.status}: ${await response.text()}`);
}

async function seedLevels(url: string): Promise<void> {
  await setLevel(url, 'pending_delta', { value: 120 });
  await setLevel(url, 'max_pending', { value: 800 });
  await setLevel(url, 'region_health', { value: { eu: { status: 'green' }, us: { status: 'green' } } });
}

interface SettingsParts {
  temporal: TemporalServer;
  levelServerUrl: string;
  shardManagerUrl: string;
  alertUrl: string;
  server: boolean;
  /** @default a free one */
  serverPort?: number;
  recheckEvery?: string;
  maxAge?: string;
  ttl?: string;
}

/** Settings, manifest and release configuration as a user would write them; returns the settings file. */
function writeSettings(folder: string, parts: SettingsParts): string {
  const { temporal, levelServerUrl, shardManagerUrl, alertUrl, server, serverPort = 0 } = parts;
  const { recheckEvery, maxAge, ttl } = parts;
  const provider = { type: 'levelServer', base: levelServerUrl, maxAge, ttl };
  const release = { facts: Object.fromEntries(FACTS.map((id) => [id, provider])), stages: { recheckEvery } };
  const manifest = { policy: join(ROOT, 'policy'), config: 'release.json', version: 'dev' };
  const settings = {
    temporal: { address: temporal.address, namespace: temporal.namespace },
    release: { manifest: 'latest.json' },
    audit: { store: { folder: 'store' } },
    alerts: { receivers: [{ format: 'alertmanager', url: alertUrl }], uiUrl: temporal.uiUrl },
    shards: { manager: { url: shardManagerUrl } },
    // The server's store has the policies; without a server they are files.
    ...(server ? { server: { port: serverPort } } : { rules: { policies: 'rules' } }),
    http: { port: 0 },
  };
  for (const [name, document] of Object.entries({
    'release.json': release,
    'latest.json': manifest,
    'settings.json': settings,
  })) {
    writeFileSync(join(folder, name), `${JSON.stringify(document, null, 2)}\n`);
  }
  return join(folder, 'settings.json');
}
