import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import type { GateActivities } from '../../src/activities/gate-activities';
import { startTemporalServer, type TemporalServer } from '../../src/dev/temporal-server';

const log = new DefaultLogger('ERROR');

/** A real Temporal server with the gate's workflows, for one test file; every test gets a task queue of its own. */
export interface TemporalEnv {
  server: TemporalServer;
  client: Client;
  /** runs `use` while a worker with these activities polls the queue */
  withWorker<T>(taskQueue: string, activities: GateActivities, use: () => Promise<T>): Promise<T>;
  startWorker(taskQueue: string, activities: GateActivities): Promise<RunningWorker>;
  stop(): Promise<void>;
}

export interface RunningWorker {
  stop(): Promise<void>;
}

export async function startTemporalEnv(workflowsPath = require.resolve('../../src/workflows')): Promise<TemporalEnv> {
  Runtime.install({ logger: log });
  const folder = mkdtempSync(join(tmpdir(), 'gate-temporal-'));
  const [server, workflowBundle] = await Promise.all([
    startTemporalServer({ dbFile: join(folder, 'temporal.db'), logFile: join(folder, 'temporal.log') }),
    bundleWorkflowCode({ workflowsPath, logger: log }),
  ]);
  const connection = await Connection.connect({ address: server.address });
  const nativeConnection = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection, identity: 'test-client' });

  const startWorker = async (taskQueue: string, activities: GateActivities): Promise<RunningWorker> => {
    const worker = await createWorker(nativeConnection, workflowBundle, taskQueue, activities);
    const running = worker.run();
    return {
      stop: async () => {
        if (worker.getState() === 'RUNNING') worker.shutdown();
        await running;
      },
    };
  };
  return {
    server,
    client,
    startWorker,
    withWorker: async (taskQueue, activities, use) => {
      const worker = await startWorker(taskQueue, activities);
      try {
        return await use();
      } finally {
        await worker.stop();
      }
    },
    stop: async () => {
      await connection.close();
      await nativeConnection.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function createWorker(
  connection: NativeConnection,
  workflowBundle: WorkflowBundle,
  taskQueue: string,
  activities: GateActivities,
): Promise<Worker> {
  return Worker.create({
    connection,
    identity: 'test-worker',
    taskQueue,
    workflowBundle,
    activities,
    // Tests are many and short; a polled task must not keep a stopped worker waiting.
    shutdownGraceTime: '2s',
    maxCachedWorkflows: 20,
    maxConcurrentWorkflowTaskExecutions: 10,
  });
}

/** Waits until `check` holds, asking often; fails with `what` after `withinMs`. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await check();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline)
      throw new Error(`Expected within ${withinMs} ms: ${what}${last instanceof Error ? ` (${last.message})` : ''}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
