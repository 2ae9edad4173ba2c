import { Command } from 'commander';
import type { CommandContext } from '../io';
import { rulesDiffCommand } from './diff';
import { rulesEvaluateCommand } from './evaluate';
import { rulesExecuteCommand } from './execute';
import { rulesExecutionsCommand } from './executions';
import { rulesExplainCommand } from './explain';
import { rulesGraphCommand } from './graph';
import { rulesLintCommand } from './lint';
import { rulesSchemaCommand } from './schema';
import { rulesPauseCommand, rulesUnpauseCommand } from './pause';
import { rulesShowCommand } from './show';
import {
  rulesApplyCommand,
  rulesDeleteCommand,
  rulesGetCommand,
  rulesHistoryCommand,
  rulesListCommand,
  rulesRollbackCommand,
} from './stored';
import { rulesTestCommand } from './test';
import { rulesSimulateCommand } from './simulate';
import { rulesValidateCommand } from './validate';

export function rulesCommand(context: CommandContext): Command {
  return new Command('rules')
    .summary('rule policies: conditions over a state, and the actions that follow')
    .description(
      'For rule policies, in JSON or YAML. Validating, evaluating and the like need no more than files; see docs/rules.md.',
    )
    .addCommand(rulesValidateCommand(context))
    .addCommand(rulesLintCommand(context))
    .addCommand(rulesTestCommand(context))
    .addCommand(rulesShowCommand(context))
    .addCommand(rulesEvaluateCommand(context))
    .addCommand(rulesExplainCommand(context))
    .addCommand(rulesGraphCommand(context))
    .addCommand(rulesDiffCommand(context))
    .addCommand(rulesSimulateCommand(context))
    .addCommand(rulesSchemaCommand(context))
    .addCommand(rulesExecuteCommand(context))
    .addCommand(rulesExecutionsCommand(context))
    .addCommand(rulesApplyCommand(context))
    .addCommand(rulesGetCommand(context))
    .addCommand(rulesListCommand(context))
    .addCommand(rulesHistoryCommand(context))
    .addCommand(rulesRollbackCommand(context))
    .addCommand(rulesDeleteCommand(context))
    .addCommand(rulesPauseCommand(context))
    .addCommand(rulesUnpauseCommand(context));
}
