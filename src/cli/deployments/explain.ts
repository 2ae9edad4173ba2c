import { Command } from 'commander';
import { explain } from '../../gate/deployments/explain';
import { messageOf } from '../../kernel/message-of';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { examples, withOutput, withSettings, withWorkflowId, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { notFound } from '../exit';
import { checkAskedStage } from './asked-stage';
import { explanationResult } from './status-result';
import { exitCodeOf, explanationLines, oneLine, recordLines } from './status-text';
import { connect } from '../temporal-client';

export function explainCommand({ io, exit }: CommandContext): Command {
  const command = new Command('explain')
    .summary('why a deployment waits, and what would unblock it')
    .description(
      'Why a deployment waits, on which facts with their ages and limits, what would unblock it, and when it asks next; of an execution of a plan also who ran it, let its nodes pass and operated it.',
    )
    .argument('<id>', 'deployment id')
    .option('--stage <name>', 'one of several open stages, in an execution of a plan');
  examples(withOutput(withSettings(withWorkflowId(command))), ['gate explain firmware-1.4.0']);
  return command.action(async (id: string, options: CommonOptions & { workflowId?: string; stage?: string }) => {
    const [{ findExecutionRecords }, { openLoadedSettings }] = await Promise.all([
      import('../../clients/plans/execution-records.js'),
      import('../open-settings.js'),
    ]);
    const loaded = await openLoadedSettings(io, options.settings);
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
      const records = await findExecutionRecords(loaded, io.env, id).catch((error: unknown) => {
        io.stderr.write(`${oneLine(`the audit log cannot be read: ${messageOf(error)}`)}\n`);
        return [];
      });
      if (options.output === 'json') printJson(io, explanationResult(explanation, records));
      else printLines(io, [...explanationLines(io, explanation), ...recordLines(records)]);
      exit(exitCodeOf(explanation.state));
    } finally {
      await close();
    }
  });
}
