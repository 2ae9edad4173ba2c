import { Command } from 'commander';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { exitCodeOf, statusLines } from './status-text';
import { connect } from '../temporal-client';

export function statusCommand({ io, exit }: CommandContext): Command {
  const command = new Command('status')
    .summary('show the state of a deployment')
    .description(
      'Shows the state of a deployment. Exit code: 0 running or done, 1 denied, failed, aborted, terminated or timed out, 2 unknown, 3 paused, 4 not answered.',
    )
    .argument('<id>', 'deployment id');
  examples(withOutput(withSettings(command)), ['gate status firmware-1.4.0']);
  return command.action(async (id: string, options: CommonOptions) => {
    const { deployments, close } = await connect(io, options.settings);
    try {
      const found = await deployments.status(id);
      if (found.found === 'unknown') throw new CliExit(ExitCode.usage, `deployment ${id} is unknown`);
      if (found.found === 'unanswered' && found.wedged) {
        const { WEDGED_ADVICE, wedgedText } = await import('../../platform/temporal/wedged/find-wedged.js');
        throw new CliExit(ExitCode.timeout, `${wedgedText(found.wedged)}. ${WEDGED_ADVICE}`);
      }
      if (found.found === 'unanswered') {
        throw new CliExit(
          ExitCode.timeout,
          `deployment ${id} is known to Temporal, but no worker answered in time; is one running? (gate worker)`,
        );
      }
      if (options.output === 'json') printJson(io, found.status);
      else printLines(io, statusLines(io, found.status, Date.now()));
      exit(exitCodeOf(found.status.state));
    } finally {
      await close();
    }
  });
}
