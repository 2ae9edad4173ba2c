import { Command } from 'commander';
import type { Followed } from '../../clients/plans/follow-objects';
import type { PlanClient } from '../../clients/plans/plan-client';
import type { Kind } from '../../plans/kinds/kinds';
import { quoted } from '../command-json';
import type { CommandContext, CommandIo } from '../io';
import { durationOption, examples, withOutput, type CommonOptions } from '../options';
import {
  connectPlans,
  kindArgument,
  RESOURCES,
  withNamespace,
  withPlanServer,
  type PlanServerOptions,
} from './server-option';

interface WatchOptions extends PlanServerOptions, CommonOptions {
  allNamespaces?: boolean;
  for?: number;
}

export function plansWatchCommand({ io }: CommandContext): Command {
  const command = new Command('watch')
    .summary('objects of the server, and what happens to them')
    .description(
      'Prints the objects of a kind, then each change as it happens, until Ctrl-C: over lost connections and restarts of the server. With -o json one object a line, with its type ADDED, MODIFIED or DELETED.',
    )
    .argument('<kind>', RESOURCES, kindArgument)
    .argument('[name]', 'of one object')
    .option('-A, --all-namespaces', 'of all namespaces')
    .addOption(durationOption('--for <duration>', 'end after this time'));
  examples(withOutput(withPlanServer(withNamespace(command))), [
    'gate plans watch goals',
    'gate plans watch goal ship -n prod -o json --for 1m',
  ]);
  return command.action(async (kind: Kind, name: string | undefined, options: WatchOptions) => {
    const [client, { withSignal }] = await Promise.all([
      connectPlans(io, options),
      import('../../platform/timers/with-signal.js'),
    ]);
    const { namespace, allNamespaces = false } = options;
    const place = {
      kind,
      ...(allNamespaces ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
    };
    const ends = { signals: [io.signal], ...(options.for === undefined ? {} : { timeoutMs: options.for }) };
    const print = await printer(io, kind, options);
    await withSignal(ends, (signal) => follow(io, client.watch(place, signal), print));
  });
}

async function follow(io: CommandIo, steps: ReturnType<PlanClient['watch']>, print: Printer): Promise<void> {
  let isLost = false;
  for await (const step of steps) {
    if (step.type === 'LOST') {
      isLost = true;
      io.stderr.write(`${step.why}; trying again\n`);
      continue;
    }
    if (isLost) io.stderr.write('the server answers again\n');
    isLost = false;
    if (step.type !== 'LISTED') print(step);
  }
}

type Printer = (change: Extract<Followed, { object: unknown }>) => void;

async function printer(io: CommandIo, { kind }: Kind, { output, allNamespaces }: WatchOptions): Promise<Printer> {
  if (output === 'json') return ({ type, object }) => io.results.line({ type, object: quoted(object) });
  const [{ toRows }, { growingTable }] = await Promise.all([
    import('../../plans/serving/table.js'),
    import('../growing-table.js'),
  ]);
  const place = (namespace: string): string[] => (allNamespaces === true ? [namespace] : []);
  const row = growingTable(io, ['Event', ...place('Namespace'), ...toRows([], kind, 0).head]);
  return ({ type, object }) => {
    const { rows } = toRows([object], kind, Date.now());
    row([type, ...place(object.metadata.namespace), ...rows[0]!]);
  };
}
