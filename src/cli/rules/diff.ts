import { Command } from 'commander';
import type { JsonValue } from '../../kernel/json';
import { shortText } from '../../kernel/short-text';
import { quoted } from '../command-json';
import { ExitCode, type CommandContext } from '../io';
import { examples, withOutput, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { openPolicies } from './policies';

export function rulesDiffCommand({ io, exit }: CommandContext): Command {
  const command = new Command('diff')
    .summary('compare two sets of rule policies')
    .description(
      'Compares the effective documents of two files or folders, policy by policy: layout, order and what moved into a template is no difference. Exit code 0 when nothing differs, 1 when something does.',
    )
    .argument('<a>', 'file or folder of policies before')
    .argument('<b>', 'file or folder of policies after');
  examples(withOutput(command), ['gate rules diff rules new-rules']);
  return command.action(async (a: string, b: string, { output }: CommonOptions) => {
    const { diffPolicies } = await import('../../rules/diff/diff-policies.js');
    const [before, after] = [await openPolicies(io, a), await openPolicies(io, b)];
    const differences = diffPolicies(before.set, after.set);
    if (output === 'json') {
      const changed = (value: JsonValue | undefined) => (value === undefined ? undefined : quoted(value));
      printJson(io, {
        policies: differences.map(({ policy, change, changes }) => ({
          policy,
          change,
          changes: changes.map(({ path, ...sides }) => ({ path, a: changed(sides.a), b: changed(sides.b) })),
        })),
      });
    } else {
      printLines(io, [
        ...differences.flatMap(({ policy, change, changes }) => [
          `${change} ${policy}`,
          ...changes.map(({ path, ...sides }) => `  ${path}: ${shown(sides.a)} → ${shown(sides.b)}`),
        ]),
        ...(differences.length === 0 ? ['no difference'] : []),
      ]);
    }
    if (differences.length > 0) exit(ExitCode.denied);
  });
}

function shown(value: JsonValue | undefined): string {
  return value === undefined ? 'nothing' : shortText(JSON.stringify(value), 200);
}
