import { Command } from 'commander';
import { isNotFound, type OnePlace, type PlanClient } from '../../clients/plans/plan-client';
import { kindNamed, type Kind } from '../../plans/kinds/kinds';
import { CommandFailureType } from '../exit';
import { CliExit, ExitCode, type CommandContext, type CommandIo } from '../io';
import { collect, examples, withOutput, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { openObjects } from './objects-option';
import {
  connectPlans,
  kindArgument,
  noneOnServer,
  RESOURCES,
  withNamespace,
  withPlanServer,
  type PlanServerOptions,
} from './server-option';

interface DeleteOptions extends PlanServerOptions, CommonOptions {
  file?: string[];
  dryRun?: boolean;
}

/** What became of an object: one with finalizers stays until they are gone. */
interface Deleted {
  kind: string;
  namespace: string;
  name: string;
  finalizers: readonly string[];
}

export function plansDeleteCommand({ io }: CommandContext): Command {
  const command = new Command('delete')
    .summary('delete objects of the server')
    .description(
      'Deletes objects by kind and name, or those that files name; with a plan its executions. One that does not exist is told, with exit code 2, after the others are deleted.',
    )
    .argument('[kind]', RESOURCES, kindArgument)
    .argument('[names...]', 'of the objects')
    .option('-f, --file <path>', 'files or folders that name the objects, or -; may be given several times', collect)
    .option('--dry-run', 'say what would be deleted, and delete nothing');
  examples(withOutput(withPlanServer(withNamespace(command))), [
    'gate plans delete plan canary -n prod',
    'gate plans delete -f goals-and-plans.yaml --dry-run',
  ]);
  return command.action(async (kind: Kind | undefined, names: string[], options: DeleteOptions) => {
    const { dryRun = false, output } = options;
    const places = await placesOf(io, kind, names, options);
    const client = await connectPlans(io, options);
    const deleted: Deleted[] = [];
    try {
      await deleteAll(client, places, dryRun, deleted);
    } finally {
      if (output === 'json') printJson(io, { dryRun, deleted });
      else if (deleted.length > 0)
        printLines(
          io,
          deleted.map((each) => lineOf(each, dryRun)),
        );
    }
  });
}

async function placesOf(
  io: CommandIo,
  kind: Kind | undefined,
  names: readonly string[],
  { file, namespace }: DeleteOptions,
): Promise<OnePlace[]> {
  if (file !== undefined) {
    if (kind !== undefined) throw new CliExit(ExitCode.usage, 'expected a kind with names, or --file, got both');
    const { objects } = await openObjects(io, { file, namespace });
    // What was made last goes first.
    return objects.reverse().map(({ kind: of, metadata }) => ({
      kind: kindNamed(of)!,
      namespace: metadata.namespace,
      name: metadata.name,
    }));
  }
  if (kind === undefined || names.length === 0) {
    throw new CliExit(ExitCode.usage, 'expected a kind with at least one name, or --file');
  }
  return [...new Set(names)].map((name) => ({ kind, namespace, name }));
}

/** @throws CliExit 2 with every object that does not exist */
async function deleteAll(
  client: PlanClient,
  places: readonly OnePlace[],
  dryRun: boolean,
  deleted: Deleted[],
): Promise<void> {
  const faults: string[] = [];
  for (const place of places) {
    const { kind, namespace, name } = place;
    try {
      const left = await client.delete(place, { dryRun });
      deleted.push({ kind: kind.kind, namespace, name, finalizers: left?.metadata.finalizers ?? [] });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      faults.push((await noneOnServer(client, kind, { namespace, name })).message);
    }
  }
  if (faults.length > 0) throw new CliExit(ExitCode.usage, faults.join('; '), CommandFailureType.NotFound, faults);
}

function lineOf({ kind, namespace, name, finalizers }: Deleted, dryRun: boolean): string {
  const what = `${kind} ${namespace}/${name}`;
  const end = dryRun ? ' (dry run)' : '';
  if (finalizers.length === 0) return `${what} deleted${end}`;
  return `${what} is being deleted: it waits for the finalizers ${finalizers.join(', ')}${end}`;
}
