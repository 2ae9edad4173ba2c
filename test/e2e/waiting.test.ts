import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '../../src/audit/audit-record';
import type { NodeChild } from '../../src/dev/child-process';
import type { ShownLooks, ShownStatus } from '../support/shown-status';
import { workflowIdOf } from '../../src/kernel/names';
import { loadSettings } from '../../src/settings/load-settings';
import { startWorker } from '../../src/worker';
import { startPostgres, type TestPostgres } from '../support/postgres';
import { bytes, rawPayload } from '../support/raw-messages';
import { quickRelease, ROOT, SHORT_STEPS, startGateHarness, type GateHarness } from '../support/gate-harness';
import { eventually } from '../support/temporal-env';

/** Workers of their own processes, built from the package; Temporal and PostgreSQL are real. */
describe('a deployment that waits', () => {
  let postgres: TestPostgres;
  let gate: GateHarness;
  let worker: NodeChild;
  let client: Client;
  let connection: Connection;
  let id: string;

  beforeAll(async () => {
    postgres = await startPostgres();
    gate = await startGateHarness({
      settings: { audit: { store: { url: await postgres.database('waiting') }, stdout: false } },
      release: SHORT_STEPS,
    });
    connection = await Connection.connect({ address: gate.temporal.address });
    client = new Client({ connection, namespace: gate.temporal.namespace, identity: 'ann' });
    worker = await gate.spawnWorker();
  });
  afterAll(async () => {
    await connection?.close();
    await gate?.stop();
    await postgres?.close();
  });
  beforeEach(() => {
    id = `d-${randomUUID()}`;
    gate.heal();
  });

  const deny = (): void => gate.levels.setMetric('max_pending', { value: 9_000 });
  const start = async (stage: Record<string, unknown> = {}): Promise<void> => {
    deny();
    await gate.cli('deploy', '-f', gate.deployment(id, [{ name: 'canary', onDeny: 'wait', ...stage }]));
    await gate.reaches(id, 'waiting');
  };
  const status = () => gate.json<ShownStatus>('status', id);
  const counted = (atLeast: number): Promise<ShownLooks> =>
    eventually(`${atLeast} counted looks`, async () => {
      const { pending_looks: looks } = await status();
      return looks !== undefined && looks.count >= atLeast && looks;
    });
  const records = () => gate.json<AuditRecord[]>('audit', 'list', '--deployment', id, '--oldest-first');
  const kinds = async (): Promise<string[]> =>
    (await records()).map(({ kind, outcome }) => (outcome === undefined ? kind : `${kind}:${outcome}`));
  const activity = async () => {
    const { recheck } = await status();
    return {
      namespace: gate.temporal.namespace,
      execution: { workflowId: workflowIdOf(id) },
      id: recheck?.activity_id ?? '',
    };
  };
  const events = async (): Promise<number> =>
    (await client.workflow.getHandle(workflowIdOf(id)).fetchHistory()).events?.length ?? 0;

  it('a deployment that waits keeps its count when its worker is killed between two looks and during one', async () => {
    await start();
    const before = await counted(2);
    await worker.kill();
    worker = await gate.spawnWorker();
    const between = await counted(before.count + 2);
    expect(between.first_at).toBe(before.first_at);

    const asked = gate.levels.requests().metrics.max_pending ?? 0;
    gate.levels.setMetric('max_pending', { behaviour: 'hang' });
    await eventually('a look under way', () => (gate.levels.requests().metrics.max_pending ?? 0) > asked);
    await worker.kill();
    deny();
    worker = await gate.spawnWorker();
    const during = await counted(between.count + 1);
    expect(during.first_at).toBe(before.first_at);
    gate.heal();
    await gate.reaches(id, 'done');
    expect(await kinds()).toEqual(['decision:deny', 'recheck', 'decision:allow', 'ended']);
  });

  it('a deployment that waits says who paused its rechecks in Temporal, and continues when they are unpaused', async () => {
    await start();
    await counted(1);
    const paused = await activity();
    await client.workflowService.pauseActivity({ ...paused, identity: 'ann', reason: 'maintenance' });
    const { stdout } = await eventually('the pause to be shown', async () => {
      const shown = await gate.cli('status', id);
      return shown.stdout.includes('paused in Temporal') && shown;
    });
    expect(stdout).toContain('Rechecks are paused in Temporal by ann (maintenance): temporal activity unpause');
    expect((await gate.cli('explain', id)).stdout).toContain('Rechecks are paused in Temporal by ann');
    // Temporal lists it a moment later.
    await eventually('the doctor to say so', async () => {
      const doctor = (await gate.cli('doctor')).stdout;
      return doctor.includes(`those of deployment/${id} are paused in Temporal by ann (maintenance)`);
    });
    const second = await gate.startWorker();
    await eventually('the metric', async () =>
      /^gate_rechecks_paused 1$/m.test(await (await fetch(`${second.httpUrl}/metrics`)).text()),
    );
    await second.stop();
    const { count } = await counted(1);
    gate.heal();
    expect((await status()).state).toBe('waiting');
    await client.workflowService.unpauseActivity({ ...paused, identity: 'ann' });
    await gate.reaches(id, 'done');
    const recheck = (await records()).find(({ kind }) => kind === 'recheck');
    expect(recheck?.details?.count).toBeGreaterThanOrEqual(count);
  });

  it('a deployment that waits keeps its count when its recheck is reset in Temporal', async () => {
    await start({ recheckEvery: '2s' });
    const before = await counted(1);
    await client.workflowService.resetActivity({ ...(await activity()), identity: 'ann' });
    const after = await counted(before.count + 1);
    expect(after.first_at).toBe(before.first_at);
    await gate.cli('abort', id, '--actor', 'ann', '--reason', 'seen enough');
    expect(await kinds()).toEqual(['decision:deny', 'recheck', 'abort', 'ended']);
  });

  it('a deployment that waits through a change of the release records none, and its history stays short', async () => {
    await start();
    const before = await counted(1);
    const length = await events();
    gate.writeRelease(quickRelease(gate.levels.url, { ...SHORT_STEPS, parameters: { changed: true } }));
    gate.writeManifest({ policy: join(ROOT, 'policy'), config: 'release.json', version: 'v2' });
    const after = await eventually('a look under the new release', async () => {
      const { pending_looks: looks } = await status();
      return looks?.release === 'v2' && looks;
    });
    expect(after.first_at).toBe(before.first_at);
    expect(await events()).toBe(length);
    expect(await kinds()).toEqual(['decision:deny']);
    gate.heal();
    await gate.reaches(id, 'done');
  });

  it('a deployment that waits on workers of two releases needs no operator, and its history stays short', async () => {
    const other = join(gate.folder, 'other-release.json');
    writeFileSync(
      other,
      JSON.stringify(quickRelease(gate.levels.url, { ...SHORT_STEPS, parameters: { other: true } })),
    );
    const manifest = { policy: join(ROOT, 'policy'), config: 'other-release.json', version: 'other' };
    writeFileSync(join(gate.folder, 'other.json'), JSON.stringify(manifest));
    const settings = JSON.parse(readFileSync(gate.settingsFile, 'utf8')) as { release: object };
    const file = join(gate.folder, 'other-settings.json');
    writeFileSync(file, JSON.stringify({ ...settings, release: { ...settings.release, manifest: 'other.json' } }));
    const second = await startWorker(await loadSettings(file, gate.env, gate.folder), { env: gate.env, ...gate.quiet });
    try {
      await start({ recheckEvery: '100ms', recheckAtMost: '100ms' });
      const seen = new Set<string>();
      const { count } = await eventually('sixty looks, under both releases', async () => {
        const looks = await counted(1);
        if (looks.release !== undefined) seen.add(looks.release);
        return looks.count >= 60 && seen.size === 2 && looks;
      });
      expect(seen).toContain('other');
      expect(await events()).toBeLessThan(60);
      expect(await kinds()).toEqual(['decision:deny']);
      gate.heal();
      await gate.reaches(id, 'done');
      expect(await kinds()).toEqual(['decision:deny', 'recheck', 'decision:allow', 'ended']);
      const recheck = (await records()).find(({ kind }) => kind === 'recheck');
      expect(recheck?.details?.count).toBeGreaterThanOrEqual(count);
      expect(await events()).toBeLessThan(60);
    } finally {
      await second.stop();
    }
  });

  it('a deployment that waits with a failing workflow task is alerted by the worker itself, and counted', async () => {
    const execution = { workflowId: workflowIdOf(id) };
    // Input that no worker can read.
    await client.workflowService.startWorkflowExecution({
      namespace: gate.temporal.namespace,
      ...execution,
      workflowType: { name: 'deployment' },
      taskQueue: { name: 'deployment-gate' },
      input: { payloads: [rawPayload(bytes('{'))] },
      requestId: randomUUID(),
      workflowTaskTimeout: { seconds: 4 as never },
    });
    await eventually('the workflow task to fail', async () => {
      const { namespace } = gate.temporal;
      const described = await client.workflowService.describeWorkflowExecution({ namespace, execution });
      return (described.pendingWorkflowTask?.attempt ?? 0) >= 3;
    });
    // A worker looks when it starts, and then once a minute.
    const second = await gate.startWorker();
    try {
      const alert = await eventually('the alert', async () =>
        gate.alerts.received.map((received) => JSON.stringify(received)).find((text) => text.includes('GateWedged')),
      );
      expect(alert).toContain(`deployment/${id} waits with a failing workflow task`);
      // Either worker may have told of it first.
      await eventually('the count', async () =>
        /^gate_wedged_workflows 1$/m.test(await (await fetch(`${second.httpUrl}/metrics`)).text()),
      );
    } finally {
      await client.workflow.getHandle(workflowIdOf(id)).terminate('over');
      await second.stop();
    }
  });

  it('a deployment that waits leaves no line in the log for a look', async () => {
    await start();
    await counted(3);
    gate.heal();
    await gate.reaches(id, 'done');
    const log = readFileSync(join(gate.folder, 'worker.log'), 'utf8');
    expect(log).not.toContain('Unchanged');
  });
});
