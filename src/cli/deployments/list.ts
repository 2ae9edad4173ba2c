import { Command } from 'commander';
import { count, examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printTable } from '../output';
import { connect } from '../temporal-client';
import type { CommandContext } from '../io';

interface ListOptions extends CommonOptions {
  paused?: boolean;
  running?: boolean;
  limit: number;
}

export function listCommand({ io }: CommandContext): Command {
  const command = new Command('list')
    .summary('deployments, open ones first')
    .description(
      'Deployments that Temporal knows, one row each with the time of its first start: open ones first, then the ones that ended last. What is listed may lag behind by seconds.',
    )
    .option('--paused', 'only those that are paused now')
    .option('--running', 'only those that have not ended')
    .option('--limit <n>', 'at most this many', count, 50);
  examples(withOutput(withSettings(command)), ['gate list --paused']);
  return command.action(async (options: ListOptions) => {
    const { deployments, close } = await connect(io, options.settings);
    try {
      const listed = await deployments.list({
        pausedOnly: options.paused,
        runningOnly: options.running,
        limit: options.limit,
      });
      if (options.output === 'json') return printJson(io, listed);
      const rows = listed.map((one) => [
        one.deploymentId,
        one.state,
        one.stage ?? '',
        one.outcome ?? '',
        one.pauseReason ?? '',
        one.startedAt,
      ]);
      await printTable(io, ['id', 'state', 'stage', 'outcome', 'paused on', 'started'], rows);
    } finally {
      await close();
    }
  });
}
