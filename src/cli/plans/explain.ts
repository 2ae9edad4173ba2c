import { Command } from 'commander';
import type { CommandContext } from '../io';
import { examples, withOutput, type CommonOptions } from '../options';
import { printJson } from '../output';
import { openSource, withSource, type SourceOptions } from './objects-option';

type ExplainOptions = SourceOptions & CommonOptions;

export function plansExplainCommand({ io }: CommandContext): Command {
  const command = new Command('explain')
    .summary('show each plan of a goal, and the step that dropped or chose it')
    .description(
      'Prints each plan of a goal with the step that dropped or chose it: of the server, or of files with -f.',
    )
    .argument('<goal>', 'name of the goal');
  examples(withOutput(withSource(command)), [
    'gate plans explain ship -n prod',
    'gate plans explain ship -f objects.yaml -n prod',
  ]);
  return command.action(async (goal: string, options: ExplainOptions) => {
    const [{ explainIn, explanationText }, source] = await Promise.all([
      import('../../plans/resolver/resolve-objects.js'),
      openSource(io, options, ['Goal', 'Plan']),
    ]);
    const { namespace } = options;
    const explanation = explainIn(source.objects, { name: goal, namespace }, Date.now());
    if (explanation === undefined) throw await source.missing('Goal', goal);
    if (options.output === 'json') printJson(io, explanation);
    else io.stdout.write(explanationText(explanation));
  });
}

export function plansWhyCommand({ io }: CommandContext): Command {
  const command = new Command('why')
    .summary('say why a plan is not the active one of a goal')
    .description(
      'Says in one sentence why a plan is, or is not, the active plan of a goal: of the server, or of files with -f.',
    )
    .argument('<goal>', 'name of the goal')
    .argument('<plan>', 'name of the plan');
  examples(withOutput(withSource(command)), [
    'gate plans why ship canary -n prod',
    'gate plans why ship canary -f objects.yaml -n prod',
  ]);
  return command.action(async (goal: string, plan: string, options: ExplainOptions) => {
    const [{ whyIn }, { objects, ...source }] = await Promise.all([
      import('../../plans/resolver/resolve-objects.js'),
      openSource(io, options, ['Goal', 'Plan']),
    ]);
    const { namespace } = options;
    const isHere = objects.some(({ kind, metadata }) => kind === 'Plan' && metadata.name === plan);
    // One of another namespace is told apart from one that is not there.
    const others = isHere ? [] : await source.everywhere('Plan');
    const why = whyIn([...objects, ...others], { name: goal, namespace }, plan, Date.now());
    if (why === undefined) throw await source.missing('Goal', goal);
    if (options.output === 'json') printJson(io, { namespace, goal, plan, why });
    else io.stdout.write(`${why}\n`);
  });
}
