import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { findTool } from '../src/platform/tools/find-tool';
import { startCraneRegistry } from '../test/support/crane-registry';
import { canHaveDistribution, startDistribution, type DistributionMake } from '../test/support/distribution-registry';
import { canHaveGoProgram, findGoProgram, type GoProgram } from '../test/support/go-program';
import { alternate, type BenchRow } from './bench-row';
import { fillSource, LARGE, MANY, MANY_TAGS, SHARED, SHARED_TAGS, startSyncingWorker } from './images-fleet';
import type { MeasuredSync } from './images-worker';

const run = promisify(execFile);
const ROUNDS = 5;
const MOST_MEMORY_MIB = 150;

const REGSYNC: GoProgram = {
  name: 'regsync',
  version: 'v0.11.7',
  package: 'github.com/regclient/regclient/cmd/regsync',
  module: 'github.com/regclient/regclient',
  sum: 'h1:Jsjlnd0ZQ2Blh0vaJtxJ0pU549VajvZ6BTL/4R7noMo=',
};

type Peer = 'crane' | 'skopeo' | 'regsync';

interface Comparison {
  name: string;
  baseline: string;
  peer: Peer;
  most: number;
  /** each round has an empty target */
  isCold?: boolean;
  /** seconds, with the host of a target */
  ours(to: string): Promise<number>;
  base(to: string): Promise<number>;
}

/** Replication against peers, by turns, between two real registries on loopback: crane's in memory, and one of distribution. */
export async function benchImages(): Promise<BenchRow[]> {
  const make = (['docker-registry', 'distribution'] as DistributionMake[]).find(canHaveDistribution);
  if (make === undefined) return [skippedRow('images', 'peers', '', 'neither docker-registry nor Go is on the PATH')];
  const folder = await mkdtemp(join(tmpdir(), 'gate-bench-images-'));
  const source = await startCraneRegistry(join(folder, 'source.log'));
  let targets = 0;
  const startTarget = () => startDistribution(make, join(folder, `target-${++targets}`));
  const kept = await startTarget();
  const worker = startSyncingWorker(folder, source.host);
  try {
    await fillSource(source.host);
    const peers = await findPeers();
    const measured: MeasuredSync[] = [];
    const ours: Sync = async (repository, to, name, expected) => {
      const done = await worker.sync(repository, to, name);
      measured.push(done);
      const wrong = Object.entries({ errors: 0, ...expected }).find(([key, value]) => done[key as 'copied'] !== value);
      if (wrong !== undefined)
        throw new Error(`expected ${wrong.join(' ')} of ${repository}, got ${JSON.stringify(done)}`);
      return done.seconds;
    };
    const onTarget = async (act: (to: string) => Promise<number>, isCold = false): Promise<number> => {
      if (!isCold) return act(kept.host);
      const fresh = await startTarget();
      try {
        return await act(fresh.host);
      } finally {
        await fresh.stop();
      }
    };
    const rows: BenchRow[] = [];
    for (const one of comparisons(folder, peers, source.host, ours)) {
      const why = peers[one.peer];
      const shown = `<= ${one.most}`;
      if ('skipped' in why) rows.push(skippedRow(one.name, one.baseline, shown, why.skipped));
      else rows.push(await compared(one, shown, onTarget));
    }
    return [...rows, memoryRow(measured)];
  } finally {
    await worker.stop();
    await Promise.all([source.stop(), kept.stop()]);
    await rm(folder, { recursive: true, force: true });
  }
}

type Sync = (repository: string, to: string, name: string, expected: Partial<MeasuredSync>) => Promise<number>;

type Peers = Record<Peer, { path: string } | { skipped: string }>;

async function findPeers(): Promise<Peers> {
  const skopeo = (process.env.PATH ?? '').split(delimiter).map((entry) => join(entry, 'skopeo'));
  const path = skopeo.find((one) => existsSync(one));
  return {
    crane: { path: (await findTool('crane')).path },
    skopeo: path === undefined ? { skipped: 'skopeo is not on the PATH' } : { path },
    regsync: canHaveGoProgram(REGSYNC)
      ? { path: await findGoProgram(REGSYNC) }
      : { skipped: 'regsync needs Go on the PATH' },
  };
}

function comparisons(folder: string, peers: Peers, from: string, sync: Sync): Comparison[] {
  const peer = async (name: Peer, args: string[]): Promise<number> => {
    const found = peers[name];
    if ('skipped' in found) throw new Error(found.skipped);
    const begun = process.hrtime.bigint();
    await run(found.path, args, { cwd: folder, maxBuffer: 2 ** 26 });
    return Number(process.hrtime.bigint() - begun) / 1e9;
  };
  const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  const skopeoSync = (repository: string, to: string) =>
    peer('skopeo', ['sync', ...plain, '--src=docker', '--dest=docker', `${from}/${repository}`, `${to}/skopeo`]);
  const regsync = async (to: string): Promise<number> => {
    const file = join(folder, 'regsync.json');
    const creds = [from, to].map((registry) => ({ registry, tls: 'disabled' }));
    const entry = { source: `${from}/${MANY}`, target: `${to}/regsync/many`, type: 'repository' };
    // As many at once as ours.
    await writeFile(file, JSON.stringify({ version: 1, creds, defaults: { parallel: 8 }, sync: [entry] }));
    return peer('regsync', ['once', '-c', file]);
  };
  const copied = new Set<string>();
  /** What the first run copied stays, so that the others find nothing to do. */
  const again = (name: string, first: (to: string) => Promise<unknown>, act: (to: string) => Promise<number>) =>
    async function unchanged(to: string): Promise<number> {
      if (!copied.has(name)) await first(to);
      copied.add(name);
      return act(to);
    };
  const large = (to: string) => sync(LARGE, to, 'ours/large', { copied: 1 });
  const shared = (to: string) => sync(SHARED, to, 'ours/shared', { copied: SHARED_TAGS });
  const unchanged = again(
    'ours',
    (to) => sync(MANY, to, 'ours/many', { copied: MANY_TAGS }),
    (to) => sync(MANY, to, 'ours/many', { skipped: MANY_TAGS }),
  );
  const ofSkopeo = (to: string) => skopeoSync(MANY, to);
  const one = { name: 'one image of 200 MB, cold', isCold: true, ours: large };
  const tags = { name: `${SHARED_TAGS} tags that share layers, cold`, isCold: true, ours: shared };
  const nothing = { name: `nothing to do over ${MANY_TAGS} tags`, ours: unchanged };
  return [
    {
      ...{ ...one, baseline: 'crane copy', peer: 'crane', most: 1 },
      base: (to) => peer('crane', ['copy', '--insecure', `${from}/${LARGE}:v1`, `${to}/crane/large:v1`]),
    },
    {
      ...{ ...one, baseline: 'skopeo copy', peer: 'skopeo', most: 0.8 },
      base: (to) =>
        peer('skopeo', ['copy', ...plain, `docker://${from}/${LARGE}:v1`, `docker://${to}/skopeo/large:v1`]),
    },
    {
      ...{ ...tags, baseline: 'crane copy -a', peer: 'crane', most: 1 },
      base: (to) => peer('crane', ['copy', '-a', '--insecure', `${from}/${SHARED}`, `${to}/crane/shared`]),
    },
    { ...nothing, baseline: 'regsync once', peer: 'regsync', most: 1.2, base: again('regsync', regsync, regsync) },
    { ...nothing, baseline: 'skopeo sync', peer: 'skopeo', most: 1, base: again('skopeo', ofSkopeo, ofSkopeo) },
  ];
}

async function compared(
  { name, baseline, most, isCold, ours, base }: Comparison,
  target: string,
  onTarget: (act: (to: string) => Promise<number>, isCold?: boolean) => Promise<number>,
): Promise<BenchRow> {
  const once = { ours: () => onTarget(ours, isCold), base: () => onTarget(base, isCold) };
  await once.ours();
  const found = await alternate(ROUNDS, once.ours, once.base);
  return { name, baseline, ...found, target, met: found.ratio <= most, unit: 's' };
}

function memoryRow(measured: readonly MeasuredSync[]): BenchRow {
  const base = measured[0]!.idleMiB;
  const ours = Math.max(...measured.map(({ peakMiB }) => peakMiB));
  return {
    ...{ name: 'resident memory of all these syncs, at most', baseline: 'the idle process', ours, base },
    ...{
      ratio: ours / base,
      target: `<= idle + ${MOST_MEMORY_MIB} MiB`,
      met: ours - base <= MOST_MEMORY_MIB,
      unit: 'MiB',
    },
  };
}

function skippedRow(name: string, baseline: string, target: string, skipped: string): BenchRow {
  return { name, baseline, ours: NaN, base: NaN, ratio: NaN, target, met: false, unit: 's', skipped };
}
