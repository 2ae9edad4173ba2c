import { Command, Option } from 'commander';
import type { JsonValue } from '../../kernel/json';
import type { Kind } from '../../plans/kinds/kinds';
import { API_VERSION, type PlanObject } from '../../plans/object';
import { quoted } from '../command-json';
import { CliExit, ExitCode, type CommandContext, type CommandIo } from '../io';
import { examples } from '../options';
import { printJson, printLines, printTable } from '../output';
import {
  connectPlans,
  kindArgument,
  noneOnServer,
  RESOURCES,
  withNamespace,
  withPlanServer,
  type PlanServerOptions,
} from './server-option';

interface GetOptions extends PlanServerOptions {
  output: 'table' | 'json' | 'yaml';
  allNamespaces?: boolean;
}

export function plansGetCommand({ io }: CommandContext): Command {
  const command = new Command('get')
    .summary('objects of the server')
    .description('Prints objects of the server: all of a kind in a namespace, or one.')
    .argument('<kind>', RESOURCES, kindArgument)
    .argument('[name]', 'of one object')
    .option('-A, --all-namespaces', 'of all namespaces')
    .addOption(
      new Option('-o, --output <format>', 'how they are printed').choices(['table', 'json', 'yaml']).default('table'),
    );
  examples(withPlanServer(withNamespace(command)), [
    'gate plans get goals',
    'gate plans get plans -A',
    'gate plans get goal ship -n prod -o yaml',
  ]);
  return command.action(async (kind: Kind, name: string | undefined, options: GetOptions) => {
    const { namespace, allNamespaces = false, output } = options;
    if (name !== undefined && allNamespaces) {
      throw new CliExit(ExitCode.usage, `expected a name or --all-namespaces, got both: ${name} is in one namespace`);
    }
    const client = await connectPlans(io, options);
    if (name !== undefined) {
      const object = await client.find({ kind, namespace, name });
      if (object === undefined) throw await noneOnServer(client, kind, { namespace, name });
      return print(io, kind, [object], { output, allNamespaces, document: object });
    }
    const { items, revision } = await client.list({ kind, ...(allNamespaces ? {} : { namespace }) });
    if (items.length === 0 && output === 'table') {
      return printLines(io, [`no ${kind.resource}${allNamespaces ? '' : ` in namespace ${namespace}`}`]);
    }
    const metadata = { resourceVersion: revision };
    const document = { apiVersion: API_VERSION, kind: `${kind.kind}List`, metadata, items };
    return print(io, kind, items, { output, allNamespaces, document });
  });
}

async function print(
  io: CommandIo,
  { kind }: Kind,
  objects: readonly PlanObject[],
  { output, allNamespaces, document }: { output: GetOptions['output']; allNamespaces: boolean; document: unknown },
): Promise<void> {
  if (output === 'json') return printJson(io, quoted(document));
  if (output === 'yaml') {
    const { toYaml } = await import('../../platform/documents/to-yaml.js');
    io.data.write(toYaml(document as JsonValue));
    return;
  }
  const { toRows } = await import('../../plans/serving/table.js');
  const { head, rows } = toRows(objects, kind, Date.now());
  if (!allNamespaces) return printTable(io, head, rows);
  const placed = rows.map((row, at) => [objects[at]!.metadata.namespace, ...row]);
  return printTable(io, ['Namespace', ...head], placed);
}
