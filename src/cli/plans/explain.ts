import { Command } from 'commander';
import type { PlanObject } from '../../plans/object';
import { closeName } from '../../platform/documents/close-name';
import { notFound } from '../exit';
import type { CommandContext } from '../io';
import { examples, withOutput } from '../options';
import { printJson } from '../output';
import { openObjects, withObjects, type ObjectsOptions } from './objects-option';

export function plansExplainCommand({ io }: CommandContext): Command {
  const command = new Command('explain')
    .summary('show each plan of a goal, and the step that dropped or chose it')
    .description('Prints each plan of a goal with the step that dropped or chose it. Needs no server.')
    .argument('<goal>', 'name of the goal');
  examples(withOutput(withObjects(command)), ['gate plans explain ship -f objects.yaml -n prod']);
  return command.action(async (goal: string, options: ObjectsOptions) => {
    const [{ explainIn, explanationText }, { objects }] = await Promise.all([
      import('../../plans/resolver/resolve-objects.js'),
      openObjects(io, options),
    ]);
    const { namespace } = options;
    const explanation = explainIn(objects, { name: goal, namespace }, Date.now());
    if (explanation === undefined) throw noObject(objects, 'Goal', goal, namespace);
    if (options.output === 'json') printJson(io, explanation);
    else io.stdout.write(explanationText(explanation));
  });
}

export function plansWhyCommand({ io }: CommandContext): Command {
  const command = new Command('why')
    .summary('say why a plan is not the active one of a goal')
    .description('Says in one sentence why a plan is, or is not, the active plan of a goal. Needs no server.')
    .argument('<goal>', 'name of the goal')
    .argument('<plan>', 'name of the plan');
  examples(withOutput(withObjects(command)), ['gate plans why ship canary -f objects.yaml -n prod']);
  return command.action(async (goal: string, plan: string, options: ObjectsOptions) => {
    const [{ whyIn }, { objects }] = await Promise.all([
      import('../../plans/resolver/resolve-objects.js'),
      openObjects(io, options),
    ]);
    const { namespace } = options;
    const why = whyIn(objects, { name: goal, namespace }, plan, Date.now());
    if (why === undefined) throw noObject(objects, 'Goal', goal, namespace);
    if (options.output === 'json') printJson(io, { namespace, goal, plan, why });
    else io.stdout.write(`${why}\n`);
  });
}

/** The files have no such object: names the nearest one, or the namespace that has it. */
export function noObject(objects: readonly PlanObject[], kind: string, name: string, namespace: string): Error {
  const same = objects.filter((each) => each.kind === kind).map(({ metadata }) => metadata);
  const elsewhere = same.find((each) => each.name === name);
  const near = closeName(
    name,
    same.filter((each) => each.namespace === namespace).map((each) => each.name),
  );
  const hint =
    elsewhere !== undefined
      ? `; it is in namespace ${elsewhere.namespace} (-n ${elsewhere.namespace})`
      : near === undefined
        ? ''
        : `; did you mean ${near}?`;
  return notFound(`no ${kind.toLowerCase()} in namespace ${namespace} of the files is named ${name}${hint}`);
}
