import { Command } from 'commander';
import { explain } from '../../gate/deployments/explain';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { examples, withOutput, withSettings, withWorkflowId, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { notFound } from '../exit';
import { checkAskedStage } from './asked-stage';
import { explanationResult } from './status-result';
import { exitCodeOf, explanationLines } from './status-text';
import { connect } from '../temporal-client';

export function explainCommand({ io, exit }: CommandContext): Command {
  const command = new Command('explain')
    .summary('why a deployment waits, and what would unblock it')
    .description(
      'Why a deployment waits, on which facts with their ages and limits, what would unblock it, and when it asks next.',
    )
    .argument('<id>', 'deployment id')
    .option('--stage <name>', 'one of several open stages, in an execution of a plan');
  examples(withOutput(withSettings(withWorkflowId(command))), ['gate explain firmware-1.4.0']);
  return command.action(async (id: string, options: CommonOptions & { workflowId?: string; stage?: string }) => {
    const { deployments, close } = await connect(io, options.settings);
    try {
      const found = await deployments.status(id, options.workflowId, options.stage);
      if (found.found === 'unknown') throw notFound(`deployment ${id} is unknown`);
      if (found.found === 'status') checkAskedStage(id, options.stage, found.status);
      const explanation =
        found.found === 'status'
          ? found.closed
            ? explain(found.status, [])
            : await deployments.explain(id, options.workflowId, options.stage)
          : undefined;
      if (!explanation)
        throw new CliExit(ExitCode.timeout, `no worker answered for deployment ${id}; is one running? (gate worker)`);
      if (options.output === 'json') printJson(io, explanationResult(explanation));
      else printLines(io, explanationLines(io, explanation));
      exit(exitCodeOf(explanation.state));
    } finally {
      await close();
    }
  });
}
