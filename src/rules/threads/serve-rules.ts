import { parentPort, workerData } from 'node:worker_threads';
import { RunClock } from '../../platform/threads/run-clock';
import type { FromThread, ThreadData, ToThread } from './messages';
import type { RuleProgram } from './rule-program';
import { createThreadSide } from './thread-side';

/** The whole of a thread that evaluates the rules of one domain; its entry makes this one call. */
export function serveRules(program: RuleProgram): void {
  const port = parentPort!;
  const clock = new RunClock((workerData as ThreadData).clock);
  const receive = createThreadSide(program, clock, (message: FromThread) => port.postMessage(message));
  port.on('message', (message: ToThread) => receive(message));
  clock.markReady();
}
