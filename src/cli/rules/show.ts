import { Command } from 'commander';
import type { PolicySet } from '../../rules/document/read-policies';
import { quoted } from '../command-json';
import type { CommandContext } from '../io';
import { collect, examples, withOutput, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { noPolicy, openPolicies } from './policies';

interface ShowOptions extends CommonOptions {
  resolved?: boolean;
  policy?: string[];
}

export function rulesShowCommand({ io }: CommandContext): Command {
  const command = new Command('show')
    .summary('print rule policies as written, or as they take effect')
    .description(
      'Prints policies in JSON, by name. With --resolved what they extend and include is put in and parameters are filled in.',
    )
    .argument('<path>', 'file or folder of policies')
    .option('--resolved', 'the effective documents')
    .option('--policy <name>', 'only this one; may be given several times', collect);
  examples(withOutput(command), [
    'gate rules show rules --resolved',
    'gate rules show rules --policy cool-nodes-first',
  ]);
  return command.action(async (path: string, { resolved, policy, output }: ShowOptions) => {
    const { set } = await openPolicies(io, path);
    const { documents } = set;
    const names = policy ?? [...documents.keys()].sort();
    const missing = names.find((name) => !documents.has(name));
    if (missing !== undefined) throw noPolicy([...documents.keys()], missing, path);
    const shown = await documentsOf(set, names, resolved === true);
    if (output === 'json') printJson(io, { policies: quoted(shown) });
    else printLines(io, [JSON.stringify(shown.length === 1 ? shown[0] : shown, null, 2)]);
  });
}

async function documentsOf({ documents, fragments }: PolicySet, names: readonly string[], isResolved: boolean) {
  if (!isResolved) return names.map((name) => documents.get(name)!);
  const { resolveDocument } = await import('../../rules/composition/resolve.js');
  return names.map((name) => resolveDocument(name, documents, fragments).document);
}
