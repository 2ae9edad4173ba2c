import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { DeploymentClient } from '../src/clients/deployment-client';
import { startNodeChild } from '../src/dev/child-process';
import { setLevel } from '../src/dev/dev-environment';
import { startTemporalServer } from '../src/dev/temporal-server';
import { parseDuration } from '../src/kernel/duration';
import { workflowIdOf } from '../src/kernel/names';
import { loadSettings } from '../src/settings/load-settings';
import { median, type BenchRow } from './bench-row';

const ROOT = resolve(__dirname, '..');
const STARTED_SIDE_BY_SIDE = 20;
/** Deployments whose history is measured, spread over all. */
const SAMPLE = 100;
const READ_EVERY_MS = 1_000;
/** All have begun to wait when no history has grown for so long. */
const SETTLED_MS = 3_000;

/** So many deployments wait, each looked at every so often, for so long. */
export interface Soak {
  deployments: number;
  every: string;
  atMost: string;
  time: string;
}

/** Scaled down to two minutes. The whole: `200:10s:10s:10m,2000:60s:5m:5m`. */
export const DEFAULT_SOAK = '50:2s:2s:1m,200:10s:1m:1m';

/** @throws Error unless the text is a list of `DEPLOYMENTS:recheckEvery:recheckAtMost:TIME` */
export function parseSoak(text: string): Soak[] {
  return text.split(',').map((part) => {
    const [deployments, every = '', atMost = '', time = '', ...more] = part.split(':');
    const count = Number(deployments);
    if (!Number.isSafeInteger(count) || count < 1 || time === '' || more.length > 0)
      throw new Error(`Expected --soak to be like ${DEFAULT_SOAK}, got ${text}`);
    for (const duration of [every, atMost, time]) parseDuration(duration);
    return { deployments: count, every, atMost, time };
  });
}

/** What deployments that wait cost a worker of its own process: events, lines of log, and memory over time. */
export async function benchSoak(soaks: readonly Soak[]): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const soak of soaks) rows.push(...(await measure(soak)));
  return rows;
}

async function measure(soak: Soak): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-soak-'));
  const opened: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  try {
    const server = await startTemporalServer({ logFile: join(folder, 'temporal.log') });
    opened.push(() => server.stop());
    const levels = await startNodeChild(join(ROOT, 'dist/dev/level-server.js'), {
      logFile: join(folder, 'levels.log'),
    });
    opened.push(() => levels.stop());
    const settingsFile = await writeSettings(folder, String(levels.ready.url), server.address, soak);
    const logFile = join(folder, 'worker.log');
    const worker = await startNodeChild(join(ROOT, 'dist/cli/main.js'), {
      args: ['worker', '--settings', settingsFile],
      env: { GATE_READY_LINE: '1' },
      logFile,
    });
    opened.push(() => worker.stop());
    const connection = await Connection.connect({ address: server.address });
    opened.push(() => connection.close());
    const client = new Client({ connection, namespace: server.namespace });
    const { settings } = await loadSettings(settingsFile, process.env, folder);
    const ids = Array.from({ length: soak.deployments }, (_unused, index) => `soak-${index}`);
    await startAll(new DeploymentClient({ client, taskQueue: settings.temporal.taskQueue, deadlineMs: 60_000 }), ids);
    const looks = (): Promise<number> => countLooks(String(worker.ready.http));
    const step = Math.max(1, Math.floor(ids.length / SAMPLE));
    const sample = ids.filter((_id, index) => index % step === 0);
    while ((await looks()) < ids.length) await sleep(READ_EVERY_MS);
    // Some deployments are looked at again before others have begun to wait.
    for (let events = -1, now = 0; events !== now; await sleep(SETTLED_MS)) {
      events = now;
      now = await countEvents(client, sample);
    }
    const before = { looks: await looks(), events: await countEvents(client, sample), log: statSync(logFile).size };
    const readings = await readMemory(worker.pid, parseDuration(soak.time));
    const after = { looks: await looks(), events: await countEvents(client, sample), log: statSync(logFile).size };
    return rowsOf(soak, readings, {
      looks: after.looks - before.looks,
      events: after.events - before.events,
      log: after.log - before.log,
    });
  } finally {
    for (const close of opened.reverse()) await close().catch(() => undefined);
  }
}

async function writeSettings(folder: string, levels: string, address: string, soak: Soak): Promise<string> {
  await setLevel(levels, 'pending_delta', { value: 10 });
  await setLevel(levels, 'max_pending', { value: 9_000 });
  await setLevel(levels, 'region_health', { value: { eu: { status: 'green' } } });
  const provider = { type: 'levelServer', base: levels, ttl: '0s' };
  const documents = {
    'release.json': {
      facts: { pending_delta: provider, max_pending: provider, region_health: provider },
      stages: { onDeny: 'wait', recheckEvery: soak.every, recheckAtMost: soak.atMost },
    },
    'latest.json': { policy: join(ROOT, 'policy'), config: 'release.json', version: 'soak' },
    'settings.json': {
      temporal: { address },
      release: { manifest: 'latest.json' },
      audit: { store: { folder: 'store' }, stdout: false },
      http: { port: 0 },
    },
  };
  for (const [name, document] of Object.entries(documents)) writeFileSync(join(folder, name), JSON.stringify(document));
  return join(folder, 'settings.json');
}

async function startAll(deployments: DeploymentClient, ids: readonly string[]): Promise<void> {
  const queued = [...ids];
  const start = async (): Promise<void> => {
    for (let id = queued.shift(); id !== undefined; id = queued.shift())
      await deployments.start({ id, stages: [{ name: 'canary' }] });
  };
  await Promise.all(Array.from({ length: STARTED_SIDE_BY_SIDE }, start));
}

async function countLooks(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(/^gate_rechecks_total\{[^}]*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

async function countEvents(client: Client, ids: readonly string[]): Promise<number> {
  let events = 0;
  for (const id of ids) events += (await client.workflow.getHandle(workflowIdOf(id)).describe()).historyLength;
  return events;
}

/** MiB of resident memory, as Linux tells it, read at equal distances. */
async function readMemory(pid: number, timeMs: number): Promise<number[]> {
  const readings: number[] = [];
  const untilMs = Date.now() + timeMs;
  while (Date.now() < untilMs) {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    readings.push(Number(kib) / 1024);
    await sleep(READ_EVERY_MS);
  }
  return readings;
}

function rowsOf(
  { deployments, every, atMost, time }: Soak,
  readings: readonly number[],
  cost: { looks: number; events: number; log: number },
): BenchRow[] {
  const third = Math.floor(readings.length / 3);
  const [second, last] = [median(readings.slice(third, 2 * third)), median(readings.slice(-third))];
  const name = `${deployments} deployments wait, looked at every ${every} to ${atMost}, for ${time}`;
  const perLook = (what: string, spent: number, most: number, unit: string): BenchRow => {
    const ours = spent / cost.looks;
    const baseline = `the bound of a look, over ${cost.looks}`;
    return {
      name: `${name}: ${what}`,
      baseline,
      ours,
      base: most,
      ratio: ours,
      target: `<= ${most}`,
      met: ours <= most,
      unit,
    };
  };
  return [
    perLook('history of at most 100 of them', cost.events, 0, 'events'),
    perLook('log of the worker', cost.log, 200, 'bytes'),
    {
      name: `${name}: resident memory of the last third`,
      baseline: 'of the second third',
      ours: last,
      base: second,
      ratio: last / second,
      target: '<= 1.1',
      met: last / second <= 1.1,
      unit: 'MiB',
    },
  ];
}
