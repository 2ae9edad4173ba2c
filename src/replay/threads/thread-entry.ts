import { parentPort, workerData } from 'node:worker_threads';
import { RunClock } from '../../platform/threads/run-clock';
import { READY, type BatchMessage, type FromReplayThread, type ReplayThreadData } from './messages';
import { createThreadSide } from './thread-side';

const port = parentPort!;
const data = workerData as ReplayThreadData;
const send = (message: FromReplayThread): void => port.postMessage(message);
const replayed = createThreadSide(data, new RunClock(data.clock));
port.on('message', (message: BatchMessage) => void replayed(message).then(send));
send(READY);
