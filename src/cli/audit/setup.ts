import { Command } from 'commander';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import type { CommandContext } from '../io';

export function auditSetupCommand({ io }: CommandContext): Command {
  const command = new Command('setup')
    .summary('prepare the audit store')
    .description(
      "Creates DynamoDB's table with its indexes and switches TTL on, or brings PostgreSQL to the newest schema. Safe to " +
        'repeat. A table that is there is checked and never changed but for its TTL: exit code 2 with every difference.',
    );
  examples(withOutput(withSettings(command)), ['gate audit setup', 'gate audit setup -o json']);
  return command.action(async (options: CommonOptions) => {
    const [{ openLoadedSettings }, { requireStore }, { setUpAuditStore }, { auditSetupLines }] = await Promise.all([
      import('../open-settings.js'),
      import('../../audit/stores/open-audit.js'),
      import('../../audit/stores/set-up-audit-store.js'),
      import('./setup-text.js'),
    ]);
    const loaded = await openLoadedSettings(io, options.settings);
    requireStore(loaded);
    const setup = await setUpAuditStore(loaded, io.env);
    if (options.output === 'json') printJson(io, setup);
    else printLines(io, auditSetupLines(setup));
  });
}
