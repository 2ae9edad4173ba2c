import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { bundleOptions } from '../../src/built-workflows';
import { startTemporalServer, type TemporalServer } from '../../src/dev/temporal-server';
import { HEARTBEATS } from '../../src/platform/temporal/heartbeats';
import { messageConverterPath } from '../../src/platform/temporal/converters/message-converter-path';
import { quietRuntime } from '../../src/platform/temporal/quiet-runtime';
import { createWorkflowCoverage } from './counting/workflow-coverage';
import { keptBundle } from './kept-bundle';

/** A real Temporal server with the gate's workflows, for one test file; every test gets a task queue of its own. */
export interface TemporalEnv {
  server: TemporalServer;
  client: Client;
  /** runs `use` while a worker with these activities polls the queue */
  withWorker<T>(taskQueue: string, activities: object, use: () => Promise<T>): Promise<T>;
  /**
   * @param dataConverter of this worker; @default the env's
   * @param over other options of this worker
   */
  startWorker(
    taskQueue: string,
    activities: object,
    dataConverter?: DataConverter,
    over?: Partial<WorkerOptions>,
  ): Promise<RunningWorker>;
  stop(): Promise<void>;
}

export interface RunningWorker {
  stop(): Promise<void>;
}

/** The gate's payload converter without any key, as settings without keys give it. */
const UNENCRYPTED: DataConverter = { payloadConverterPath: messageConverterPath() };

/**
 * @param workflowsPath @default the gate's workflows
 * @param dataConverter of client and workers, unless a worker is given another
 */
export async function startTemporalEnv(
  workflowsPath?: string,
  dataConverter: DataConverter = UNENCRYPTED,
): Promise<TemporalEnv> {
  quietRuntime({ Runtime, DefaultLogger });
  const coverage = createWorkflowCoverage();
  const folder = mkdtempSync(join(tmpdir(), 'gate-temporal-'));
  const encrypted = (dataConverter.payloadCodecs ?? []).length > 0;
  const options = { ...bundleOptions(encrypted), ...(workflowsPath ? { workflowsPath } : {}) };
  const [server, workflowBundle] = await Promise.all([
    startTemporalServer({ dbFile: join(folder, 'temporal.db'), logFile: join(folder, 'temporal.log') }),
    keptBundle(coverage.bundleOptions(options)),
  ]);
  const connection = await Connection.connect({ address: server.address });
  const nativeConnection = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection, identity: 'test-client', dataConverter });

  const startWorker: TemporalEnv['startWorker'] = async (taskQueue, activities, own = dataConverter, over = {}) => {
    const worker = await Worker.create({
      ...workerOptions(taskQueue, activities),
      connection: nativeConnection,
      dataConverter: own,
      workflowBundle,
      sinks: coverage.sinks,
      // Workflows run beside the test, not in a thread: the thread of each worker would load the SDK anew, for longer than
      // most tests take. Workers in processes of their own (test/e2e) run them as the product does.
      debugMode: true,
      ...over,
    });
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
      coverage.merge();
      await connection.close();
      await nativeConnection.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function workerOptions(taskQueue: string, activities: object) {
  return {
    identity: 'test-worker',
    taskQueue,
    activities,
    // Tests are many and short; a polled task must not keep a stopped worker waiting.
    shutdownGraceTime: '2s' as const,
    ...HEARTBEATS,
    maxCachedWorkflows: 20,
    maxConcurrentWorkflowTaskExecutions: 10,
  };
}

export { eventually } from './eventually';
