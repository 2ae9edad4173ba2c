import { Command, Option } from 'commander';
import type { JsonObject } from '../../kernel/json';
import { isJsonObject } from '../../kernel/json';
import type { PolicySet } from '../../rules/document/read-policies';
import type { SimulationRun } from '../../shards/simulate/simulate';
import { quoted } from '../command-json';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { collect, examples } from '../options';
import { printJson, printLines, printTable } from '../output';
import { time } from './state-options';

interface SimulateOptions {
  policies: string[];
  state: string[];
  operation?: string;
  shard?: string;
  at?: number;
  without?: string[];
  add?: string[];
  set?: string;
  output: 'table' | 'json' | 'markdown';
}

export function rulesSimulateCommand({ io }: CommandContext): Command {
  const command = new Command('simulate')
    .summary('what policies would do to a state, before and after')
    .description(
      'Carries out on a copy of the state what the policies would do, and compares load, cost and replicas before and after. Several states or sets of policies are put side by side. Nothing is changed.',
    )
    .requiredOption('--policies <path>', 'file or folder of policies; may be given several times', collect)
    .requiredOption('--state <file>', 'the state, in JSON or YAML; may be given several times', collect)
    .option('--operation <name>', 'only this operation, such as balance; default all that the policies are for')
    .option('--shard <id>', 'only this shard')
    .option('--at <time>', 'time of the evaluation, RFC 3339; default now', time)
    .option('--without <node>', 'leave a node out, with its replicas; may be given several times', collect)
    .option('--add <key=value,…>', 'add nodes, such as region=eu,count=3; may be given several times', collect)
    .option('--set <sweep>', 'take several values in turn: POLICY:/pointer=10..90/10')
    .addOption(
      new Option('-o, --output <format>', 'how results are printed')
        .choices(['table', 'json', 'markdown'])
        .default('table'),
    );
  examples(command, [
    'gate rules simulate --policies rules --state state.json',
    'gate rules simulate --policies rules --state state.json --without n7 --add region=eu,count=3',
    "gate rules simulate --policies rules --state state.json --set 'even-load:/actions/balance/threshold=0..50/10' -o markdown",
  ]);
  return command.action(async (options: SimulateOptions) => {
    const [{ simulate }, { nodeRows, reportMarkdown, reportRows }] = await Promise.all([
      import('../../shards/simulate/simulate.js'),
      import('../../shards/simulate/report-text.js'),
    ]);
    const reports = (await runsOf(options, io.cwd)).map((run) => simulate(run));
    if (options.output === 'json') printJson(io, { runs: quoted(reports) });
    else if (options.output === 'markdown') printLines(io, reportMarkdown(reports));
    else {
      const [head, ...rows] = reportRows(reports) as [string[], ...string[][]];
      await printTable(io, head, rows);
      for (const report of reports) {
        const [nodeHead, ...nodes] = nodeRows(report) as [string[], ...string[][]];
        printLines(io, ['', report.name]);
        await printTable(io, nodeHead, nodes);
        printLines(io, [
          ...report.steps.map(({ sentence }) => sentence),
          ...report.refusals.map((one) => `refused: ${one}`),
        ]);
      }
    }
  });
}

/** A run for each set of policies, each state and each value of the sweep. */
async function runsOf(options: SimulateOptions, cwd: string): Promise<SimulationRun[]> {
  const [{ resolve }, { loadPolicies }, { loadDocuments }, { withNodes }, { shardDomain }] = await Promise.all([
    import('node:path'),
    import('../../rules/sources/load-policies.js'),
    import('../../platform/documents/loaders/document.js'),
    import('../../shards/simulate/what-if.js'),
    import('../../shards/domain.js'),
  ]);
  const { operation, shard, at: nowMs = Date.now(), without = [], add = [] } = options;
  if (operation !== undefined && !Object.hasOwn(shardDomain.operations, operation)) {
    const known = Object.keys(shardDomain.operations).join(', ');
    throw new CliExit(ExitCode.usage, `expected --operation to be one of ${known}, got ${operation}`);
  }
  const added = add.map(nodeFields);
  const runs: SimulationRun[] = [];
  for (const path of options.policies) {
    const set = await loadPolicies(resolve(cwd, path), shardDomain);
    for (const file of options.state) {
      const { documents } = await loadDocuments(resolve(cwd, file), { largestBytes: LARGEST_STATE });
      const [{ document, lineOf } = { document: undefined, lineOf: undefined }] = documents;
      if (documents.length !== 1 || !isJsonObject(document)) {
        throw new CliExit(ExitCode.usage, `${file}: expected one state, an object`);
      }
      for (const { policies, value } of await variants(set, options.set)) {
        const names = [
          ...(options.policies.length > 1 ? [path] : []),
          ...(options.state.length > 1 ? [file] : []),
          ...(value === undefined ? [] : [String(value)]),
        ];
        runs.push({
          name: names.length === 0 ? 'simulation' : names.join(', '),
          policies,
          state: withNodes(document, { without, add: added }),
          where: { file, ...(lineOf === undefined || without.length + add.length > 0 ? {} : { lineOf }) },
          nowMs,
          ...(operation === undefined ? {} : { operation }),
          ...(shard === undefined ? {} : { shard }),
        });
      }
    }
  }
  return runs;
}

const LARGEST_STATE = 64 * 2 ** 20;

/** The policies, once for each value of the sweep. */
async function variants(
  set: PolicySet,
  text: string | undefined,
): Promise<{ policies: PolicySet['policies']; value?: number }[]> {
  if (text === undefined) return [{ policies: set.policies }];
  const [{ parseSweep, withValue }, { readPolicies }, { shardDomain }] = await Promise.all([
    import('../../shards/simulate/sweep.js'),
    import('../../rules/document/read-policies.js'),
    import('../../shards/domain.js'),
  ]);
  const { policy, pointer, values } = parseSweep(text);
  const document = set.documents.get(policy);
  if (document === undefined) throw new CliExit(ExitCode.usage, `--set: no policy is named ${policy}`);
  return values.map((value) => {
    const changed = new Map(set.documents as ReadonlyMap<string, unknown>);
    changed.set(policy, withValue(document as unknown as JsonObject, pointer, value));
    const sources = [...changed, ['fragments', { fragments: set.fragments }] as const].map(([name, one]) => ({
      where: { file: `${name} with ${pointer} ${value}` },
      document: one as JsonObject,
    }));
    return { policies: readPolicies(sources, shardDomain).policies, value };
  });
}

/** `region=eu,count=3,capacity.shards=10`: numbers are numbers, and a dot goes into an object. */
function nodeFields(text: string): JsonObject {
  const fields: JsonObject = {};
  for (const part of text.split(',')) {
    const [, path, value] = /^([^=]+)=(.*)$/.exec(part) ?? [];
    const keys = path?.split('.') ?? [];
    if (keys.length === 0 || keys.length > 2 || keys.some((key) => key === '' || key === '__proto__')) {
      throw new CliExit(ExitCode.usage, `--add: expected fields such as region=eu,count=3, got ${text}`);
    }
    const isNumber = /^-?\d+(\.\d+)?$/.test(value!);
    const read = isNumber ? Number(value) : value!;
    const [key, inner] = keys as [string, string?];
    if (inner === undefined) fields[key] = read;
    else fields[key] = { ...(isJsonObject(fields[key]) ? fields[key] : {}), [inner]: key === 'labels' ? value! : read };
  }
  return fields;
}
