import { Command } from 'commander';
import { auditExportCommand } from './export';
import { auditListCommand } from './list';
import { auditSetupCommand } from './setup';
import { auditShowCommand } from './show';
import { auditTailCommand } from './tail';
import type { CommandContext } from '../io';

export function auditCommand(context: CommandContext): Command {
  return new Command('audit')
    .summary('what was decided and done')
    .description(
      'Reads the audit log: from DynamoDB, PostgreSQL, or from the embedded store through the worker that owns it.',
    )
    .addCommand(auditListCommand(context))
    .addCommand(auditShowCommand(context))
    .addCommand(auditTailCommand(context))
    .addCommand(auditExportCommand(context))
    .addCommand(auditSetupCommand(context));
}
