import { parentPort, workerData } from 'node:worker_threads';
import { READY, type FromThread, type ThreadData, type ToThread } from './messages';
import { RunClock } from '../../platform/threads/run-clock';
import { createThreadSide } from './thread-side';

const port = parentPort!;
const send = (message: FromThread): void => port.postMessage(message);
const receive = createThreadSide(new RunClock((workerData as ThreadData).clock), send);
port.on('message', (message: ToThread) => receive(message));
send(READY);
