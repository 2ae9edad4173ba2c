import { Command, Option } from 'commander';
import type { CommandContext } from '../io';
import { examples } from '../options';
import { printJson, printLines } from '../output';
import { openPolicies } from './policies';

export function rulesGraphCommand({ io }: CommandContext): Command {
  const command = new Command('graph')
    .summary('show what rule policies depend on, extend and include')
    .description('Prints dependencies, inheritance and includes as text, as a Mermaid flowchart, or as JSON.')
    .argument('<path>', 'file or folder of policies')
    .addOption(
      new Option('-o, --output <format>', 'how it is printed').choices(['text', 'mermaid', 'json']).default('text'),
    );
  examples(command, ['gate rules graph rules', 'gate rules graph rules -o mermaid']);
  return command.action(async (path: string, { output }: { output: 'text' | 'mermaid' | 'json' }) => {
    const [{ graphLines, graphMermaid, policyGraph }, { set }] = await Promise.all([
      import('../../rules/graph/policy-graph.js'),
      openPolicies(io, path),
    ]);
    const graph = policyGraph(set);
    if (output === 'json') printJson(io, graph);
    else printLines(io, output === 'mermaid' ? graphMermaid(graph) : graphLines(graph));
  });
}
