import { NativeConnection, Worker } from '@temporalio/worker';
import { createGateActivities, gatePlugin, type ServiceOptions } from 'planning-engine';
import { activities } from './activities';

export interface StartOptions {
  address: string;
  taskQueue: string;
  /** path of a settings file; @default what GATE_SETTINGS names, or the defaults */
  settings?: string;
  services?: ServiceOptions;
}

/** A worker of your own with the gate's activities beside yours; runs until `signal` aborts. */
export async function runWorker(
  { address, taskQueue, settings, services }: StartOptions,
  signal: AbortSignal,
): Promise<void> {
  const gate = await createGateActivities(settings, services);
  const connection = await NativeConnection.connect({ address });
  try {
    const worker = await Worker.create({
      connection,
      taskQueue,
      workflowsPath: require.resolve('./workflows'),
      activities,
      plugins: [gatePlugin(gate)],
    });
    const stop = (): void => worker.shutdown();
    signal.addEventListener('abort', stop, { once: true });
    await worker.run();
  } finally {
    await connection.close();
    await gate.close();
  }
}
