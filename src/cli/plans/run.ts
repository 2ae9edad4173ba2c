import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { PlanClient } from '../../clients/plans/plan-client';
import type { JsonObject } from '../../kernel/json';
import type { Execution } from '../../plans/kinds/execution';
import type { Goal } from '../../plans/kinds/goal';
import type { PlanObject } from '../../plans/object';
import { quoted } from '../command-json';
import { notFound } from '../exit';
import { CliExit, ExitCode, type CommandContext, type CommandIo } from '../io';
import { durationOption, examples, withOutput } from '../options';
import { printJson, printLines, printTable } from '../output';
import { connectPlans, noneOnServer, withNamespace, withPlanServer, type PlanServerOptions } from './server-option';

interface RunOptions extends PlanServerOptions {
  output: 'text' | 'json';
  name?: string;
  parameters?: string;
  binding?: string;
  wait?: boolean;
  timeout: number;
}

const POLL_MS = 300;

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
    .option('--wait', 'until the execution has ended')
    .addOption(durationOption('--timeout <duration>', 'how long to wait', '10m'));
  examples(withOutput(withPlanServer(withNamespace(command))), [
    'gate plans run ship --wait',
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
  const untilMs = Date.now() + options.timeout;
  let execution = created.object as unknown as Execution;
  let told = '';
  while (options.wait === true && !isOver(execution)) {
    const { paused, waits } = stopsOf(execution);
    if (paused.length > 0) {
      await show(io, execution, options);
      return ExitCode.paused;
    }
    const text = waits.map(({ node, message }) => `node ${node} ${message}`).join('; ');
    if (text !== '' && text !== told) io.stderr.write(`Execution ${namespace}/${name}: ${text}\n`);
    told = text;
    if (io.signal.aborted) throw new CliExit(ExitCode.timeout, `stopped waiting; execution ${name} continues`);
    if (Date.now() >= untilMs) {
      const phase = execution.status?.phase ?? 'Pending';
      throw new CliExit(ExitCode.timeout, `timed out: execution ${name} is still ${phase}; it continues`);
    }
    await sleep(POLL_MS, undefined, { signal: io.signal }).catch(() => undefined);
    const found = await client.find({ kind: await kindOf('Execution'), namespace, name });
    if (found?.metadata.uid !== created.object.metadata.uid)
      throw notFound(`Execution ${namespace}/${name} was deleted`);
    execution = found as unknown as Execution;
  }
  await show(io, execution, options);
  const phase = execution.status?.phase;
  return phase === 'Failed' || phase === 'Cancelled' ? ExitCode.denied : ExitCode.ok;
}

async function executionFor(
  client: PlanClient,
  goalName: string,
  parameters: JsonObject | undefined,
  { namespace, name, binding }: RunOptions,
): Promise<PlanObject> {
  const place = { kind: await kindOf('Goal'), namespace, name: goalName };
  const goal = await client.find(place);
  if (goal === undefined) throw await noneOnServer(client, place.kind, place);
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

interface Stop {
  node: string;
  message: string;
}

/** The nodes that wait for somebody, where nothing else goes on: tasks that are paused, and gates that are undecided. */
function stopsOf({ status = {} }: Execution): { paused: Stop[]; waits: Stop[] } {
  const plan = status.extensions?.plan as { spec?: { graph?: { nodes?: { id: string; kind: string }[] } } } | undefined;
  const kinds = new Map(plan?.spec?.graph?.nodes?.map(({ id, kind }) => [id, kind]));
  const stops = Object.entries(status.nodeStatuses ?? {}).flatMap(([node, { phase, message = 'waits' }]) =>
    phase === 'Blocked' ? [{ node, message }] : [],
  );
  const isTask = ({ node }: Stop): boolean => kinds.get(node) === 'Task';
  // While another node goes on, its end may be the answer.
  return {
    paused: status.phase === 'Blocked' ? stops.filter(isTask) : [],
    waits: stops.filter((stop) => !isTask(stop)),
  };
}

function isOver({ status }: Execution): boolean {
  return ['Succeeded', 'Failed', 'Cancelled'].includes(status?.phase ?? '');
}

async function show(io: CommandIo, execution: Execution, { output }: RunOptions): Promise<void> {
  if (output === 'json') return printJson(io, quoted(execution as unknown as JsonObject));
  const { metadata, status = {} } = execution;
  const why = status.message === undefined ? '' : `: ${status.message}`;
  printLines(io, [`Execution ${metadata.namespace}/${metadata.name} is ${status.phase ?? 'Pending'}${why}`]);
  const rows = Object.entries(status.nodeStatuses ?? {}).map(([id, node]) => [
    id,
    node.phase ?? '',
    node.message ?? '',
  ]);
  if (rows.length > 0) await printTable(io, ['node', 'phase', 'why'], rows);
}
