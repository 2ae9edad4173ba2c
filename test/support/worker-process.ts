import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

/**
 * A worker in a process of its own, which a test kills: `node FILE JSON` with `address`, `taskQueue` and `codePath` (a
 * workflow bundle) beside the options that its activities take. It prints its pid, as a line of JSON, once it polls.
 */
export function runWorkerProcess<Options>(activitiesOf: (options: Options) => object | Promise<object>): void {
  main(process.argv[2]!, activitiesOf).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
}

async function main<Options>(text: string, activitiesOf: (options: Options) => object | Promise<object>) {
  const { address, taskQueue, codePath, ...options } = JSON.parse(text) as Record<'address', string> & {
    taskQueue: string;
    codePath: string;
  };
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address }),
    taskQueue,
    workflowBundle: { codePath },
    activities: await activitiesOf(options as Options),
    stickyQueueScheduleToStartTimeout: '1s',
    maxHeartbeatThrottleInterval: '1s',
  });
  process.stdout.write(`${JSON.stringify({ pid: process.pid })}\n`);
  await worker.run();
}
