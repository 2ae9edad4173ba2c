import { Command } from 'commander';
import { FailureType } from '../../kernel/failures';
import type { ExecutionCall } from '../../workflows/rules/execution-words';
import { quoted } from '../command-json';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { failureOf, notFound } from '../exit';
import { count, durationOption, examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines, printTable } from '../output';
import { connectExecutions, waitForExecution } from './execute';
import { executionExitCode, executionLines } from './execution-text';

interface ExecutionsOptions extends CommonOptions {
  watch?: boolean;
  limit: number;
  timeout: number;
}

interface CallOptions extends CommonOptions {
  actor: string;
  reason: string;
}

export function rulesExecutionsCommand(context: CommandContext): Command {
  const { io, exit } = context;
  const command = new Command('executions')
    .summary('executions of rule policies: list, show, watch, stop')
    .description('Lists the newest executions, or shows one with the status of each of its steps.')
    .argument('[id]', 'one execution')
    .option('--watch', 'wait until it has ended, or is paused')
    .option('--limit <number>', 'so many at most', count, 20)
    .addOption(durationOption('--timeout <duration>', 'how long --watch waits', '10m'))
    .addCommand(callCommand(context, 'abort', 'do nothing more, and take back what was done'))
    .addCommand(callCommand(context, 'resume', 'take back again what could not be taken back'));
  examples(withOutput(withSettings(command)), [
    'gate rules executions',
    'gate rules executions 5f0e8b9e-7a40-4d6f-9f0a-3f2d6b1c0001 --watch',
  ]);
  return command.action(async (id: string | undefined, options: ExecutionsOptions) => {
    const { executions, close } = await connectExecutions(io, options.settings);
    try {
      if (id === undefined) {
        const listed = await executions.list(options.limit);
        if (options.output === 'json') return printJson(io, { executions: listed });
        const rows = listed.map((one) => [one.id, one.status, one.startedAt, one.closedAt ?? '']);
        return await printTable(io, ['execution', 'status', 'started', 'ended'], rows);
      }
      const status = options.watch
        ? await waitForExecution(io, executions, id, options.timeout)
        : await executions.status(id).then((found) => {
            if (found.found === 'unknown') throw notFound(`execution ${id} is unknown`);
            if (found.found === 'status') return found.status;
            throw new CliExit(ExitCode.timeout, `no worker answered for execution ${id}; it continues when one runs`);
          });
      if (options.output === 'json') printJson(io, quoted(status));
      else printLines(io, executionLines(io, status));
      return exit(executionExitCode(status));
    } finally {
      await close();
    }
  });
}

function callCommand({ io, exit }: CommandContext, kind: ExecutionCall, summary: string): Command {
  const command = new Command(kind)
    .summary(summary)
    .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}. Recorded under the name and the reason given.`)
    .argument('<id>', 'the execution')
    .requiredOption('--actor <name>', 'who acts')
    .requiredOption('--reason <text>', 'why');
  examples(withOutput(withSettings(command)), [
    `gate rules executions ${kind} 5f0e8b9e-7a40-4d6f-9f0a-3f2d6b1c0001 --actor ann --reason "checked by hand"`,
  ]);
  return command.action(async (id: string, { settings, output, actor, reason }: CallOptions) => {
    const { executions, close } = await connectExecutions(io, settings);
    try {
      const found = await executions.status(id);
      if (found.found === 'unknown') throw notFound(`execution ${id} is unknown`);
      const pause = found.found === 'status' ? found.status.pause?.id : undefined;
      const meantFor = kind === 'resume' ? { for: pause ?? 'none' } : {};
      const answer = await executions.call(id, kind, { actor, reason, ...meantFor });
      if (output === 'json') printJson(io, { execution_id: id, accepted: answer.accepted, message: answer.message });
      else printLines(io, [answer.message]);
      if (!answer.accepted) exit(ExitCode.usage, failureOf(FailureType.RevisionConflict, answer.message));
    } finally {
      await close();
    }
  });
}
