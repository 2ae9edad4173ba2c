import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Finding } from '../../src/clients/doctor/finding';
import type { NodeChild } from '../../src/dev/child-process';
import { workflowIdOf } from '../../src/kernel/names';
import { startHttpReceiver, type HttpReceiver } from '../fakes/http-receiver';
import { PATCH } from '../fixtures/upgrade/timer-before-action';
import { type GateHarness, OPERATOR, startGateHarness } from '../support/gate-harness';
import { eventually } from '../support/temporal-env';
import { buildA, buildB, settingsWith, type Build } from '../support/two-builds';

const MINUTES_MS = 600_000;

/** Two builds whose workflow code gives different commands, each in processes of its own, on a real Temporal server. */
describe('an upgrade of the workers', () => {
  let gate: GateHarness;
  let receiver: HttpReceiver;
  let settings: string;
  let a: Build;
  let b: Build;
  let connection: Connection;
  let client: Client;
  let id: string;
  const running: NodeChild[] = [];

  beforeAll(async () => {
    gate = await startGateHarness();
    receiver = await startHttpReceiver();
    a = buildA(gate);
    b = await buildB(gate);
    connection = await Connection.connect({ address: gate.temporal.address });
    client = new Client({ connection, namespace: gate.temporal.namespace });
  }, MINUTES_MS);
  afterAll(async () => {
    await connection?.close();
    await receiver?.close();
    await gate?.stop();
  });
  beforeEach(() => {
    id = `d-${randomUUID()}`;
    gate.heal();
    receiver.refuse = () => undefined;
  });
  afterEach(async () => {
    for (const worker of running.splice(0)) await worker.stop();
  });

  const start = async (build: Build, temporal: Record<string, unknown> = {}, ...flags: string[]) => {
    const worker = await build.start(temporal, ...flags);
    running.push(worker);
    return worker;
  };
  const deploy = (...names: string[]) => {
    const action = { type: 'http', method: 'POST', url: `${receiver.url}/devices`, expect: 200 };
    const file = gate.deployment(
      id,
      names.map((name) => ({ name, action })),
    );
    return gate.cli('deploy', '-f', file, '--settings', settings);
  };
  /** From now on no decision can be made. */
  const breakFacts = (): void =>
    gate.levels.setMetric('max_pending', { value: 800, timestamp: new Date(0).toISOString() });
  /** The first stage acts, and the second one cannot be decided. */
  const pauseAtSecondStage = async (): Promise<void> => {
    receiver.refuse = () => {
      breakFacts();
      return undefined;
    };
    expect(await deploy('canary', 'fleet')).toMatchObject({ code: 0 });
    await gate.reaches(id, 'paused');
    expect([actions('canary'), actions('fleet')]).toEqual([1, 0]);
    receiver.refuse = () => undefined;
  };
  const actions = (stage: string): number =>
    receiver.requests.filter(({ headers }) => headers['idempotency-key'] === `${id}/${stage}`).length;
  const history = async () => (await client.workflow.getHandle(workflowIdOf(id)).fetchHistory()).events ?? [];
  /** Whether it has passed the patch of build B; both builds have patches of the package beside it. */
  const passedPatch = async (): Promise<boolean> =>
    (await history()).some(({ markerRecordedEventAttributes: marker }) => {
      if (marker?.markerName !== 'core_patch') return false;
      const payloads = Object.values(marker.details ?? {}).flatMap((detail) => detail.payloads ?? []);
      return payloads.some(({ data }) => Buffer.from(data ?? []).includes('"timer-before-action"'));
    });
  const receivesTasks = (worker: NodeChild) =>
    eventually('the worker to get tasks', async () => {
      const ready = (await (await fetch(`${String(worker.ready.http)}/readyz`)).json()) as { receivesTasks: boolean };
      return ready.receivesTasks;
    });
  const resume = () => gate.cli('resume', id, ...OPERATOR);
  /** A resume that was not confirmed may take effect later all the same; then the next one finds nothing to resume. */
  const resumed = () =>
    eventually('a resume that takes effect', async () => {
      if ((await resume()).code === 0) return true;
      const status = await gate.cli('status', id);
      return status.code !== 4 && !status.stdout.includes('paused');
    });

  it.each([
    ['unversioned', {}, []],
    ['versioned', { deployment: { name: 'upgraded' } }, ['--make-current']],
  ] as const)(
    'an upgrade of the workers lets a deployment that paused under the old build resume, act once and end under the new one: %s workers',
    async (mode, versions, flags) => {
      const temporal = { ...versions, taskQueue: `upgrade-${mode}` };
      settings = settingsWith(gate, mode, temporal);
      const old = await start(a, temporal, ...flags);
      await receivesTasks(old);
      breakFacts();
      expect(await deploy('canary')).toMatchObject({ code: 0 });
      await gate.reaches(id, 'paused');
      const next = await start(b, temporal, ...flags);
      await receivesTasks(next);
      await old.stop();
      gate.heal();
      expect(await resume()).toMatchObject({ code: 0 });
      await gate.reaches(id, 'done');
      expect(actions('canary')).toBe(1);
      expect(await passedPatch()).toBe(true);
    },
    MINUTES_MS,
  );

  it(
    'an upgrade of the workers can be rolled back while new patches are held: the old build replays what the new one did',
    async () => {
      const temporal = { taskQueue: 'held' };
      settings = settingsWith(gate, temporal.taskQueue, temporal);
      const next = await start(b, { ...temporal, newPatches: 'hold' });
      await pauseAtSecondStage();
      await next.stop();
      await receivesTasks(await start(a, temporal));
      gate.heal();
      await resumed();
      await gate.reaches(id, 'done');
      expect([actions('canary'), actions('fleet')]).toEqual([1, 1]);
      expect(await passedPatch()).toBe(false);
    },
    MINUTES_MS,
  );

  it(
    'an upgrade of the workers cannot be rolled back under a deployment that passed a patch: it waits, is named, and continues with the new build',
    async () => {
      const temporal = { taskQueue: 'passed' };
      settings = settingsWith(gate, temporal.taskQueue, temporal);
      const next = await start(b, temporal);
      await pauseAtSecondStage();
      await next.stop();
      const old = await start(a, temporal);
      gate.heal();
      const found = await eventually('doctor to name the deployment', async () =>
        (await gate.json<{ findings: Finding[] }>('doctor', '--settings', settings)).findings.find(({ found }) =>
          found.includes(workflowIdOf(id)),
        ),
      );
      expect(found).toMatchObject({ state: 'missing', found: expect.stringContaining('NON_DETERMINISTIC_ERROR') });
      expect(found.found).toContain(PATCH);
      await old.stop();
      await start(b, temporal);
      // Temporal tries the failed task again after a growing pause, and takes no update meanwhile.
      await resumed();
      await gate.reaches(id, 'done');
      expect([actions('canary'), actions('fleet')]).toEqual([1, 1]);
    },
    MINUTES_MS,
  );
});
