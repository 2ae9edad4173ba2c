import { Command } from 'commander';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import type { CommandContext } from '../io';

export function policyReloadCommand({ io, exit }: CommandContext): Command {
  const command = new Command('reload')
    .summary('have every worker read the manifest now')
    .description(
      'Has every worker read the manifest now, and shows what is in force afterwards. Exit codes as of gate policy status.',
    );
  examples(withOutput(withSettings(command)), ['gate policy reload']);
  return command.action(async (options: CommonOptions) => {
    const { printFleet } = await import('./fleet.js');
    exit(await printFleet(io, options, true));
  });
}
