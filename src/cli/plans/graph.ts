import { Command, Option } from 'commander';
import type { NodePhase } from '../../plans/kinds/phases';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { examples } from '../options';
import { openSource, withSource, type SourceOptions } from './objects-option';

interface GraphOptions extends SourceOptions {
  output: 'text' | 'mermaid';
  execution?: string;
}

export function plansGraphCommand({ io }: CommandContext): Command {
  const command = new Command('graph')
    .summary("show a plan's nodes and what each waits for")
    .description(
      "Prints a plan's graph as text, each node after what it waits for (~ marks a soft edge), or as a Mermaid flowchart; with the phase of each node when an execution is named: of the server, or of files with -f.",
    )
    .argument('<plan>', 'name of the plan')
    .option('--execution <name>', "an execution of the plan, whose nodes' phases are shown")
    .addOption(new Option('-o, --output <format>', 'how it is printed').choices(['text', 'mermaid']).default('text'));
  examples(withSource(command), [
    'gate plans graph canary -n prod --execution run-1',
    'gate plans graph canary -f objects.yaml -n prod',
    'gate plans graph canary -f objects.yaml --execution run-1 -o mermaid',
  ]);
  return command.action(async (name: string, options: GraphOptions) => {
    const [{ toPlanGraph }, { toMermaid, toText }, { executionsOf, plansOf }, source] = await Promise.all([
      import('../../plans/graph/plan-graph.js'),
      import('../../plans/graph/show-graph.js'),
      import('../../plans/resolver/resolve-objects.js'),
      openSource(io, options, options.execution === undefined ? ['Plan'] : ['Plan', 'Execution']),
    ]);
    const { objects } = source;
    const { namespace, execution } = options;
    const isMeant = (wanted: string) => (object: { metadata: { name: string; namespace: string } }) =>
      object.metadata.name === wanted && object.metadata.namespace === namespace;
    const plan = plansOf(objects).find(isMeant(name));
    if (plan === undefined) throw await source.missing('Plan', name);
    let phases: Map<string, NodePhase> | undefined;
    if (execution !== undefined) {
      const found = executionsOf(objects).find(isMeant(execution));
      if (found === undefined) throw await source.missing('Execution', execution);
      const { planRef } = found.spec;
      if (planRef.name !== name)
        throw new CliExit(ExitCode.usage, `execution ${execution} is of plan ${planRef.name}, not of ${name}`);
      const nodes = Object.entries(found.status?.nodeStatuses ?? {});
      phases = new Map(nodes.map(([id, { phase = 'Pending' }]) => [id, phase]));
    }
    const show = options.output === 'mermaid' ? toMermaid : toText;
    io.stdout.write(show(toPlanGraph(plan.spec.graph), phases));
  });
}
