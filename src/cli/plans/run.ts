import { Command } from 'commander';
import type { PlanClient } from '../../clients/plans/plan-client';
import type { JsonObject } from '../../kernel/json';
import type { Execution } from '../../plans/kinds/execution';
import type { Goal } from '../../plans/kinds/goal';
import type { PlanObject } from '../../plans/object';
import { CliExit, ExitCode, type CommandContext, type CommandIo } from '../io';
import { durationOption, examples, withOutput } from '../options';
import { awaitExecution, showExecution } from './await-execution';
import { connectPlans, noneOnServer, withNamespace, withPlanServer, type PlanServerOptions } from './server-option';

interface RunOptions extends PlanServerOptions {
  output: 'text' | 'json';
  name?: string;
  parameters?: string;
  binding?: string;
  wait?: boolean;
  again?: boolean;
  timeout: number;
}

export function plansRunCommand({ io, exit }: CommandContext): Command {
  const command = new Command('run')
    .summary("execute a goal's active plan through the gate")
    .description(
      "Creates an execution of the goal's active plan, which gate server runs: each task passes the gate and acts as its binding says. " +
        'The plan is taken as it is now. With --wait a gate that it waits for is named on standard error. Exit code 1 when the execution failed or was cancelled, 3 when it is paused, 4 when the time is up; it continues then.',
    )
    .argument('<goal>', 'a goal that has an active plan')
    .option('--name <name>', 'of the execution; by default the plan and the time')
    .option('--parameters <json>', 'an object: attributes of the deployment, for policies and templates')
    .option('--binding <name>', 'the binding that is asked first')
    .option(
      '--again',
      'of a goal that has ended: the plan that wins now, in place of the one that it was executed with',
    )
    .option('--wait', 'until the execution has ended')
    .addOption(durationOption('--timeout <duration>', 'how long to wait', '10m'));
  examples(withOutput(withPlanServer(withNamespace(command))), [
    'gate plans run ship --wait',
    'gate plans run ship --again --wait',
    `gate plans run ship -n prod --parameters '{"risk": "low"}'`,
  ]);
  return command.action(async (goal: string, options: RunOptions) => {
    exit(await run(io, await connectPlans(io, options), goal, options));
  });
}

async function run(io: CommandIo, client: PlanClient, goalName: string, options: RunOptions): Promise<ExitCode> {
  const parameters = await parametersOf(options.parameters);
  const created = await client.create(await executionFor(client, goalName, parameters, options));
  for (const warning of created.warnings) io.stderr.write(`${warning}\n`);
  const { namespace, name } = created.object.metadata;
  io.stderr.write(`Created execution ${namespace}/${name}; gate status ${namespace}.${name} shows its gate\n`);
  const execution = created.object as unknown as Execution;
  return options.wait === true
    ? awaitExecution(io, client, execution, options)
    : showExecution(io, execution, options.output);
}

async function executionFor(
  client: PlanClient,
  goalName: string,
  parameters: JsonObject | undefined,
  { namespace, name, binding, again = false }: RunOptions,
): Promise<PlanObject> {
  const place = { kind: await kindOf('Goal'), namespace, name: goalName };
  const found = await client.find(place);
  if (found === undefined) throw await noneOnServer(client, place.kind, place);
  const goal = again ? (await client.resolveAgain(place)).object : found;
  const plan = (goal as unknown as Goal).status?.activePlanRef?.name;
  if (plan === undefined) {
    const message = `Goal ${namespace}/${goalName} has no active plan: gate plans explain ${goalName} says why`;
    throw new CliExit(ExitCode.usage, message);
  }
  const [{ GATE_RUNTIME }, { API_VERSION }] = await Promise.all([
    import('../../plans/execution/plan-run.js'),
    import('../../plans/object.js'),
  ]);
  return {
    apiVersion: API_VERSION,
    kind: 'Execution',
    metadata: { name: name ?? nameFor(plan, Date.now()), namespace },
    spec: {
      planRef: { name: plan },
      goalRef: { name: goalName },
      runtimeRef: { name: GATE_RUNTIME },
      ...(binding === undefined ? {} : { bindingRef: { name: binding } }),
      ...(parameters === undefined ? {} : { parameters }),
    },
  };
}

/** A name has 63 characters at most. */
function nameFor(plan: string, nowMs: number): string {
  const time = nowMs.toString(36);
  return `${plan.slice(0, 62 - time.length).replace(/-+$/, '')}-${time}`;
}

async function parametersOf(text: string | undefined): Promise<JsonObject | undefined> {
  if (text === undefined) return undefined;
  const [{ parseJsonText }, { isJsonObject }] = await Promise.all([
    import('../../platform/documents/json-text.js'),
    import('../../kernel/json.js'),
  ]);
  try {
    const parsed = parseJsonText(text);
    if (isJsonObject(parsed)) return parsed;
  } catch {
    // The same words for all that is no object.
  }
  throw new CliExit(ExitCode.usage, `Expected --parameters to be a JSON object such as {"risk": "low"}`);
}

async function kindOf(name: string) {
  const { kindNamed } = await import('../../plans/kinds/kinds.js');
  return kindNamed(name)!;
}
