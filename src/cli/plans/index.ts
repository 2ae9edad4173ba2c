import { Command } from 'commander';
import type { CommandContext } from '../io';
import { plansApplyCommand } from './apply';
import { plansApproveCommand, plansRejectCommand } from './decide';
import { plansCancelCommand, plansRetryCommand } from './ask-run';
import { plansDeleteCommand } from './delete';
import { plansDiffCommand } from './diff';
import { plansExplainCommand, plansWhyCommand } from './explain';
import { plansGetCommand } from './get';
import { plansGraphCommand } from './graph';
import { plansResolveCommand } from './resolve';
import { plansRunCommand } from './run';
import { plansSchemaCommand } from './schema';
import { plansValidateCommand } from './validate';
import { plansWatchCommand } from './watch';

export function plansCommand(context: CommandContext): Command {
  return new Command('plans')
    .summary('goals and plans: apply, get, resolve, explain')
    .description('For goals and plans as PlanSpec has them, of gate server or from files; see docs/plans.md.')
    .addCommand(plansApplyCommand(context))
    .addCommand(plansGetCommand(context))
    .addCommand(plansWatchCommand(context))
    .addCommand(plansDiffCommand(context))
    .addCommand(plansDeleteCommand(context))
    .addCommand(plansValidateCommand(context))
    .addCommand(plansResolveCommand(context))
    .addCommand(plansExplainCommand(context))
    .addCommand(plansWhyCommand(context))
    .addCommand(plansGraphCommand(context))
    .addCommand(plansRunCommand(context))
    .addCommand(plansCancelCommand(context))
    .addCommand(plansRetryCommand(context))
    .addCommand(plansApproveCommand(context))
    .addCommand(plansRejectCommand(context))
    .addCommand(plansSchemaCommand(context));
}
