import { Command } from 'commander';
import { quoted } from '../command-json';
import type { CommandContext } from '../io';
import { examples, withOutput } from '../options';
import { printJson, printLines, printTable } from '../output';
import { openObjects, withObjects, type ObjectsOptions } from './objects-option';

export function plansResolveCommand({ io }: CommandContext): Command {
  const command = new Command('resolve')
    .summary('resolve the goals of files to their active plans')
    .description(
      'Resolves every goal of the files among the plans of the files, as the server does, and prints the active plan of each; with -o json the goals with their resolved status. Needs no server.',
    );
  examples(withOutput(withObjects(command)), [
    'gate plans resolve -f objects.yaml',
    'gate plans resolve -f goals -f plans -o json',
  ]);
  return command.action(async (options: ObjectsOptions) => {
    const [{ resolveObjects }, { objects }] = await Promise.all([
      import('../../plans/resolver/resolve-objects.js'),
      openObjects(io, options),
    ]);
    const list = resolveObjects(objects, Date.now());
    if (options.output === 'json') return printJson(io, quoted(list));
    if (list.items.length === 0) return printLines(io, ['no goals']);
    const rows = list.items.map(({ metadata, status }) => [
      metadata.namespace,
      metadata.name,
      status?.phase ?? '',
      status?.activePlanRef?.name ?? '',
    ]);
    return printTable(io, ['namespace', 'goal', 'phase', 'active plan'], rows);
  });
}
