import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { loadSettings } from '../../../src/settings/load-settings';
import { judgeFleet } from '../../../src/releases/fleet/worker-answer';
import { startWorker, type RunningWorker } from '../../../src/worker';
import { startGateHarness, type GateHarness } from '../../support/gate-harness';
import { pino } from 'pino';

interface Fleet {
  state: string;
  workers: { identity: string; answered: boolean; manifest_version?: string; last_error?: string }[];
}

describe('the fleet of workers', () => {
  let harness: GateHarness;
  let folder: string;
  let queues = 0;
  let settings: string;
  const running: RunningWorker[] = [];
  beforeAll(async () => {
    harness = await startGateHarness();
    folder = mkdtempSync(join(tmpdir(), 'gate-fleet-'));
  });
  afterEach(async () => {
    for (const worker of running.splice(0)) await worker.stop();
  });
  afterAll(async () => {
    await harness?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A worker on this test's task queue, with a manifest of its own. */
  async function worker(name: string, manifest: Record<string, unknown>): Promise<RunningWorker> {
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(manifest));
    writeFileSync(join(folder, 'release.json'), '{}');
    settings = join(folder, `settings-${queues}-${name}.json`);
    const document = {
      temporal: { address: harness.temporal.address, taskQueue: `fleet-${queues}` },
      release: { manifest: `${name}.json`, refreshInterval: '1h' },
      audit: { store: { type: 'none' } },
      http: { port: 0 },
    };
    writeFileSync(settings, JSON.stringify(document));
    const loaded = await loadSettings(settings, {}, folder);
    const started = await startWorker(loaded, { env: {}, logger: pino({ level: 'silent' }) });
    running.push(started);
    return started;
  }
  const good = (version: string): Record<string, unknown> => ({
    policy: join(__dirname, '..', '..', '..', 'policy'),
    config: join(harness.folder, 'release.json'),
    version,
  });
  const status = async (verb = 'status'): Promise<Fleet & { code: number }> => {
    const { code, stdout } = await harness.cli('policy', verb, '--settings', settings, '-o', 'json');
    return { code, ...(JSON.parse(stdout) as Fleet) };
  };

  it('gate policy status shows the release of each worker', async () => {
    queues += 1;
    await worker('one', good('v1'));
    await worker('two', good('v1'));
    expect(await status()).toMatchObject({
      code: 0,
      state: 'alike',
      workers: [
        { answered: true, manifest_version: 'v1' },
        { answered: true, manifest_version: 'v1' },
      ],
    });
    const shown = await harness.cli('policy', 'status', '--settings', settings);
    expect(shown.stdout).toMatch(/v1 .* ago .*\n.*v1/);
    expect(shown.stdout).toContain('2 of 2 workers answered');
  });

  it('gate policy reload reaches every worker, however long it would have waited by itself', async () => {
    queues += 1;
    await worker('one', good('v1'));
    await worker('two', good('v1'));
    writeFileSync(join(folder, 'one.json'), JSON.stringify(good('v2')));
    expect(await status('reload')).toMatchObject({ code: 1, state: 'differing' });
    writeFileSync(join(folder, 'two.json'), JSON.stringify(good('v2')));
    expect(await status('reload')).toMatchObject({
      code: 0,
      workers: [{ manifest_version: 'v2' }, { manifest_version: 'v2' }],
    });
  });

  it('gate policy status says why a worker has no release', async () => {
    queues += 1;
    await worker('none', { version: 'v1' });
    expect(await status()).toMatchObject({
      code: 1,
      state: 'troubled',
      workers: [{ answered: true, last_error: expect.stringContaining('policy') }],
    });
    const shown = await harness.cli('policy', 'reload', '--settings', settings);
    expect(shown).toMatchObject({ code: 1, stdout: expect.stringContaining('none.json') });
  });

  it('gate policy status shows a stopped worker as one that does not answer', async () => {
    queues += 1;
    const gone = await worker('one', good('v1'));
    await worker('two', good('v1'));
    const before = await status();
    expect(before.workers).toHaveLength(2);
    await gone.stop();
    const after = await status();
    expect(after).toMatchObject({ code: 0, state: 'alike' });
    expect(after.workers.filter(({ answered }) => answered)).toHaveLength(1);
    const shown = await harness.cli('policy', 'status', '--settings', settings);
    // Temporal may have forgotten the one that said good-bye.
    expect(shown.stdout).toMatch(/does not answer|1 of 1 workers/);
  });

  it('gate policy status says that there is no worker', async () => {
    queues += 1;
    settings = join(folder, 'nobody.json');
    const document = { temporal: { address: harness.temporal.address, taskQueue: 'nobody' }, http: { port: 0 } };
    writeFileSync(settings, JSON.stringify(document));
    expect(await harness.cli('policy', 'status', '--settings', settings)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('no worker polls the task queue nobody'),
    });
  });

  it.each<[string, Parameters<typeof judgeFleet>[0], ReturnType<typeof judgeFleet>]>([
    ['none answers', [{ identity: 'a', silence: 'x' }], 'silent'],
    ['one has no release', [{ identity: 'a', release: {} }], 'troubled'],
    ['one refused a newer one', [{ identity: 'a', release: { policySHA: 'x', lastError: 'no' } }], 'troubled'],
    [
      'two have different ones',
      [
        { identity: 'a', release: { policySHA: 'x', configRev: '1' } },
        { identity: 'b', release: { policySHA: 'x', configRev: '2' } },
      ],
      'differing',
    ],
    [
      'those that answer have the same',
      [
        { identity: 'a', release: { policySHA: 'x' } },
        { identity: 'b', release: { policySHA: 'x' } },
        { identity: 'c', silence: 'x' },
      ],
      'alike',
    ],
  ])('the fleet is judged when %s', (_when, answers, state) => {
    expect(judgeFleet(answers)).toBe(state);
  });
});
