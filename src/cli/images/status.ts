import { Command } from 'commander';
import { imageSyncWorkflowIdOf } from '../../kernel/names';
import { notFound } from '../exit';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { collect, count, examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines, printTable } from '../output';
import { connectSyncs, ended, printSync, progressLine, waitForSync } from './run-sync';

interface StatusOptions extends CommonOptions {
  policy?: string[];
  list?: boolean;
  limit: number;
  watch?: boolean;
}

export function imagesStatusCommand({ io, exit }: CommandContext): Command {
  const command = new Command('status')
    .summary('what a sync has done, and what is left')
    .description(
      'Shows the sync of all policies that runs now, or the last one. With --policy that of the same policies, with an id any other, such as one that a schedule started.',
    )
    .argument('[id]', 'the workflow id of a sync')
    .option('--policy <id>', 'the sync of this policy; may be given several times', collect)
    .option('--list', 'list the newest syncs')
    .option('--limit <number>', 'so many at most', count, 20)
    .option('--watch', 'wait until it has ended, with the progress on standard error');
  examples(withOutput(withSettings(command)), ['gate images status', 'gate images status --list']);
  return command.action(async (id: string | undefined, options: StatusOptions) => {
    const { syncs, taskQueue, close } = await connectSyncs(io, options.settings);
    try {
      if (options.list === true) {
        const listed = await syncs.list(options.limit);
        if (options.output === 'json') return printJson(io, { syncs: listed });
        const rows = listed.map((one) => [one.workflowId, one.status, one.startedAt, one.closedAt ?? '']);
        return await printTable(io, ['sync', 'status', 'started', 'ended'], rows);
      }
      const workflowId = id ?? imageSyncWorkflowIdOf(taskQueue, options.policy);
      if (options.watch === true) {
        const status = await waitForSync(io, syncs, workflowId, true);
        return exit(printSync(io, workflowId, status, options.output));
      }
      const found = await syncs.status(workflowId);
      if (found.found === 'unknown')
        throw notFound(`no sync ${workflowId}; gate images status --list shows which there are`);
      if (found.found === 'ended') throw ended(workflowId, found.how);
      if (found.found === 'unanswered')
        throw new CliExit(ExitCode.timeout, `no worker answered for ${workflowId}; it continues when one runs`);
      const { status, under } = found;
      if (status.state === 'running' && options.output === 'text') {
        printLines(io, [`${workflowId} runs: ${progressLine(status, under)}`]);
        return;
      }
      const code = printSync(io, workflowId, status, options.output);
      return exit(status.state === 'running' ? ExitCode.ok : code);
    } finally {
      await close();
    }
  });
}
