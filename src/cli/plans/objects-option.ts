import type { Command } from 'commander';
import type { ReadObjects } from '../../plans/offline/read-objects';
import type { CommandIo } from '../io';
import { collect, type CommonOptions } from '../options';
import { readStandardInput } from '../standard-input';

/** Where a command takes its objects from, without a server. */
export interface ObjectsOptions extends CommonOptions {
  file: string[];
  namespace: string;
}

/** Adds `--file` and `--namespace` to a command that reads objects from files. */
export function withObjects(command: Command): Command {
  return command
    .requiredOption(
      '-f, --file <path>',
      'objects in YAML or JSON: a file, a folder, or - for standard input; may be given several times',
      collect,
    )
    .option('-n, --namespace <name>', 'of objects that name none', 'default');
}

/** The objects of all files, checked. @throws GateError ConfigInvalid with every fault of every file */
export async function openObjects(io: CommandIo, { file, namespace }: ObjectsOptions): Promise<ReadObjects> {
  const [{ readObjects }, { resolve }] = await Promise.all([
    import('../../plans/offline/read-objects.js'),
    import('node:path'),
  ]);
  const paths = file.map((path) => (path === '-' ? path : resolve(io.cwd, path)));
  return readObjects(paths, { namespace, standardInput: () => readStandardInput(io) });
}
