import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '../../src/audit/audit-record';
import type { NodeChild } from '../../src/dev/child-process';
import type { DeploymentStatus, PendingLooks } from '../../src/gate/deployments/deployment-state';
import { workflowIdOf } from '../../src/kernel/names';
import { startPostgres, type TestPostgres } from '../support/postgres';
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
  const status = () => gate.json<DeploymentStatus>('status', id);
  const counted = (atLeast: number): Promise<PendingLooks> =>
    eventually(`${atLeast} counted looks`, async () => {
      const { pendingLooks } = await status();
      return pendingLooks !== undefined && pendingLooks.count >= atLeast && pendingLooks;
    });
  const records = () => gate.json<AuditRecord[]>('audit', 'list', '--deployment', id, '--oldest-first');
  const kinds = async (): Promise<string[]> =>
    (await records()).map(({ kind, outcome }) => (outcome === undefined ? kind : `${kind}:${outcome}`));
  const activity = async () => {
    const { recheck } = await status();
    return {
      namespace: gate.temporal.namespace,
      execution: { workflowId: workflowIdOf(id) },
      id: recheck?.activityId ?? '',
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
    expect(between.firstAt).toBe(before.firstAt);

    const asked = gate.levels.requests().metrics.max_pending ?? 0;
    gate.levels.setMetric('max_pending', { behaviour: 'hang' });
    await eventually('a look under way', () => (gate.levels.requests().metrics.max_pending ?? 0) > asked);
    await worker.kill();
    deny();
    worker = await gate.spawnWorker();
    const during = await counted(between.count + 1);
    expect(during.firstAt).toBe(before.firstAt);
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
    expect(after.firstAt).toBe(before.firstAt);
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
      const { pendingLooks } = await status();
      return pendingLooks?.release === 'v2' && pendingLooks;
    });
    expect(after.firstAt).toBe(before.firstAt);
    expect(await events()).toBe(length);
    expect(await kinds()).toEqual(['decision:deny']);
    gate.heal();
    await gate.reaches(id, 'done');
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
