import { Command } from 'commander';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import type { CommandContext } from '../io';

export function setupCommand({ io }: CommandContext): Command {
  const command = new Command('setup')
    .summary('prepare a Temporal namespace and the audit store')
    .description(
      'Creates the search attributes in the Temporal namespace and sets up the audit store as `gate audit setup` does. Safe to repeat.',
    );
  examples(withOutput(withSettings(command)), ['gate setup', 'gate setup -o json']);
  return command.action(async (options: CommonOptions) => {
    const [{ setUp }, { openLoadedSettings }, { auditSetupLines }] = await Promise.all([
      import('../../clients/set-up.js'),
      import('../open-settings.js'),
      import('../audit/setup-text.js'),
    ]);
    const setup = await setUp(await openLoadedSettings(io, options.settings), io.env);
    if (options.output === 'json') return printJson(io, setup);
    const { address, namespace, searchAttributes, auditStore } = setup;
    printLines(io, [
      `Temporal ${address}, namespace ${namespace}`,
      `  search attributes created: ${searchAttributes.created.join(', ') || 'none'}`,
      `  search attributes already there: ${searchAttributes.existing.join(', ') || 'none'}`,
      ...auditSetupLines(auditStore),
    ]);
  });
}
