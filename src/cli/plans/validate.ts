import { Command } from 'commander';
import type { CommandContext } from '../io';
import { examples, withOutput } from '../options';
import { colorsFor, printJson, printLines } from '../output';
import { openObjects, withObjects, type ObjectsOptions } from './objects-option';

export function plansValidateCommand({ io }: CommandContext): Command {
  const command = new Command('validate')
    .summary("check PlanSpec's objects in files")
    .description(
      'Checks the objects of files and tells every fault with its file, line and column: exit code 2 when there is one. Warns of fields that no schema knows, and of plans that can be stored but not executed. Needs no server.',
    );
  examples(withOutput(withObjects(command)), ['gate plans validate -f objects.yaml', 'gate plans validate -f folder']);
  return command.action(async (options: ObjectsOptions) => {
    const [{ unexecutable }, { objectName }, { objects, warnings }] = await Promise.all([
      import('../../plans/resolver/resolve-objects.js'),
      import('../../plans/object.js'),
      openObjects(io, options),
    ]);
    const all = [...warnings, ...unexecutable(objects)];
    if (options.output === 'json') {
      const named = objects.map(({ kind, metadata: { name, namespace } }) => ({ kind, namespace, name }));
      return printJson(io, { objects: named, warnings: all });
    }
    const colors = colorsFor(io);
    return printLines(io, [
      ...objects.map(objectName),
      ...all.map((warning) => `${colors.yellow('warning')} ${warning}`),
      `${objects.length} ${objects.length === 1 ? 'object' : 'objects'}: no faults`,
    ]);
  });
}
