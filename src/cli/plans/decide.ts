import { Command } from 'commander';
import type { PlanClient } from '../../clients/plans/plan-client';
import type { JsonObject } from '../../kernel/json';
import type { Verdict } from '../../plans/execution/decide-gate';
import { kindNamed } from '../../plans/kinds/kinds';
import type { Gate } from '../../plans/kinds/gate';
import type { PlanObject } from '../../plans/object';
import { quoted } from '../command-json';
import { userAsActor } from '../actor';
import { CliExit, ExitCode, type CommandContext, type CommandIo } from '../io';
import { examples, withOutput } from '../options';
import { printJson, printLines } from '../output';
import { connectPlans, noneOnServer, withNamespace, withPlanServer, type PlanServerOptions } from './server-option';

interface DecideOptions extends PlanServerOptions {
  output: 'text' | 'json';
  actor?: string;
  reason?: string;
  again?: boolean;
}

/** Others may decide the same gate at the same time. */
const MOST_CONFLICTS = 10;

export function plansApproveCommand(context: CommandContext): Command {
  return decideCommand(context, 'approve', 'approved')
    .summary('approve a gate that an execution waits for')
    .description(
      'Adds an approval to a gate, under the name of the token, or of the user of this computer. The gate is Approved once as many have approved as spec.requiredApprovers says. The same approval again changes nothing.',
    );
}

export function plansRejectCommand(context: CommandContext): Command {
  return decideCommand(context, 'reject', 'rejected')
    .summary('reject a gate that an execution waits for')
    .description(
      'Rejects a gate, under the name of the token, or of the user of this computer: the nodes of executions that wait for it fail.',
    );
}

function decideCommand({ io }: CommandContext, name: 'approve' | 'reject', verdict: Verdict): Command {
  const command = new Command(name)
    .argument('<gate>', 'of the server')
    .option('--reason <text>', 'is kept with the decision')
    .option('--actor <name>', 'who decides, where no token says it; by default the user of this computer')
    .option('--again', 'decide anew: what was decided before counts no more');
  examples(withOutput(withPlanServer(withNamespace(command))), [
    `gate plans ${name} go-live -n prod`,
    `gate plans ${name} go-live --reason '${verdict === 'approved' ? 'the canary is quiet' : 'errors since 10:00'}'`,
  ]);
  return command.action(async (gate: string, options: DecideOptions) => {
    const client = await connectPlans(io, options);
    await decide(io, client, gate, verdict, options);
  });
}

async function decide(
  io: CommandIo,
  client: PlanClient,
  name: string,
  verdict: Verdict,
  options: DecideOptions,
): Promise<void> {
  const { decideGate } = await import('../../plans/execution/decide-gate.js');
  const { namespace, reason, again = false } = options;
  const place = { kind: kindNamed('Gate')!, namespace, name };
  const actor = await actorOf(client, options);
  for (let attempt = 1; ; attempt += 1) {
    const found = await client.find(place);
    if (found === undefined) throw await noneOnServer(client, place.kind, place);
    const gate = found as unknown as Gate;
    const timestamp = new Date().toISOString();
    const said = reason === undefined ? {} : { reason };
    const { status, fault } = decideGate(gate, verdict, { actor, timestamp, again, ...said });
    if (fault !== undefined) {
      throw new CliExit(ExitCode.usage, `Gate ${namespace}/${name} cannot be ${verdict}: ${fault}`);
    }
    if (status === undefined) return show(io, gate, false, options);
    const stored = await write(client, { ...found, status }, attempt);
    if (stored !== undefined) return show(io, stored as unknown as Gate, true, options);
  }
}

/** @returns undefined where another write came between: read again, decide again */
async function write(client: PlanClient, object: PlanObject, attempt: number): Promise<PlanObject | undefined> {
  const [{ FailureType, GateError }] = await Promise.all([import('../../kernel/failures.js')]);
  try {
    return (await client.replaceStatus(object)).object;
  } catch (error) {
    const isConflict = error instanceof GateError && error.type === FailureType.RevisionConflict;
    if (isConflict && attempt < MOST_CONFLICTS) return undefined;
    throw error;
  }
}

async function actorOf(client: PlanClient, { actor }: DecideOptions): Promise<string> {
  const me = await client.whoAmI();
  if (me.namesOthers) {
    if (actor === '') throw new CliExit(ExitCode.usage, 'expected --actor to be a name, got nothing');
    return actor ?? userAsActor();
  }
  if (actor === undefined || actor === me.actor) return me.actor;
  throw new CliExit(ExitCode.usage, `expected --actor to be ${me.actor}, whose token this is, got ${actor}`);
}

async function show(io: CommandIo, gate: Gate, changed: boolean, { output }: DecideOptions): Promise<void> {
  if (output === 'json') return printJson(io, quoted({ changed, gate: gate as unknown as JsonObject }));
  const { standingOf } = await import('../../plans/execution/decide-gate.js');
  const { namespace, name } = gate.metadata;
  const end = changed ? '' : ' (unchanged)';
  printLines(io, [`Gate ${namespace}/${name} ${standingOf(gate)}${end}`]);
}
