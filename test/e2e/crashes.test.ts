import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '../../src/audit/audit-record';
import type { ShownStatus } from '../support/shown-status';
import type { NodeChild } from '../../src/dev/child-process';
import { startFreezingProxy, type FreezingProxy } from '../support/freezing-proxy';
import { CALLER, type GateHarness, OPERATOR, SHORT_STEPS, startGateHarness } from '../support/gate-harness';
import { startPostgres, type TestPostgres } from '../support/postgres';
import { eventually } from '../support/temporal-env';

/** A worker of its own process is killed with SIGKILL at each step; its store of record is a real PostgreSQL. */
describe('after a crash', () => {
  let postgres: TestPostgres;
  let proxy: FreezingProxy;
  let gate: GateHarness;
  let worker: NodeChild;
  let id: string;

  beforeAll(async () => {
    postgres = await startPostgres();
    const url = new URL(await postgres.database('crashes'));
    proxy = await startFreezingProxy(postgres.port);
    url.port = String(proxy.port);
    gate = await startGateHarness({
      settings: { audit: { store: { url: url.href }, stdout: false } },
      release: SHORT_STEPS,
    });
    worker = await gate.spawnWorker();
  });
  afterAll(async () => {
    proxy?.thaw();
    await gate?.stop();
    await proxy?.close();
    await postgres?.close();
  });
  beforeEach(() => {
    id = `d-${randomUUID()}`;
    gate.heal();
  });

  const patch = () => ({
    type: 'http',
    method: 'PATCH',
    url: `${gate.levels.url}/devices`,
    body: { target: 1 },
    expect: 202,
  });
  const start = (...stages: Record<string, unknown>[]) => gate.cli('deploy', '-f', gate.deployment(id, stages));
  const restart = async (): Promise<void> => {
    await worker.kill();
    worker = await gate.spawnWorker();
  };
  const records = () => gate.json<AuditRecord[]>('audit', 'list', '--deployment', id, '--oldest-first');
  const keysActedOn = (): string[] =>
    Object.keys(gate.levels.requests().byIdempotencyKey).filter((key) => key.startsWith(id));
  const once = <T>(values: readonly T[]): void => expect(new Set(values).size).toBe(values.length);

  it('a worker killed while it collects: the next one collects again, and nothing is recorded twice', async () => {
    gate.levels.setMetric('pending_delta', { behaviour: 'hang' });
    const asked = gate.levels.requests().metrics.pending_delta ?? 0;
    await start({ name: 'canary', action: patch() });
    await eventually('a request', () => (gate.levels.requests().metrics.pending_delta ?? 0) > asked);
    await worker.kill();
    gate.heal();
    worker = await gate.spawnWorker();
    await gate.reaches(id, 'done');
    expect(keysActedOn()).toEqual([`${id}/canary`]);
    expect((await records()).filter((record) => record.outcome === 'allow')).toHaveLength(1);
  });

  it('a worker killed while it records: the decision is recorded once, before the action', async () => {
    proxy.freeze();
    await start({ name: 'canary', action: patch() });
    const asked = gate.levels.requests().metrics.max_pending ?? 0;
    await eventually('facts collected', () => (gate.levels.requests().metrics.max_pending ?? 0) >= Math.max(1, asked));
    await worker.kill();
    expect(keysActedOn()).toEqual([]);
    proxy.thaw();
    worker = await gate.spawnWorker();
    await gate.reaches(id, 'done');
    const decisions = (await records()).filter((record) => record.kind === 'decision');
    once(decisions.map((record) => record.decisionID));
    expect(decisions.filter((record) => record.outcome === 'allow')).toHaveLength(1);
    expect(keysActedOn()).toEqual([`${id}/canary`]);
  });

  it('a worker killed while it acts: the action is repeated under the same key, so that it counts once', async () => {
    gate.levels.setMetric('devices', { behaviour: 'hang' });
    const before = gate.levels.requests().targeted;
    await start({ name: 'canary', action: patch() });
    await eventually('the request', () => keysActedOn().length > 0);
    await worker.kill();
    gate.heal();
    worker = await gate.spawnWorker();
    await gate.reaches(id, 'done');
    expect(keysActedOn()).toEqual([`${id}/canary`]);
    expect(gate.levels.requests().targeted - before).toBe(1);
  });

  it('a worker killed in each of five attempts: the deployment is paused on the action, and a resume repeats it under the same key', async () => {
    gate.levels.setMetric('devices', { behaviour: 'hang' });
    const before = gate.levels.requests().targeted;
    const requests = (): number => gate.levels.requests().byIdempotencyKey[`${id}/canary`] ?? 0;
    await start({ name: 'canary', action: patch() });
    for (let death = 1; death <= 5; death += 1) {
      await eventually(`request ${death}`, () => requests() === death);
      await restart();
    }
    const { pause } = await gate.pausedOn(id, 'ActionFailed');
    expect(pause?.faults[0]?.message).toContain('the action http of stage canary, but workers die or hang');
    gate.heal();
    expect(await gate.cli('resume', id, ...OPERATOR)).toMatchObject({ code: 0 });
    await gate.reaches(id, 'done');
    expect(requests()).toBe(6);
    expect(gate.levels.requests().targeted - before).toBe(1);
    expect((await records()).filter((record) => record.outcome === 'allow')).toHaveLength(1);
  });

  it('a worker killed during a pause: the next one has the same pause, and an operator can resume it', async () => {
    gate.levels.setMetric('pending_delta', { behaviour: { status: 503 } });
    await start({ name: 'canary', action: patch() });
    const { pause } = await gate.pausedOn(id, 'FactSourceUnavailable');
    await restart();
    expect((await gate.pausedOn(id, 'FactSourceUnavailable')).pause?.id).toBe(pause?.id);
    gate.heal();
    await eventually('recovery', async () => (await gate.json<ShownStatus>('status', id)).pause?.recovered);
    expect(await gate.cli('resume', id, ...OPERATOR)).toMatchObject({ code: 0 });
    await gate.reaches(id, 'done');
    expect((await records()).filter((record) => record.kind === 'pause')).toHaveLength(1);
  });

  it('a worker that is dead when all are paused: the pause is told as unconfirmed, takes effect later, and outlives the next death', async () => {
    gate.levels.setMetric('max_pending', { value: 3100 });
    await start({ name: 'canary', onDeny: 'wait', recheckEvery: '10m', action: patch() });
    await gate.reaches(id, 'waiting');
    await eventually('it in the list', async () => (await gate.running()).includes(id));
    await worker.kill();
    const all = await gate.cli('pause', '--all', ...CALLER, '--timeout', '2s');
    expect(all).toMatchObject({ code: 4, stdout: expect.stringContaining(`${id}: `) });
    const isPaused = async () => (await gate.cli('status', id)).stdout.includes('paused by ann');
    worker = await gate.spawnWorker();
    await eventually('the pause', isPaused);
    await restart();
    await eventually('the same pause', isPaused);
    gate.heal();
    expect(await gate.cli('resume', id, ...OPERATOR)).toMatchObject({ code: 0 });
    await gate.reaches(id, 'done');
    expect((await records()).filter((record) => record.kind === 'pause')).toHaveLength(1);
  });

  it('a worker killed again and again: each stage is decided and acted on once', async () => {
    const names = ['s1', 's2', 's3', 's4', 's5'];
    await start(...names.map((name) => ({ name, action: patch() })));
    for (let crash = 0; crash < 3; crash += 1) {
      const acted = keysActedOn().length;
      await eventually('another action', () => keysActedOn().length > acted || keysActedOn().length === names.length);
      await restart();
    }
    const status = await gate.reaches(id, 'done');
    expect(status.stages.map((stage) => `${stage.name} ${stage.state}`)).toEqual(names.map((name) => `${name} done`));
    expect(keysActedOn().sort()).toEqual(names.map((name) => `${id}/${name}`));
    once((await records()).map((record) => record.decisionID));
  });

  it('a Temporal server restarted during a pause: the pause continues', async () => {
    gate.levels.setMetric('pending_delta', { behaviour: { status: 503 } });
    await start({ name: 'canary', action: patch() });
    const { pause } = await gate.pausedOn(id, 'FactSourceUnavailable');
    await gate.restartTemporal();
    expect((await gate.pausedOn(id, 'FactSourceUnavailable')).pause?.id).toBe(pause?.id);
    gate.heal();
    await eventually('recovery', async () => (await gate.json<ShownStatus>('status', id)).pause?.recovered);
    expect(await gate.cli('resume', id, ...OPERATOR)).toMatchObject({ code: 0 });
    await gate.reaches(id, 'done');
    expect(keysActedOn()).toEqual([`${id}/canary`]);
  });

  it('an audit store that hangs: the deployment pauses on AuditWriteFailed, does not act, and resumes by itself', async () => {
    proxy.freeze();
    await start({ name: 'canary', action: patch() });
    await gate.pausedOn(id, 'AuditWriteFailed');
    expect(keysActedOn()).toEqual([]);
    proxy.thaw();
    await gate.reaches(id, 'done');
    expect(keysActedOn()).toEqual([`${id}/canary`]);
    expect((await records()).map((record) => record.kind)).toEqual(
      expect.arrayContaining(['decision', 'pause', 'resolved']),
    );
  });
});
