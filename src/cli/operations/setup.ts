import { Command } from 'commander';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import type { CommandContext } from '../io';

export function setupCommand({ io }: CommandContext): Command {
  const command = new Command('setup')
    .summary('prepare a Temporal namespace and the audit store')
    .description(
      'Creates the search attributes in the Temporal namespace and sets up the audit store as `gate audit setup` does. Safe to repeat.',
    )
    .option('--create', 'also make the buckets that the settings name');
  examples(withOutput(withSettings(command)), ['gate setup', 'gate setup --create', 'gate setup -o json']);
  return command.action(async (options: CommonOptions & { create?: true }) => {
    const [{ setUp }, { openLoadedSettings }, { auditSetupLines }] = await Promise.all([
      import('../../clients/set-up.js'),
      import('../open-settings.js'),
      import('../audit/setup-text.js'),
    ]);
    const setup = await setUp(await openLoadedSettings(io, options.settings), io.env, { create: options.create });
    if (options.output === 'json') return printJson(io, setup);
    const { address, namespace, searchAttributes, buckets, auditStore } = setup;
    printLines(io, [
      `Temporal ${address}, namespace ${namespace}`,
      `  search attributes created: ${searchAttributes.created.join(', ') || 'none'}`,
      `  search attributes already there: ${searchAttributes.existing.join(', ') || 'none'}`,
      ...buckets.map(({ bucket, created }) => `Bucket ${bucket} ${created ? 'was made' : 'was there already'}`),
      ...auditSetupLines(auditStore),
    ]);
  });
}
