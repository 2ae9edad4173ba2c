import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import type { HealthRelease } from '../../../src/releases/release-health';
import { run } from '../../../src/cli/run';
import { freePorts } from '../../../src/dev/free-ports';
import { startTemporalServer, type TemporalServer } from '../../../src/dev/temporal-server';
import { pollFleetQueues } from '../../../src/releases/fleet/polling/poll-fleet-queues';
import { fleetQueueOf, type FleetActivities } from '../../../src/releases/fleet/worker-answer';
import { quietRuntime } from '../../../src/platform/temporal/quiet-runtime';
import { eventually } from '../../support/temporal-env';

const PARTITIONS = 4;

/** On a server that spreads its queues over partitions, as those in production do. */
describe('a fleet whose workers are not all well', () => {
  let folder: string;
  let server: TemporalServer;
  let client: Connection;
  let taskQueue: string;
  let queues = 0;
  const stops: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    quietRuntime({ Runtime, DefaultLogger });
    folder = mkdtempSync(join(tmpdir(), 'gate-fleet-'));
    server = await startTemporalServer({
      logFile: join(folder, 'temporal.log'),
      dynamicConfig: ['Read', 'Write'].map((kind) => `matching.numTaskqueue${kind}Partitions=${PARTITIONS}`),
    });
    client = await Connection.connect({ address: server.address });
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });
  afterAll(async () => {
    await client?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const useQueue = (): string => (taskQueue = `fleet-${(queues += 1)}`);

  /** What a worker of the fleet polls, with these answers. */
  async function poll(identity: string, activities: Partial<FleetActivities>): Promise<{ stop(): Promise<void> }> {
    const connection = await NativeConnection.connect({ address: server.address });
    const never = (): Promise<HealthRelease> => new Promise(() => undefined);
    const polling = await pollFleetQueues({
      connection,
      namespace: server.namespace,
      taskQueue,
      identity,
      activities: { releaseStatus: never, reloadRelease: never, ...activities },
    });
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      polling.stop();
      return (stopped ??= polling.stopped.then(() => connection.close()));
    };
    stops.push(stop);
    return { stop };
  }

  /** One poll each, so that each is in one partition alone; what asks for an answer gets none. */
  async function pollAsDead(identities: readonly string[]): Promise<void> {
    // One signal each: a signal with a listener for every poll would warn of a leak.
    const killed = identities.map(() => new AbortController());
    const { namespace } = server;
    const fleetQueue = fleetQueueOf(taskQueue);
    const polls = identities.map((identity, index) =>
      client.withAbortSignal(killed[index]!.signal, () =>
        client.withDeadline(Date.now() + 60_000, () =>
          client.workflowService.pollActivityTaskQueue({ namespace, identity, taskQueue: { name: fleetQueue } }),
        ),
      ),
    );
    stops.push(() => {
      for (const one of killed) one.abort();
      return Promise.allSettled(polls);
    });
    const names = Array.from({ length: PARTITIONS }, (_, index) =>
      index === 0 ? fleetQueue : `/_sys/${fleetQueue}/${index}`,
    );
    await eventually('all polls to have come', async () => {
      const found = new Set<string>();
      for (const name of names) {
        const request = { namespace, taskQueue: { name }, taskQueueType: 2 };
        const { pollers } = await client.workflowService.describeTaskQueue(request);
        for (const { identity } of pollers ?? []) found.add(String(identity));
      }
      return found.size === identities.length;
    });
  }

  async function gate(verb: string, args: string[] = [], signal = new AbortController().signal) {
    const settings = join(folder, `${taskQueue}.json`);
    writeFileSync(settings, JSON.stringify({ temporal: { address: server.address, taskQueue } }));
    let stdout = '';
    let stderr = '';
    const code = await run(['policy', verb, '--settings', settings, ...args], {
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
      env: { NO_COLOR: '1', XDG_DATA_HOME: folder },
      cwd: folder,
      signal,
    });
    return { code, stdout, stderr };
  }

  const v1: HealthRelease = {
    manifestVersion: 'v1',
    policySHA: 'a'.repeat(64),
    configRev: 'b'.repeat(64),
    loadedSince: new Date().toISOString(),
    lastCheck: new Date().toISOString(),
  };

  it('gate policy status finds all workers, in whatever partition they poll, and shows those that are dead as silent', async () => {
    useQueue();
    const names = Array.from({ length: 3 * PARTITIONS }, (_, index) => `dead-${index}`);
    await pollAsDead(names);
    const { code, stdout } = await gate('status', ['-o', 'json']);
    const { workers, ...fleet } = JSON.parse(stdout) as { workers: { identity: string; answered: boolean }[] };
    expect({ code, ...fleet }).toEqual({ code: 4, state: 'silent', same_release: false });
    expect(workers.map(({ identity }) => identity)).toEqual([...names].sort());
    expect(workers.every(({ answered }) => !answered)).toBe(true);
  });

  it('gate policy status judges the workers that answer, and names the one that does not', async () => {
    useQueue();
    await poll('frozen', {});
    await poll('well', { releaseStatus: async () => v1 });
    const { code, stdout } = await gate('status');
    expect(stdout).toMatch(/^well +unknown +v1 +aaaaaaaaaaaa +bbbbbbbbbbbb .*never$/m);
    expect(stdout).toMatch(/^frozen does not answer: stopped, or out of reach; last seen \d+s ago$/m);
    expect(stdout).not.toContain('do not have the same release');
    expect(stdout).toContain('1 of 2 workers answered');
    expect(code).toBe(0);
  });

  it('gate policy status says that workers differ also when one of them refused a release', async () => {
    useQueue();
    await poll('behind', { releaseStatus: async () => ({ ...v1, lastError: 'v2 is broken', fromCache: true }) });
    await poll('newer', { releaseStatus: async () => ({ ...v1, manifestVersion: 'v2' }) });
    const { code, stdout } = await gate('status');
    expect(stdout).toContain('v1 (from the copy on disk)');
    expect(stdout).toContain('behind: its last check failed: v2 is broken');
    expect(stdout).toContain('The workers do not have the same release in force');
    expect(code).toBe(1);
  });

  it('a worker can stop while a reload hangs', async () => {
    useQueue();
    let asked = (): void => undefined;
    const began = new Promise<void>((resolve) => (asked = resolve));
    const worker = await poll('hanging', {
      reloadRelease: () => {
        asked();
        return new Promise(() => undefined);
      },
    });
    const shown = gate('reload');
    await began;
    await worker.stop();
    expect(await shown).toMatchObject({ code: 4, stdout: expect.stringContaining('hanging does not answer') });
  });

  it('gate policy reload stops asking at Ctrl-C', async () => {
    useQueue();
    const ctrlC = new AbortController();
    await poll('hanging', {
      reloadRelease: () => {
        ctrlC.abort();
        return new Promise(() => undefined);
      },
    });
    expect(await gate('reload', [], ctrlC.signal)).toEqual({
      code: 4,
      stdout: '',
      stderr: 'gate: stopped waiting; workers may still read the manifest\n',
    });
  });

  it('gate policy status says that Temporal does not answer', async () => {
    const [port] = await freePorts(1);
    const settings = join(folder, 'nowhere.json');
    writeFileSync(settings, JSON.stringify({ temporal: { address: `127.0.0.1:${port}` } }));
    const { code, stderr } = await gate('status', ['--settings', settings]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('cannot be reached: the connection was refused'),
    });
  });

  it.each([
    ['an argument too many', ['worker-1']],
    ['an unknown format', ['-o', 'xml']],
    ['no settings', ['--settings', 'no.json']],
  ])('gate policy status refuses %s', async (_what, args) => {
    useQueue();
    expect(await gate('status', args)).toMatchObject({ code: 2, stdout: '' });
  });
});
