import { Command } from 'commander';
import type { Fault } from '../../kernel/failures';
import { CliExit, ExitCode, type CliIo, type CommandContext } from '../io';
import { examples, withOutput, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';

interface OptionalOptions extends CommonOptions {
  records?: string;
  facts?: string;
  config?: string;
}

export function optionalCommand({ io }: CommandContext): Command {
  const command = new Command('optional')
    .summary('METADATA that would declare what evaluations found missing')
    .description(
      'Writes the METADATA blocks that would make what decisions found missing or failing no error. For review: nothing is edited. Declare only what is normally absent.',
    )
    .argument('<dir>', 'policy folder')
    .option('--records <file>', 'audit records, one JSON object a line, as gate audit export writes them')
    .option('--facts <file>', 'facts to evaluate now, as gate evaluate takes them')
    .option('--config <file>', 'release configuration for --facts');
  examples(withOutput(command), [
    'gate policy optional policy --records decisions.jsonl',
    'gate policy optional policy --facts facts.json --config configs/examples/release.pkl',
  ]);
  return command.action(async (dir: string, options: OptionalOptions) => {
    if ((options.facts === undefined) === (options.records === undefined))
      throw new CliExit(ExitCode.usage, 'give either --records FILE or --facts FILE');
    const [{ proposeDeclarations }, { resolve }] = await Promise.all([
      import('../../gate/propose-declarations.js'),
      import('node:path'),
    ]);
    const folder = resolve(io.cwd, dir);
    const faults = options.records === undefined ? await faultsNow(io, folder, options) : await recorded(io, options);
    const { blocks, leftOut } = await proposeDeclarations(folder, faults);
    if (options.output === 'json') return printJson(io, { blocks, left_out: leftOut });
    printLines(io, [
      ...blocks.flatMap(({ rule, where, lines }) => [`# for ${rule} at ${where}`, ...lines, '']),
      ...leftOut.map((why) => `# left out: ${why}`),
      `# ${blocks.length} rule${blocks.length === 1 ? '' : 's'}; add each block above its rule, or to the METADATA there`,
    ]);
  });
}

async function recorded(io: CliIo, { records = '' }: OptionalOptions): Promise<Fault[]> {
  const [{ faultsOfRecords }, { configInvalid }, { whyUnread }, { readFile }, { resolve }] = await Promise.all([
    import('../../gate/propose-declarations.js'),
    import('../../platform/documents/loaders/read-bytes.js'),
    import('../../kernel/why-unread.js'),
    import('node:fs/promises'),
    import('node:path'),
  ]);
  const text = await readFile(resolve(io.cwd, records), 'utf8').catch((error: unknown) => {
    throw configInvalid(records, `expected a file of audit records, but ${whyUnread(error)}`, error);
  });
  return faultsOfRecords(text, records);
}

async function faultsNow(io: CliIo, policy: string, { facts = '', config }: OptionalOptions): Promise<Fault[]> {
  const [{ dryRun }, { loadDocument }, { resolve }] = await Promise.all([
    import('../../gate/dry-run.js'),
    import('../../platform/documents/loaders/document.js'),
    import('node:path'),
  ]);
  const { decision } = await dryRun({
    policy,
    ...(config === undefined ? {} : { config: resolve(io.cwd, config) }),
    facts: { document: (await loadDocument(resolve(io.cwd, facts))).document, where: facts },
    target: { deploymentId: 'dry-run', stage: 'dry-run', stageIndex: 0, attributes: {}, stageAttributes: {} },
    decisionTimeMs: Date.now(),
    env: io.env,
    cwd: io.cwd,
  });
  return [...decision.faults, ...(decision.evaluation?.notes ?? [])];
}
