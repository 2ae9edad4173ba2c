import { setTimeout as sleep } from 'node:timers/promises';
import type { FoundStatus } from '../../clients/deployment-client';
import type { DeploymentStatus } from '../../gate/deployments/deployment-state';
import { CliExit, ExitCode, type CommandIo } from '../io';
import { printLines } from '../output';
import { notFound } from '../exit';
import { statusResult } from './status-result';
import { exitCodeOf, statusLines } from './status-text';

export interface WatchOptions {
  everyMs: number;
  output: 'text' | 'json';
  /** asks for the status now */
  ask(): Promise<FoundStatus>;
}

/**
 * Prints the status of a deployment now and whenever it changes, until it has ended: as text with the time, or as one line
 * of JSON. What only grows older, such as a pause, is no change; neither is a look that found the same.
 *
 * @returns the exit code of its end
 * @throws CliExit 2 for an unknown deployment, 4 when it is stopped before the end
 */
export async function watchStatus(
  io: CommandIo,
  id: string,
  { everyMs, output, ask }: WatchOptions,
): Promise<ExitCode> {
  let shown = '';
  for (;;) {
    const found = await ask();
    if (found.found === 'unknown') throw notFound(`deployment ${id} is unknown`);
    const now = found.found === 'status' ? changesOf(found.status) : 'unanswered';
    if (now !== shown) {
      shown = now;
      if (found.found === 'unanswered') io.stderr.write(`No worker answers for deployment ${id}; still watching\n`);
      else if (output === 'json') io.results.line(statusResult(found.status));
      else printLines(io, [new Date().toISOString(), ...statusLines(io, found.status, Date.now())]);
    }
    if (found.found === 'status' && found.closed) return exitCodeOf(found.status.state);
    if (!io.signal.aborted) await sleep(everyMs, undefined, { signal: io.signal }).catch(() => undefined);
    if (io.signal.aborted) throw new CliExit(ExitCode.timeout, `stopped watching; deployment ${id} continues`);
  }
}

/** What of a status is worth a new print. */
function changesOf({ pendingLooks: _looks, pause, ...status }: DeploymentStatus): string {
  const { remindersSent: _sent, nextReminderAtMs: _next, ...kept } = pause ?? {};
  return JSON.stringify([status, kept]);
}
