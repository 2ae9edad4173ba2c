import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { OpenedExecutions, RuleExecutionClient } from '../../clients/rule-execution-client';
import type { ExecutionQuestion, ExecutionStatus } from '../../rules/execution/execution';
import { isEnd } from '../../rules/execution/progress';
import { quoted } from '../command-json';
import { CliExit, ExitCode, type CommandContext, type CommandIo } from '../io';
import { collect, durationOption, examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { executionExitCode, executionLines } from './execution-text';

interface ExecuteOptions extends CommonOptions {
  policy?: string[];
  operation?: string;
  shard?: string;
  id?: string;
  actor: string;
  reason: string;
  dryRun?: boolean;
  wait: boolean;
  timeout: number;
}

const POLL_MS = 300;

/** How long a worker may take to answer one question. */
const ANSWER_WITHIN_MS = 10_000;

export function rulesExecuteCommand({ io, exit }: CommandContext): Command {
  const command = new Command('execute')
    .summary('carry out what rule policies ask for')
    .description(
      'Evaluates the policies in force on the state as it is now and carries out what they ask for, step by step; where a step fails, all steps before it are taken back. ' +
        'Exit code 1 when it failed or was rolled back, 3 when a rollback is stuck and waits, 4 when the time is up; it continues then.',
    )
    .option('--policy <name>', 'only this policy; may be given several times', collect)
    .option('--operation <name>', 'policies for this operation, such as place_shard')
    .option('--shard <id>', 'only for this shard')
    .option('--dry-run', 'plan, and change nothing')
    .requiredOption('--actor <name>', 'who acts')
    .requiredOption('--reason <text>', 'why')
    .option('--id <uuid>', 'the same id is one execution, however often it is started')
    .option('--no-wait', 'return as soon as it is started')
    .addOption(durationOption('--timeout <duration>', 'how long to wait', '10m'));
  examples(withOutput(withSettings(command)), [
    'gate rules execute --operation place_shard --shard s6 --dry-run --actor ann --reason "room for s6"',
    'gate rules execute --policy cool-nodes-first --actor ann --reason "room for s6"',
  ]);
  return command.action(async (options: ExecuteOptions) => {
    if (options.policy === undefined && options.operation === undefined) {
      throw new CliExit(ExitCode.usage, 'give --operation, or --policy');
    }
    if (options.operation !== undefined) {
      const [{ ruleDomain }, { checkOperation }] = await Promise.all([
        import('./domain.js'),
        import('./state-options.js'),
      ]);
      checkOperation(await ruleDomain(), options.operation);
    }
    const { executions, close } = await connectExecutions(io, options.settings);
    try {
      exit(await execute(io, executions, options));
    } finally {
      await close();
    }
  });
}

async function execute(io: CommandIo, executions: RuleExecutionClient, options: ExecuteOptions): Promise<ExitCode> {
  const { id = randomUUID(), actor, reason, dryRun } = options;
  const { started } = await executions.start(id, {
    question: questionOf(options),
    actor,
    reason,
    ...(dryRun === true ? { dryRun } : {}),
  });
  io.stderr.write(started ? `Started execution ${id}\n` : `Execution ${id} was started before\n`);
  if (!options.wait) {
    if (options.output === 'json') printJson(io, { execution_id: id, started });
    else printLines(io, [`Execution ${id} runs; gate rules executions ${id} shows its state`]);
    return ExitCode.ok;
  }
  const status = await waitForExecution(io, executions, id, options.timeout);
  if (options.output === 'json') printJson(io, quoted(status));
  else printLines(io, executionLines(io, status));
  if (!isEnd(status.state) && status.pause === undefined) {
    throw new CliExit(ExitCode.timeout, `timed out: execution ${id} is still ${status.state}; it continues`);
  }
  return executionExitCode(status);
}

function questionOf({ policy, operation, shard }: ExecuteOptions): ExecutionQuestion {
  return {
    ...(policy === undefined ? {} : { policies: policy }),
    ...(operation === undefined ? {} : { operation }),
    ...(shard === undefined ? {} : { subject: shard }),
  };
}

/**
 * Waits until the execution has ended or is paused; the last status that a worker reported where the time is up.
 *
 * @throws CliExit 4 where no worker answered, or the command was stopped; 2 for one that does not exist
 */
export async function waitForExecution(
  io: CommandIo,
  executions: RuleExecutionClient,
  id: string,
  timeoutMs: number,
): Promise<ExecutionStatus> {
  const untilMs = Date.now() + timeoutMs;
  let last: ExecutionStatus | undefined;
  for (;;) {
    const found = await executions.status(id);
    if (found.found === 'status') last = found.status;
    if (last !== undefined && (isEnd(last.state) || last.pause !== undefined || Date.now() >= untilMs)) return last;
    if (io.signal.aborted) throw new CliExit(ExitCode.timeout, `stopped waiting; execution ${id} continues`);
    if (Date.now() >= untilMs) {
      throw new CliExit(ExitCode.timeout, `timed out: no worker answered for execution ${id}; it continues`);
    }
    await sleep(POLL_MS, undefined, { signal: io.signal }).catch(() => undefined);
  }
}

/** A client of executions on the server that the settings name. */
export async function connectExecutions(
  io: CommandIo,
  settings: string | undefined,
  deadlineMs = ANSWER_WITHIN_MS,
): Promise<OpenedExecutions> {
  const [{ openExecutions }, { openLoadedSettings }] = await Promise.all([
    import('../../clients/rule-execution-client.js'),
    import('../open-settings.js'),
  ]);
  return openExecutions(await openLoadedSettings(io, settings), io.env, deadlineMs);
}
