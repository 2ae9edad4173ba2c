import { Command } from 'commander';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import type { CommandContext } from '../io';

export function policyStatusCommand({ io, exit }: CommandContext): Command {
  const command = new Command('status')
    .summary('which release each worker has in force')
    .description(
      'Asks every worker. Exit code 1 when they differ, when one has none or refused a newer one; 4 when none answers.',
    );
  examples(withOutput(withSettings(command)), ['gate policy status']);
  return command.action(async (options: CommonOptions) => {
    const { printFleet } = await import('./fleet.js');
    exit(await printFleet(io, options, false));
  });
}
