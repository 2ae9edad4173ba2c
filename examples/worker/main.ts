import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import type { ProgramLogger } from 'planning-engine';
import { runWorker } from './worker';

/**
 * `npm start -- --config settings.json [--address 127.0.0.1:7233] [--rollout ID --region eu --region us]`: a worker until
 * Ctrl-C. It says which release is in force, also when another one is published while it runs. With `--rollout` it starts one,
 * whose regions wait at the gate: a region that the release before denied goes on as soon as a new one allows it.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      address: { type: 'string', default: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' },
      'task-queue': { type: 'string', default: 'rollouts' },
      rollout: { type: 'string' },
      region: { type: 'string', multiple: true, default: ['eu', 'us'] },
    },
  });
  const { address, 'task-queue': taskQueue, config: settings } = values;
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const running = runWorker({ address, taskQueue, settings, services: { logger } }, stop.signal);
  if (values.rollout !== undefined) await startRollout(address, taskQueue, values.rollout, values.region);
  await running;
}

async function startRollout(address: string, taskQueue: string, id: string, regions: string[]): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    const workflowId = `deployment/${id}`;
    await new Client({ connection }).workflow.start('rollout', { workflowId, taskQueue, args: [{ id, regions }] });
    console.log(`rollout ${id} is started: gate status ${id}`);
  } finally {
    await connection.close();
  }
}

/** The gate logs through a few lines of yours. */
const logger: ProgramLogger = {
  debug: () => undefined,
  info: (details, message) => {
    const { manifestVersion } = details as { manifestVersion?: string };
    console.log(manifestVersion === undefined ? message : `release ${manifestVersion} is in force`);
  },
  warn: (details, message) => console.error(message, details),
  error: (details, message) => console.error(message, details),
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
