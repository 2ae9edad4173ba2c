import { Command } from 'commander';
import { isNotFound, type OnePlace, type PlanClient, type RunAskBody } from '../../clients/plans/plan-client';
import type { JsonObject } from '../../kernel/json';
import type { Execution } from '../../plans/kinds/execution';
import { kindNamed } from '../../plans/kinds/kinds';
import type { PlanObject } from '../../plans/object';
import { quoted } from '../command-json';
import { ExitCode, type CommandContext, type CommandIo } from '../io';
import { durationOption, examples, withOutput } from '../options';
import { printJson, printLines } from '../output';
import { connectPlans, noneOnServer, withNamespace, withPlanServer, type PlanServerOptions } from './server-option';

interface AskOptions extends PlanServerOptions {
  output: 'text' | 'json';
  reason?: string;
  node?: string;
  actor?: string;
  wait?: boolean;
  timeout: number;
}

export function plansCancelCommand(context: CommandContext): Command {
  const command = new Command('cancel')
    .summary('stop an execution and take back what its nodes did')
    .description(
      'Stops an execution: what is under way is taken back, then the nodes that succeeded are compensated, the last one first, each as the compensation of its action says. The execution is Cancelled then, and its goal Failed. One that has not begun is cancelled at once; one that has ended is refused with exit code 2. Asked twice it is cancelled once. Recorded under the name of the token, or of the user of this computer.',
    )
    .argument('<execution>', 'of the server')
    .requiredOption('--reason <text>', 'why');
  examples(withAsk(command), [
    `gate plans cancel first --reason 'wrong version'`,
    `gate plans cancel first -n prod --reason 'wrong version' --wait`,
  ]);
  return command.action(async (name: string, options: AskOptions) => {
    context.exit(await ask(context.io, 'cancel', name, options));
  });
}

export function plansRetryCommand(context: CommandContext): Command {
  const command = new Command('retry')
    .summary('run a node of an execution again that failed')
    .description(
      'Runs a node again that failed, and with it what was skipped because of it, while other nodes go on. An execution that is Failed is Running again: what succeeded stays, the plan is the one that was pinned, and the bindings are those of now. Where the plan says gate/on-failure: compensate, all that was taken back, stopped or failed begins again. Refused with exit code 2: a node that did not fail, an execution that succeeded or was cancelled. With --wait exit code 1 when the execution failed again, 3 when it is paused.',
    )
    .argument('<execution>', 'of the server')
    .requiredOption('--node <id>', 'of its plan')
    .option('--reason <text>', 'is kept with the record');
  examples(withAsk(command), [
    'gate plans retry first --node canary',
    `gate plans retry first -n prod --node canary --reason 'the receiver is back' --wait`,
  ]);
  return command.action(async (name: string, options: AskOptions) => {
    context.exit(await ask(context.io, 'retry', name, options));
  });
}

function withAsk(command: Command): Command {
  command
    .option('--actor <name>', 'who asks, where no token says it; by default the user of this computer')
    .option('--wait', 'until the execution has ended')
    .addOption(durationOption('--timeout <duration>', 'how long to wait', '10m'));
  return withOutput(withPlanServer(withNamespace(command)));
}

async function ask(io: CommandIo, kind: 'cancel' | 'retry', name: string, options: AskOptions): Promise<ExitCode> {
  const { namespace, reason, node, actor, wait = false, output } = options;
  const client = await connectPlans(io, options);
  const place = { kind: kindNamed('Execution')!, namespace, name };
  const said = {
    ...(reason === undefined ? {} : { reason }),
    ...(node === undefined ? {} : { node }),
    ...(actor === undefined ? {} : { actor }),
  };
  const object = await askOnce(client, place, kind, said);
  const execution = object as unknown as Execution;
  if (wait) {
    const { awaitExecution } = await import('./await-execution.js');
    const code = await awaitExecution(io, client, execution, { ...options, overPauses: kind === 'cancel' });
    // It was to be cancelled.
    return kind === 'cancel' && code === ExitCode.denied ? ExitCode.ok : code;
  }
  if (output === 'json') printJson(io, quoted(execution as unknown as JsonObject));
  else printLines(io, [textOf(kind, execution, node)]);
  return ExitCode.ok;
}

async function askOnce(
  client: PlanClient,
  place: OnePlace,
  kind: 'cancel' | 'retry',
  said: RunAskBody,
): Promise<PlanObject> {
  try {
    return (await client.askRun(place, kind, said)).object;
  } catch (error) {
    if (isNotFound(error)) throw await noneOnServer(client, place.kind, place);
    throw error;
  }
}

function textOf(kind: 'cancel' | 'retry', { metadata, status = {} }: Execution, node = ''): string {
  const execution = `xecution ${metadata.namespace}/${metadata.name}`;
  if (kind === 'retry') return `Node ${node} of e${execution} runs again`;
  return status.phase === 'Cancelled' ? `E${execution} is Cancelled` : `E${execution} is being cancelled`;
}
