import { Command } from 'commander';
import type { CommandContext } from '../io';
import { plansExplainCommand, plansWhyCommand } from './explain';
import { plansGraphCommand } from './graph';
import { plansResolveCommand } from './resolve';
import { plansSchemaCommand } from './schema';
import { plansValidateCommand } from './validate';

export function plansCommand(context: CommandContext): Command {
  return new Command('plans')
    .summary('goals and plans: validate, resolve, explain')
    .description('For goals and plans as PlanSpec has them, from files; see docs/plans.md.')
    .addCommand(plansValidateCommand(context))
    .addCommand(plansResolveCommand(context))
    .addCommand(plansExplainCommand(context))
    .addCommand(plansWhyCommand(context))
    .addCommand(plansGraphCommand(context))
    .addCommand(plansSchemaCommand(context));
}
