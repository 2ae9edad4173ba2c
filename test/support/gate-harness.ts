import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { destination, type Logger } from 'pino';
import { run } from '../../src/cli/run';
import { loadSettings } from '../../src/settings/load-settings';
import type { ShownStatus } from './shown-status';
import { startAlertReceiver, type AlertReceiverServer } from '../../src/dev/alert-receiver';
import { startNodeChild, type NodeChild } from '../../src/dev/child-process';
import { startLevelServer, type LevelServer } from '../../src/dev/level-server';
import { startTemporalServer, type TemporalServer } from '../../src/dev/temporal-server';
import { createLogger } from '../../src/platform/observability/logger';
import { startWorker, type RunningWorker } from '../../src/worker';
import { eventually } from './temporal-env';
import { knownResult } from '../cli/known-result';

export const ROOT = resolve(__dirname, '..', '..');

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Commands that change nothing. */
const ASKS = ['status', 'explain'];
const NOT_ANSWERED = 4;

/** A real Temporal server with everything around it; the worker is started by the test, in process or as a child. */
export interface GateHarness {
  folder: string;
  env: NodeJS.ProcessEnv;
  settingsFile: string;
  temporal: TemporalServer;
  levels: LevelServer;
  alerts: AlertReceiverServer;
  /** for gates in this process: they log to `worker.log` in the folder, and their copies of records go nowhere */
  quiet: { logger: Logger; stdout: Writable };
  /** runs a `gate` command in this process; `status` and `explain` until they were answered, which a busy machine may do late */
  cli(...args: string[]): Promise<CliResult>;
  /** a command that goes on for a while. `said` is what it has written to standard error */
  startCli(...args: string[]): { said(): string; ended: Promise<CliResult> };
  /** the command's answer as JSON, whatever its exit code */
  json<T>(...args: string[]): Promise<T>;
  /** ids of the deployments that `gate list --running` shows */
  running(): Promise<string[]>;
  startWorker(): Promise<RunningWorker>;
  /** a worker of its own process, from the built package, which a test may kill */
  spawnWorker(): Promise<NodeChild>;
  /** starts Temporal again at the same address and on the same database */
  restartTemporal(): Promise<void>;
  writeRelease(release: Record<string, unknown>): void;
  writeManifest(manifest: Record<string, unknown>): void;
  /** writes a deployment file and returns its path */
  deployment(id: string, stages: Record<string, unknown>[]): string;
  /** all levels are well */
  heal(): void;
  /** waits until the deployment is in `state` */
  reaches(id: string, state: string): Promise<ShownStatus>;
  /** waits until it is paused for this reason, whatever it paused on before */
  pausedOn(id: string, reason: string): Promise<ShownStatus>;
  stop(): Promise<void>;
}

export interface HarnessOptions {
  settings?: Record<string, unknown>;
  release?: Record<string, unknown>;
  /** @default a minute */
  factTimeoutMs?: number;
}

/** A `gate deploy --wait` that ends only when the deployment does. */
export const WAIT = ['--wait', '--timeout', '5m'] as const;

/** Who calls, and why. */
export const CALLER = ['--actor', 'ann', '--reason', 'checked by hand'] as const;

/** The caller with the patience of somebody on a busy machine: by default a call is given up after ten seconds. */
export const OPERATOR = [...CALLER, '--timeout', '5m'] as const;

/** For tests that hang a source of facts: they wait for it, and a healthy source must not reach it. */
export const FACT_TIMEOUT_MS = 3_000;

/** No step runs out of its time because the machine does much else; those that fail are tried again at once. */
const patient = { timeout: '2m', maximumAttempts: 2, initialInterval: '50ms', maximumInterval: '100ms' };
const stepsOf = (step: typeof patient): Record<string, unknown> => ({
  collectFacts: step,
  evaluatePolicy: step,
  recordDecision: step,
  action: { ...step, maximumAttempts: 5 },
  alert: step,
});

/** For tests that kill a worker or freeze a store: Temporal gives a step to the next worker when its time is over. */
export const SHORT_STEPS = { activities: stepsOf({ ...patient, timeout: '5s', maximumAttempts: 4 }) };

/** Release configuration with short pauses between attempts and checks, so that no test sleeps for seconds. */
export function quickRelease(
  levelServerUrl: string,
  overrides: Record<string, unknown> = {},
  factTimeoutMs = 60_000,
): Record<string, unknown> {
  const provider = {
    type: 'levelServer',
    base: levelServerUrl,
    ttl: '0s',
    maxAge: '45s',
    timeout: `${factTimeoutMs}ms`,
  };
  return {
    facts: { pending_delta: provider, max_pending: provider, region_health: provider },
    stages: { recheckEvery: '200ms' },
    circuitBreaker: { failures: 1000 },
    evaluation: { deadline: '1m' },
    activities: stepsOf(patient),
    ...overrides,
  };
}

export async function startGateHarness(options: HarnessOptions = {}): Promise<GateHarness> {
  const folder = mkdtempSync(join(tmpdir(), 'gate-e2e-'));
  const logFile = join(folder, 'temporal.log');
  const dbFile = join(folder, 'temporal.db');
  const [temporal, levels, alerts] = await Promise.all([
    startTemporalServer({ dbFile, logFile }),
    startLevelServer(),
    startAlertReceiver(),
  ]);
  const env: NodeJS.ProcessEnv = { ...process.env, XDG_DATA_HOME: folder, NO_COLOR: '1', LOG_FORMAT: 'json' };
  for (const name of Object.keys(env)) if (name.startsWith('TEMPORAL_') || name.startsWith('GATE_')) delete env[name];
  const write = (name: string, document: unknown): string => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(document, null, 2));
    return path;
  };
  const settingsFile = write('settings.json', {
    temporal: {
      address: temporal.address,
      namespace: temporal.namespace,
      workflowTaskTimeout: '5s',
      shutdownGraceTime: '1s',
    },
    release: { manifest: 'latest.json', refreshInterval: '200ms' },
    audit: { store: { folder: 'store' } },
    alerts: { receivers: [{ format: 'alertmanager', url: alerts.url }] },
    http: { port: 0 },
    logLevel: 'warn',
    ...options.settings,
  });
  const workers: { stop(): Promise<unknown> }[] = [];

  const harness: GateHarness = {
    folder,
    env,
    settingsFile,
    temporal,
    levels,
    alerts,
    quiet: {
      logger: createLogger({
        level: 'warn',
        destination: destination({ dest: join(folder, 'worker.log'), sync: true }),
      }),
      stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
    },
    cli: (...args) => {
      if (!ASKS.includes(args[0] ?? '')) return harness.startCli(...args).ended;
      return eventually(`gate ${args.join(' ')} to be answered`, async () => {
        const result = await harness.startCli(...args).ended;
        return result.code !== NOT_ANSWERED && result;
      });
    },
    startCli: (...args) => {
      let stdout = '';
      let stderr = '';
      const io = {
        stdout: { write: (text: string) => (stdout += text) },
        stderr: { write: (text: string) => (stderr += text) },
        env: { ...env, GATE_SETTINGS: settingsFile },
        cwd: folder,
        signal: new AbortController().signal,
      };
      return { said: () => stderr, ended: run(args, io).then((code) => ({ code, stdout, stderr })) };
    },
    json: async <T>(...args: string[]) => {
      const { stdout, stderr } = await harness.cli(...args, '-o', 'json');
      if (stdout === '') throw new Error(`gate ${args.join(' ')} printed nothing: ${stderr}`);
      return knownResult<T>(stdout);
    },
    running: async () =>
      (await harness.json<{ deployment_id: string }[]>('list', '--running')).map((row) => row.deployment_id),
    startWorker: async () => {
      const worker = await startWorker(await loadSettings(settingsFile, env, folder), { env, ...harness.quiet });
      workers.push(worker);
      return worker;
    },
    spawnWorker: async () => {
      const worker = await startNodeChild(join(ROOT, 'dist', 'cli', 'main.js'), {
        args: ['worker', '--settings', settingsFile],
        env: { ...env, GATE_READY_LINE: '1' },
        logFile: join(folder, 'worker.log'),
      });
      workers.push(worker);
      return worker;
    },
    restartTemporal: async () => {
      await harness.temporal.stop();
      harness.temporal = await startTemporalServer({ dbFile, logFile, ports: temporal.ports });
    },
    writeRelease: (release) => void write('release.json', release),
    writeManifest: (manifest) => void write('latest.json', manifest),
    deployment: (id, stages) => write(`${id}.json`, { id, stages }),
    heal: () => {
      levels.setMetric('pending_delta', { value: 100 });
      levels.setMetric('max_pending', { value: 800 });
      levels.setMetric('region_health', { value: { eu: { status: 'green' }, us: { status: 'green' } } });
      levels.setMetric('devices', {});
    },
    reaches: (id, state) =>
      eventually(`deployment ${id} to be ${state}`, async () => {
        const status = await harness.json<ShownStatus>('status', id);
        return status.state === state && status;
      }),
    pausedOn: (id, reason) =>
      eventually(`deployment ${id} to be paused on ${reason}`, async () => {
        const status = await harness.json<ShownStatus>('status', id);
        return status.state === 'paused' && status.pause?.reason === reason && status;
      }),
    stop: async () => {
      for (const worker of workers.splice(0)) await worker.stop().catch(() => undefined);
      await alerts.close();
      await levels.close();
      await harness.temporal.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  harness.writeRelease(quickRelease(levels.url, options.release, options.factTimeoutMs));
  harness.writeManifest({ policy: join(ROOT, 'policy'), config: 'release.json', version: 'v1' });
  harness.heal();
  return harness;
}
