import { Command } from 'commander';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { durationOption, examples, withOutput, withSettings, withWorkflowId, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { notFound } from '../exit';
import { checkAskedStage } from './asked-stage';
import { statusResult } from './status-result';
import { exitCodeOf, statusLines } from './status-text';
import { connect } from '../temporal-client';

interface StatusOptions extends CommonOptions {
  workflowId?: string;
  stage?: string;
  watch?: boolean;
  every: number;
}

export function statusCommand({ io, exit }: CommandContext): Command {
  const command = new Command('status')
    .summary('show the state of a deployment')
    .description(
      'Shows the state of a deployment. Exit code: 0 running or done, 1 denied, failed, aborted, terminated or timed out, 2 unknown, 3 paused, 4 not answered.',
    )
    .argument('<id>', 'deployment id')
    .option('--stage <name>', 'the status of one of several open stages, in an execution of a plan')
    .option('--watch', 'print it again whenever it changes, until the deployment has ended; -o json prints a line each')
    .addOption(durationOption('--every <duration>', 'how often --watch asks', '1s'));
  examples(withOutput(withSettings(withWorkflowId(command))), [
    'gate status firmware-1.4.0',
    'gate status firmware-1.4.0 --watch',
  ]);
  return command.action(async (id: string, options: StatusOptions) => {
    const { deployments, close } = await connect(io, options.settings);
    try {
      if (options.watch) {
        const { watchStatus } = await import('./watch-status.js');
        const ask = () => deployments.status(id, options.workflowId, options.stage);
        return exit(await watchStatus(io, id, { everyMs: options.every, output: options.output, ask }));
      }
      const found = await deployments.status(id, options.workflowId, options.stage);
      if (found.found === 'unknown') throw notFound(`deployment ${id} is unknown`);
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
      checkAskedStage(id, options.stage, found.status);
      if (options.output === 'json') printJson(io, statusResult(found.status));
      else printLines(io, statusLines(io, found.status, Date.now()));
      exit(exitCodeOf(found.status.state));
    } finally {
      await close();
    }
  });
}
