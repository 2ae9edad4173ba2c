import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { openImageSyncs, type ImageSyncClient } from '../src/clients/image-sync-client';
import { startNodeChild } from '../src/dev/child-process';
import { startTemporalServer } from '../src/dev/temporal-server';
import type { SyncStatus } from '../src/images/progress/sync-progress';
import { loadSettings } from '../src/settings/load-settings';
import { startCraneRegistry } from '../test/support/crane-registry';
import { canHaveDistribution, startDistribution, type DistributionMake } from '../test/support/distribution-registry';
import type { BenchRow } from './bench-row';
import { fillScale, SCALE, SCALE_COPY, SCALE_TAGS } from './images-fleet';

const ROOT = resolve(__dirname, '..');
const MOST_MEMORY_MIB = 150;
const MOST_EVENTS_PER_TAG = 0.05;
/** A list of tags, and what a registry answers to its first question. */
const MOST_OTHER_REQUESTS = 100;

/** A sync of a worker that finds nothing to do in a repository with very many tags: what it asks, keeps in memory and in history. */
export async function benchImagesScale(): Promise<BenchRow[]> {
  const make = (['docker-registry', 'distribution'] as DistributionMake[]).find(canHaveDistribution);
  if (make === undefined) return [skippedRow('neither docker-registry nor Go is on the PATH')];
  if (process.platform !== 'linux') return [skippedRow('the memory of a process is read from /proc')];
  const folder = await mkdtemp(join(tmpdir(), 'gate-bench-scale-'));
  const opened: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const source = await startCraneRegistry(join(folder, 'source.log'));
    opened.push(() => source.stop());
    const target = await startDistribution(make, join(folder, 'target'));
    opened.push(() => target.stop());
    await fillScale(source.host, target.host);
    const server = await startTemporalServer({ logFile: join(folder, 'temporal.log') });
    opened.push(() => server.stop());

    const settings = join(folder, 'settings.json');
    await writeFile(settings, JSON.stringify(settingsOf(source.host, target.host, server.address)));
    const logFile = join(folder, 'worker.log');
    const worker = await startNodeChild(join(ROOT, 'dist/cli/main.js'), {
      args: ['worker', '--settings', settings],
      env: { GATE_READY_LINE: '1' },
      logFile,
    });
    opened.push(() => worker.stop());
    const loaded = await loadSettings(settings, {}, folder);
    const { syncs, close } = await openImageSyncs(loaded, {}, 10_000);
    opened.push(close);
    const connection = await Connection.connect({ address: server.address });
    opened.push(() => connection.close());
    const client = new Client({ connection, namespace: server.namespace });

    const logs = [join(folder, 'source.log'), join(folder, 'target', 'registry.log')];
    const idleMiB = await residentMiB(worker.pid, 'VmRSS');
    const before = await Promise.all(logs.map(sizeOf));
    const { workflowId } = await syncs.start({ actor: 'bench' });
    const { totals } = await ended(syncs, workflowId);
    if (totals.tagsSkipped !== SCALE_TAGS || totals.errors > 0)
      throw new Error(`expected ${SCALE_TAGS} unchanged tags, got ${JSON.stringify(totals)}`);
    const asked = await Promise.all(logs.map(async (log, index) => requestsOf(log, before[index]!)));
    const heads = asked.flat().filter((one) => one.startsWith('HEAD ')).length;
    const others = asked.flat().length - heads;
    const peakMiB = await residentMiB(worker.pid, 'VmHWM');
    const { historyLength } = await client.workflow.getHandle(workflowId).describe();
    return rowsOf({ heads, others, idleMiB, peakMiB, historyLength });
  } finally {
    for (const close of opened.reverse()) await close();
  }
}

function settingsOf(source: string, target: string, address: string) {
  const from = { registry: 'source', repositories: [SCALE] };
  const action = { type: 'replicate', target_registry: 'target', target_repo: SCALE_COPY };
  return {
    temporal: { address },
    http: { port: 0 },
    audit: { store: { folder: 'store' }, stdout: false },
    policy: { enabled: true, policies: [{ id: 'bench', name: 'Bench', source: from, actions: [action] }] },
    registries: { source: { host: source, plainHttp: true }, target: { host: target, plainHttp: true } },
  };
}

async function ended(syncs: ImageSyncClient, workflowId: string): Promise<SyncStatus> {
  for (;;) {
    const found = await syncs.status(workflowId);
    if (found.found === 'status' && found.closed) return found.status;
    if (found.found === 'ended' || found.found === 'unknown') throw new Error(`the sync is ${found.found}`);
    await new Promise((resume) => setTimeout(resume, 500));
  }
}

/** `METHOD PATH` of each request that a registry logged behind an offset: crane's, and the access log of distribution. */
async function requestsOf(log: string, from: number): Promise<string[]> {
  const text = (await readFile(log)).subarray(from).toString();
  return [...text.matchAll(/(?:^\S+ \S+ |")(HEAD|GET|PUT|POST|PATCH|DELETE) (\/v2\/\S*)/gm)].map(
    ([, method, path]) => `${method} ${path}`,
  );
}

const sizeOf = async (file: string): Promise<number> => (await stat(file)).size;

async function residentMiB(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kib] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text) ?? [];
  return Number(kib) / 1024;
}

interface Found {
  heads: number;
  others: number;
  idleMiB: number;
  peakMiB: number;
  /** of the last run: a sync that continued as new would have begun again at 1 */
  historyLength: number;
}

function rowsOf({ heads, others, idleMiB, peakMiB, historyLength }: Found): BenchRow[] {
  const tags = SCALE_TAGS.toLocaleString('en');
  const allowed = MOST_EVENTS_PER_TAG * SCALE_TAGS;
  return [
    {
      ...{ name: `HEADs of a sync that finds nothing to do over ${tags} tags`, baseline: 'one a tag on each side' },
      ...{ ours: heads, base: 2 * SCALE_TAGS, ratio: heads / (2 * SCALE_TAGS) },
      ...{ target: '= 1', met: heads === 2 * SCALE_TAGS, unit: 'HEADs' },
    },
    {
      ...{ name: 'its other requests, such as pages of the list', baseline: 'the tags' },
      ...{ ours: others, base: SCALE_TAGS, ratio: others / SCALE_TAGS },
      ...{ target: `<= ${MOST_OTHER_REQUESTS} requests`, met: others <= MOST_OTHER_REQUESTS, unit: 'requests' },
    },
    {
      ...{ name: "its worker's resident memory, at most", baseline: 'the idle worker' },
      ...{ ours: peakMiB, base: idleMiB, ratio: peakMiB / idleMiB },
      ...{ target: `<= idle + ${MOST_MEMORY_MIB} MiB`, met: peakMiB - idleMiB <= MOST_MEMORY_MIB, unit: 'MiB' },
    },
    {
      ...{ name: 'events in its history', baseline: 'the tags' },
      ...{ ours: historyLength, base: SCALE_TAGS, ratio: historyLength / SCALE_TAGS },
      ...{ target: `<= ${MOST_EVENTS_PER_TAG} a tag`, met: historyLength <= allowed, unit: 'events' },
    },
  ];
}

function skippedRow(skipped: string): BenchRow {
  const none = { ours: NaN, base: NaN, ratio: NaN, met: false };
  return {
    ...none,
    name: `${SCALE_TAGS} tags`,
    baseline: 'one HEAD a tag on each side',
    target: '',
    unit: '',
    skipped,
  };
}
