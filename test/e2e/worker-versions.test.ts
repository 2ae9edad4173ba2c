import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Finding } from '../../src/clients/doctor/finding';
import type { NodeChild } from '../../src/dev/child-process';
import { findTool } from '../../src/platform/tools/find-tool';
import { startGateHarness, type GateHarness } from '../support/gate-harness';
import { eventually } from '../support/temporal-env';
import { buildA, settingsWith, type Build } from '../support/two-builds';

const MINUTES_MS = 600_000;
const run = promisify(execFile);

interface Health {
  buildID: string;
  deployment?: string;
  receivesTasks: boolean;
}

/** Workers in processes of their own, and the current version set with Temporal's own command line. */
describe('versioned workers', () => {
  let gate: GateHarness;
  let build: Build;
  let settings: string;
  const running: NodeChild[] = [];
  const temporal = { taskQueue: 'versions' };
  const deployment = { name: 'gate', buildId: 'one' };

  beforeAll(async () => {
    gate = await startGateHarness();
    build = buildA(gate);
    settings = settingsWith(gate, 'versions', temporal);
  }, MINUTES_MS);
  afterAll(async () => {
    await gate?.stop();
  });
  afterEach(async () => {
    for (const worker of running.splice(0)) await worker.stop();
  });

  const start = async (over: Record<string, unknown> = {}, ...flags: string[]): Promise<NodeChild> => {
    const worker = await build.start({ ...temporal, ...over }, ...flags);
    running.push(worker);
    return worker;
  };
  const health = async (worker: NodeChild, route = 'readyz'): Promise<Health & { code: number }> => {
    const response = await fetch(`${String(worker.ready.http)}/${route}`);
    return { code: response.status, ...((await response.json()) as Health) };
  };
  const receives = (worker: NodeChild, expected: boolean) =>
    eventually(`receivesTasks to be ${expected}`, async () => (await health(worker)).receivesTasks === expected);
  const finding = (words: string) =>
    eventually(`doctor to say: ${words}`, async () =>
      (await gate.json<{ findings: Finding[] }>('doctor', '--settings', settings)).findings.find(({ found }) =>
        found.includes(words),
      ),
    );
  const setCurrent = async (...target: string[]): Promise<void> => {
    const { path } = await findTool('temporal');
    const args = ['worker', 'deployment', 'set-current-version', '--yes', '--deployment-name', 'gate', ...target];
    await run(path, [...args, '--address', gate.temporal.address, '--namespace', gate.temporal.namespace]);
  };

  it(
    'have, without one of their own, the build id of the package, which all commands show',
    async () => {
      const worker = await start();
      await receives(worker, true);
      const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as {
        version: string;
      };
      const { buildID, deployment: name } = await health(worker, 'healthz');
      expect(buildID).toMatch(new RegExp(`^${version.replaceAll('.', '[.]')}-[0-9a-f]{12}$`));
      expect(name).toBeUndefined();
      const status = await gate.cli('policy', 'status', '--settings', settings, '-o', 'json');
      expect(JSON.parse(status.stdout)).toMatchObject({ workers: [{ build_id: buildID, receives_tasks: true }] });
      expect(await finding(`1 worker of build ${buildID}, unversioned, gets tasks`)).toMatchObject({ state: 'ok' });
    },
    MINUTES_MS,
  );

  it(
    'get no tasks before their build is current, which is no fault of theirs, and all of them after',
    async () => {
      const worker = await start({ deployment });
      expect(await finding('build gate:one polls and is not current')).toMatchObject({
        advice: expect.stringContaining('set-current-version --deployment-name gate --build-id one'),
      });
      expect(await health(worker)).toMatchObject({
        code: 200,
        deployment: 'gate',
        buildID: 'one',
        receivesTasks: false,
      });
      const log = (): string => readFileSync(join(gate.folder, 'worker-a.log'), 'utf8');
      await eventually('the log', () => log().includes('its build is not current'));
      await setCurrent('--build-id', 'one');
      await receives(worker, true);
      expect(await finding('1 worker of build gate:one gets tasks')).toMatchObject({ state: 'ok' });
    },
    MINUTES_MS,
  );

  it(
    'are missing where a build is current and none of it runs; unversioned ones beside it get no tasks',
    async () => {
      await start({ deployment: { ...deployment, buildId: 'two' } }, '--make-current').then((two) =>
        receives(two, true),
      );
      await running.pop()?.stop();
      expect(await finding('build gate:two is current and has no worker')).toMatchObject({ state: 'missing' });
      const unversioned = await start();
      expect(await finding('without a version gets no tasks')).toMatchObject({
        state: 'missing',
        advice: expect.stringContaining('--deployment-name gate --unversioned'),
      });
      expect(await health(unversioned)).toMatchObject({ code: 200, receivesTasks: false });
      await setCurrent('--unversioned');
      await receives(unversioned, true);
    },
    MINUTES_MS,
  );

  it(
    'cannot be made current without a deployment to be current in',
    async () => {
      const { code, stderr } = await gate.cli('worker', '--make-current', '--settings', settings);
      expect(code).toBe(2);
      expect(stderr).toContain('temporal.deployment');
    },
    MINUTES_MS,
  );
});
