import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { quietRuntime } from '../src/platform/temporal/quiet-runtime';
import { createGate } from 'planning-engine';
import { quickRelease, ROOT, startGateHarness, type GateHarness } from '../test/support/gate-harness';
import { eventually } from '../test/support/temporal-env';
import { mayGoOn } from './library/decide';
import { runWorker } from './worker/worker';

describe('the examples', () => {
  let gate: GateHarness;
  beforeAll(async () => {
    quietRuntime({ Runtime, DefaultLogger });
    gate = await startGateHarness();
  });
  afterAll(async () => {
    await gate?.stop();
  });
  beforeEach(() => gate.heal());

  it('the library decides and records without Temporal', async () => {
    const library = await createGate(gate.settingsFile, { env: gate.env, ...gate.quiet });
    const told = jest.spyOn(console, 'log').mockReturnValue();
    const said = jest.spyOn(console, 'error').mockReturnValue();
    expect(await mayGoOn(library, 'library-1', 'canary')).toBe(true);
    gate.levels.setMetric('max_pending', { value: 3100 });
    expect(await mayGoOn(library, 'library-2', 'canary')).toBe(false);
    gate.levels.setMetric('max_pending', { behaviour: { status: 503 } });
    expect(await mayGoOn(library, 'library-3', 'canary')).toBe(false);
    expect([told, said].flatMap(({ mock }) => mock.calls)).toEqual([
      [expect.stringMatching(/^library-1 may go on \(record .*, under v1\)$/)],
      [
        expect.stringMatching(
          /^library-2 denied: max_pending limit exceeded: current 3100 > configured 2000 \(record /,
        ),
      ],
      [expect.stringMatching(/^library-3 no decision: Fact max_pending: .* answered 503 \(under v1\)$/)],
    ]);
    told.mockRestore();
    said.mockRestore();
    await library.close();
    const list = await gate.json<{ deploymentID: string; outcome: string }[]>('audit', 'list', '--oldest-first');
    expect(list.map(({ deploymentID, outcome }) => `${deploymentID} ${outcome}`)).toEqual([
      'library-1 allow',
      'library-2 deny',
      'library-3 error',
    ]);
  });

  it('a workflow of one’s own waits at the gate and obeys its operators', async () => {
    const stop = new AbortController();
    const { address } = gate.temporal;
    const id = `rollout-${randomUUID()}`;
    const options = {
      address,
      taskQueue: 'rollouts',
      settings: gate.settingsFile,
      services: { env: gate.env, ...gate.quiet },
    };
    const running = runWorker(options, stop.signal);
    const connection = await Connection.connect({ address });
    const told = jest.spyOn(console, 'log').mockReturnValue();
    try {
      gate.levels.setMetric('us/max_pending', { value: 3100 });
      const client = new Client({ connection });
      const handle = await client.workflow.start('rollout', {
        workflowId: `deployment/${id}`,
        taskQueue: 'rollouts',
        args: [{ id, regions: ['eu', 'us'] }],
      });
      await eventually(
        'the second region to wait',
        async () => (await gate.json<{ state: string; stage: string }>('status', id)).state === 'waiting',
      );
      expect(await gate.cli('override', id, '--actor', 'ann', '--reason', 'known')).toMatchObject({ code: 0 });
      expect(await handle.result()).toEqual([
        'eu has the new version (allowed under release v1)',
        'us has the new version (overridden)',
      ]);
    } finally {
      told.mockRestore();
      stop.abort();
      await running;
      await connection.close();
    }
  });

  /** `npm start` in the example's folder, as a reader of it types it, until the test ends it with Ctrl-C. */
  function start(example: string, ...args: string[]) {
    const child = spawn('npm', ['start', '--silent', '--', '--config', gate.settingsFile, ...args], {
      cwd: join(ROOT, 'examples', example),
      env: Object.fromEntries(Object.entries(gate.env).filter(([name]) => !/^npm_|^INIT_CWD$/.test(name))),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
    const closed = once(child, 'close');
    return {
      prints: (text: string) =>
        eventually(`the example to print ${text}`, () => {
          if (child.exitCode !== null) throw new Error(`it ended: ${printed}`);
          return printed.includes(text);
        }),
      async end() {
        if (child.exitCode === null) process.kill(-child.pid!, 'SIGINT');
        await closed;
      },
    };
  }
  const publish = (version: string, maxPending: number): void => {
    gate.writeRelease(quickRelease(gate.levels.url, { limits: { maxDelta: 500, maxPending } }));
    gate.writeManifest({ policy: join(ROOT, 'policy'), config: 'release.json', version });
  };

  it('the library’s program decides under a new release without a restart', async () => {
    const library = start('library', '--every', '100');
    try {
      await library.prints('under v1)');
      publish('v2', 100);
      await library.prints('denied: max_pending limit exceeded: current 800 > configured 100');
      await library.prints('under v2)');
    } finally {
      await library.end();
    }
  });

  it('the worker’s program says when a new release is in force, and goes on under it', async () => {
    publish('v3', 100);
    const id = `rollout-${randomUUID()}`;
    const worker = start('worker', '--address', gate.temporal.address, '--rollout', id, '--region', 'eu');
    try {
      await worker.prints('release v3 is in force');
      await worker.prints(`rollout ${id} is started`);
      await eventually(
        'the region to wait',
        async () => (await gate.json<{ state: string }>('status', id)).state === 'waiting',
      );
      publish('v4', 2000);
      await worker.prints('release v4 is in force');
      await worker.prints('eu has the new version (allowed under release v4)');
    } finally {
      await worker.end();
    }
  });
});
