import { Command } from 'commander';
import type { CommandContext } from '../io';
import { rulesEvaluateCommand } from './evaluate';
import { rulesValidateCommand } from './validate';

export function rulesCommand(context: CommandContext): Command {
  return new Command('rules')
    .summary('rule policies: conditions over a state, and the actions that follow')
    .description(
      'For rule policies, in JSON or YAML. Validating, evaluating and the like need no more than files; see docs/rules.md.',
    )
    .addCommand(rulesValidateCommand(context))
    .addCommand(rulesEvaluateCommand(context));
}
