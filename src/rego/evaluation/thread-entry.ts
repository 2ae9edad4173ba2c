import { parentPort, workerData } from 'node:worker_threads';
import type { FromThread, ThreadData, ToThread } from './messages';
import { RunClock } from '../../platform/threads/run-clock';
import { createThreadSide } from './thread-side';

const port = parentPort!;
const send = (message: FromThread): void => port.postMessage(message);
const clock = new RunClock((workerData as ThreadData).clock);
const receive = createThreadSide(clock, send);
port.on('message', (message: ToThread) => receive(message));
clock.markReady();
