import { setTimeout as sleep } from 'node:timers/promises';
import type { PlanClient } from '../../clients/plans/plan-client';
import type { JsonObject } from '../../kernel/json';
import type { Execution } from '../../plans/kinds/execution';
import { kindNamed } from '../../plans/kinds/kinds';
import { requestsOf } from '../../plans/execution/run-requests';
import { quoted } from '../command-json';
import { notFound } from '../exit';
import { CliExit, ExitCode, type CommandIo } from '../io';
import { printJson, printLines, printTable } from '../output';

export interface AwaitOptions {
  output: 'text' | 'json';
  /** milliseconds */
  timeout: number;
  /** goes on waiting while it is paused; @default false */
  overPauses?: boolean;
}

const POLL_MS = 300;

/**
 * Waits for the end of an execution, and shows it: what it waits for meanwhile is told on standard error.
 *
 * @returns 0 succeeded, 1 failed or cancelled, 3 paused
 * @throws CliExit timeout
 */
export async function awaitExecution(
  io: CommandIo,
  client: PlanClient,
  first: Execution,
  { output, timeout, overPauses = false }: AwaitOptions,
): Promise<ExitCode> {
  const { namespace, name, uid } = first.metadata;
  const place = { kind: kindNamed('Execution')!, namespace, name };
  const untilMs = Date.now() + timeout;
  let execution = first;
  let told = '';
  while (!isOver(execution)) {
    const { isPaused, waits } = stopsOf(execution);
    if (isPaused && !overPauses && requestsOf(execution.status).length === 0) {
      await showExecution(io, execution, output);
      return ExitCode.paused;
    }
    const text = waits.map(({ node, message }) => `node ${node} ${message}`).join('; ');
    if (text !== '' && text !== told) io.stderr.write(`Execution ${namespace}/${name}: ${text}\n`);
    told = text;
    if (io.signal.aborted) throw new CliExit(ExitCode.timeout, `stopped waiting; execution ${name} continues`);
    if (Date.now() >= untilMs) {
      const phase = execution.status?.phase ?? 'Pending';
      throw new CliExit(ExitCode.timeout, `timed out: execution ${name} is still ${phase}; it continues`);
    }
    await sleep(POLL_MS, undefined, { signal: io.signal }).catch(() => undefined);
    const found = await client.find(place);
    if (found?.metadata.uid !== uid) throw notFound(`Execution ${namespace}/${name} was deleted`);
    execution = found as unknown as Execution;
  }
  await showExecution(io, execution, output);
  const phase = execution.status?.phase;
  return phase === 'Failed' || phase === 'Cancelled' ? ExitCode.denied : ExitCode.ok;
}

interface Stop {
  node: string;
  message: string;
}

/** The nodes that wait for somebody, where nothing else goes on: tasks that are paused, and gates that are undecided. */
function stopsOf({ status = {} }: Execution): { isPaused: boolean; waits: Stop[] } {
  const { plan: pinned, hold } = (status.extensions ?? {}) as { plan?: unknown; hold?: unknown };
  const plan = pinned as { spec?: { graph?: { nodes?: { id: string; kind: string }[] } } } | undefined;
  const kinds = new Map(plan?.spec?.graph?.nodes?.map(({ id, kind }) => [id, kind]));
  const stops = Object.entries(status.nodeStatuses ?? {}).flatMap(([node, { phase, message = 'waits' }]) =>
    phase === 'Blocked' ? [{ node, message }] : [],
  );
  const isTask = ({ node }: Stop): boolean => kinds.get(node) === 'Task';
  // While another node goes on, its end may be the answer.
  const isPaused = status.phase === 'Blocked' && (hold !== undefined || stops.some(isTask));
  return { isPaused, waits: stops.filter((stop) => !isTask(stop)) };
}

/** One that has ended and is asked to go on has not. */
function isOver({ status }: Execution): boolean {
  return ['Succeeded', 'Failed', 'Cancelled'].includes(status?.phase ?? '') && requestsOf(status).length === 0;
}

/** @returns 0 */
export async function showExecution(
  io: CommandIo,
  execution: Execution,
  output: AwaitOptions['output'],
): Promise<ExitCode> {
  if (output === 'json') {
    printJson(io, quoted(execution as unknown as JsonObject));
    return ExitCode.ok;
  }
  const { metadata, status = {} } = execution;
  const why = status.message === undefined ? '' : `: ${status.message}`;
  printLines(io, [`Execution ${metadata.namespace}/${metadata.name} is ${status.phase ?? 'Pending'}${why}`]);
  const rows = Object.entries(status.nodeStatuses ?? {}).map(([id, node]) => [
    id,
    node.phase ?? '',
    node.message ?? '',
  ]);
  if (rows.length > 0) await printTable(io, ['node', 'phase', 'why'], rows);
  return ExitCode.ok;
}
