import { Command } from 'commander';
import type { CommandContext } from '../io';
import { buildCommand, checkCommand, fmtCommand, testCommand, typesCommand } from './authoring';
import { policyDiffCommand } from './diff';
import { policyHistoryCommand } from './history';
import { optionalCommand } from './optional';
import { policyPublishCommand } from './publish';
import { policyReloadCommand } from './reload';
import { policyRollbackCommand } from './rollback';
import { policyStatusCommand } from './status';

export function policyCommand(context: CommandContext): Command {
  return new Command('policy')
    .summary('build, test, check and publish policies')
    .description(
      'For policy authors. Building, testing and checking need the opa binary, which is found or installed by itself.',
    )
    .addCommand(buildCommand(context))
    .addCommand(testCommand(context))
    .addCommand(checkCommand(context))
    .addCommand(fmtCommand(context))
    .addCommand(typesCommand(context))
    .addCommand(optionalCommand(context))
    .addCommand(policyPublishCommand(context))
    .addCommand(policyRollbackCommand(context))
    .addCommand(policyHistoryCommand(context))
    .addCommand(policyDiffCommand(context))
    .addCommand(policyStatusCommand(context))
    .addCommand(policyReloadCommand(context));
}
