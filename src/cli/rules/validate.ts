import { Command } from 'commander';
import type { CommandContext } from '../io';
import { examples, withOutput, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { counted, openPolicies } from './policies';

export function rulesValidateCommand({ io }: CommandContext): Command {
  const command = new Command('validate')
    .summary('check rule policies')
    .description(
      'Checks the policies of a file, or of all files of a folder together, and tells every fault with its file, line and JSON path. Exit code 2 when there is one.',
    )
    .argument('<path>', 'file or folder of policies');
  examples(withOutput(command), ['gate rules validate rules', 'gate rules validate rules/placement.yaml -o json']);
  return command.action(async (path: string, { output }: CommonOptions) => {
    const { policies, documents, fragments } = (await openPolicies(io, path)).set;
    const templates = [...documents.values()].filter(({ template }) => template === true).map(({ name }) => name);
    if (output === 'json') {
      return printJson(io, {
        policies: policies.map(({ name, type, priority, enabled }) => ({ name, type, priority, enabled })),
        templates: templates.sort(),
        fragments: Object.keys(fragments).sort(),
      });
    }
    const shared = Object.keys(fragments).length;
    const counts = [
      counted(policies.length, 'policy', 'policies'),
      ...(templates.length === 0 ? [] : [counted(templates.length, 'template')]),
      ...(shared === 0 ? [] : [counted(shared, 'fragment')]),
    ];
    printLines(io, [
      ...policies.map(({ name, type, enabled }) => `${name} (${type})${enabled ? '' : ', disabled'}`),
      `${counts.join(', ')}: no faults`,
    ]);
  });
}
