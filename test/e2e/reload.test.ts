import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NodeChild } from '../../src/dev/child-process';
import { quickRelease, ROOT, startGateHarness, type GateHarness } from '../support/gate-harness';
import { eventually } from '../support/temporal-env';

/** A worker of its own process that looks for a new release once an hour, unless it is told to. */
describe('a running worker', () => {
  let gate: GateHarness;
  let worker: NodeChild;

  beforeAll(async () => {
    gate = await startGateHarness({
      settings: { release: { manifest: 'latest.json', refreshInterval: '1h' }, audit: { store: { type: 'none' } } },
    });
    // Away from the manifest's folder, which is watched.
    mkdirSync(join(gate.folder, 'conf'));
    writeConfig({});
    gate.writeManifest({ policy: join(ROOT, 'policy'), config: 'conf/release.json', version: 'v1' });
    worker = await gate.spawnWorker();
  });
  afterAll(async () => {
    await gate?.stop();
  });

  const writeConfig = (limits: Record<string, number>): void =>
    writeFileSync(
      join(gate.folder, 'conf', 'release.json'),
      JSON.stringify(quickRelease(gate.levels.url, { limits: { maxDelta: 500, maxPending: 2000, ...limits } })),
    );
  const health = async () =>
    (await (await fetch(`${String(worker.ready.http)}/healthz`)).json()) as { configRev?: string };

  it('a running worker takes a changed configuration on SIGHUP', async () => {
    const before = await eventually('a release', async () => (await health()).configRev);
    writeConfig({ maxPending: 1000 });
    process.kill(worker.pid, 'SIGHUP');
    await eventually('another configuration', async () => (await health()).configRev !== before);
  });

  it('a running worker ends with exit code 0 on SIGTERM', async () => {
    process.kill(worker.pid, 'SIGTERM');
    expect(await worker.exited).toBe(0);
  });
});
