import { parentPort, workerData } from 'node:worker_threads';
import { RunClock } from '../../platform/threads/run-clock';
import type { BatchMessage, FromReplayThread, ReplayThreadData } from './messages';
import { createThreadSide } from './thread-side';

const port = parentPort!;
const data = workerData as ReplayThreadData;
const send = (message: FromReplayThread): void => port.postMessage(message);
const clock = new RunClock(data.clock);
const replayed = createThreadSide(data, clock);
port.on('message', (message: BatchMessage) => void replayed(message).then(send));
clock.markReady();
