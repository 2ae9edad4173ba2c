import type { Command } from 'commander';
import { kindNamed } from '../../plans/kinds/kinds';
import type { PlanObject } from '../../plans/object';
import type { ReadObjects } from '../../plans/offline/read-objects';
import { CliExit, ExitCode, type CommandIo } from '../io';
import { collect, type CommonOptions } from '../options';
import { readStandardInput } from '../standard-input';
import { connectPlans, noSuchObject, whereOf, withPlanServer, type PlanServerOptions } from './server-option';

/** Where a command takes its objects from, without a server. */
export interface ObjectsOptions extends CommonOptions {
  file: string[];
  namespace: string;
}

/** Where a command takes its objects from: files, or else the server. */
export interface SourceOptions extends PlanServerOptions, Pick<CommonOptions, 'settings'> {
  file?: string[];
}

const FILE = '-f, --file <path>';
const FILE_TEXT = 'objects in YAML or JSON: a file, a folder, or - for standard input; may be given several times';

/** Adds `--file` and `--namespace` to a command that reads objects from files. */
export function withObjects(command: Command): Command {
  return withObjectNamespace(command.requiredOption(FILE, FILE_TEXT, collect));
}

/** Adds what says where objects are: `--file` for files, `--server` and `--settings` for a server. */
export function withSource(command: Command): Command {
  return withPlanServer(
    withObjectNamespace(command.option(FILE, `${FILE_TEXT}; without it the server is asked`, collect)),
  );
}

function withObjectNamespace(command: Command): Command {
  return command.option('-n, --namespace <name>', 'of objects that name none', 'default');
}

/** The objects of all files, checked. @throws GateError ConfigInvalid with every fault of every file */
export async function openObjects(
  io: CommandIo,
  { file, namespace }: Pick<ObjectsOptions, 'file' | 'namespace'>,
): Promise<ReadObjects> {
  const [{ readObjects }, { resolve }] = await Promise.all([
    import('../../plans/offline/read-objects.js'),
    import('node:path'),
  ]);
  const paths = file.map((path) => (path === '-' ? path : resolve(io.cwd, path)));
  return readObjects(paths, { namespace, standardInput: () => readStandardInput(io) });
}

/** Objects that a command looks at, and what it says of one that is not there. */
export interface SourcedObjects {
  objects: readonly PlanObject[];
  /** all objects of a kind, in every namespace */
  everywhere(kind: string): Promise<readonly PlanObject[]>;
  missing(kind: string, name: string): Promise<Error>;
}

/** The objects of the files; without files, those of some kinds that the server has in the namespace. */
export async function openSource(
  io: CommandIo,
  { file, ...options }: SourceOptions,
  kinds: readonly string[],
): Promise<SourcedObjects> {
  const { namespace } = options;
  if (file !== undefined) {
    if (options.server !== undefined) throw new CliExit(ExitCode.usage, 'expected --file or --server, got both');
    const { objects } = await openObjects(io, { file, namespace });
    const everywhere = (kind: string) => objects.filter((each) => each.kind === kind);
    return {
      objects,
      everywhere: (kind) => Promise.resolve(everywhere(kind)),
      missing: (kind, name) =>
        Promise.resolve(noSuchObject(kind, { name, namespace }, 'of the files', everywhere(kind))),
    };
  }
  const client = await connectPlans(io, options);
  const lists = await Promise.all(kinds.map((kind) => client.list({ kind: kindNamed(kind)!, namespace })));
  const everywhere = async (kind: string) => (await client.list({ kind: kindNamed(kind)! })).items;
  return {
    objects: lists.flatMap(({ items }) => items),
    everywhere,
    missing: async (kind, name) => noSuchObject(kind, { name, namespace }, whereOf(client), await everywhere(kind)),
  };
}
