import { Command, InvalidArgumentError } from 'commander';
import { messageOf } from '../../kernel/message-of';
import type { CallResult, DeploymentClient } from '../../clients/deployment-client';
import { isCallDuration, type OperatorCall } from '../../kernel/operator-call';
import { FailureType } from '../../kernel/failures';
import { failureOf } from '../exit';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { durationOption, examples, withOutput, withSettings, withWorkflowId, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { connect } from '../temporal-client';
import { printReply, replyOf, unconfirmedText, whatIsKnown } from './call-answer';

interface PauseOptions extends CommonOptions {
  all?: boolean;
  actor: string;
  reason: string;
  for?: string;
  updateId?: string;
  workflowId?: string;
  timeout: number;
}

/** What became of the call to one deployment, as `--all -o json` prints it. */
interface PausedOne {
  deploymentId: string;
  result: CallResult['result'] | 'ended';
  message: string;
}

const SIDE_BY_SIDE = 10;

export function pauseCommand({ io, exit }: CommandContext): Command {
  const command = new Command('pause')
    .summary('pause a deployment, or all that run')
    .description(
      'Pauses a deployment until its time is over or an operator resumes: no stage is decided, and no action begins. An action under way is not cancelled. Recorded under the name and the reason given; another pause takes the place of the present one. Exit code 2 when it does not fit the state, 4 when it was not confirmed in time; with --all 4 if any was not confirmed.',
    )
    .argument('[id]', 'deployment id')
    .option('--all', 'all deployments that run now, one line each; later ones are not paused')
    .requiredOption('--actor <name>', 'who acts')
    .requiredOption('--reason <text>', 'why')
    .option('--for <duration>', 'for how long, counted from when it is accepted; by default until gate resume', lasting)
    .option('--update-id <id>', 'the same id is carried out once in each deployment, however often it is sent')
    .addOption(durationOption('--timeout <duration>', 'how long to wait for each answer', '10s'));
  examples(withOutput(withSettings(withWorkflowId(command))), [
    'gate pause firmware-1.4.0 --for 2h --actor ann --reason "maintenance of the backend"',
    'gate pause --all --actor ann --reason "incident 4711"',
  ]);
  return command.action(async (id: string | undefined, options: PauseOptions) => {
    if ((id === undefined) === (options.all !== true))
      throw new CliExit(ExitCode.usage, 'pause: expected either a deployment id or --all');
    if (options.all && options.workflowId !== undefined)
      throw new CliExit(ExitCode.usage, 'pause: expected --workflow-id with a deployment id, got it with --all');
    const { deployments, close } = await connect(io, options.settings, options.timeout);
    try {
      if (id === undefined) return await pauseAll(deployments, options, { io, exit });
      const answer = await deployments.call(id, 'pause', callOf(options), options.updateId, options.workflowId);
      const reply = replyOf(id, 'pause', answer);
      printReply(io, reply, options);
      if (reply.accepted) exit(ExitCode.ok);
      else exit(ExitCode.usage, failureOf(FailureType.RevisionConflict, reply.message));
    } finally {
      await close();
    }
  });
}

/** Some side by side, and each line as soon as those before it are known. */
async function pauseAll(
  deployments: DeploymentClient,
  options: PauseOptions,
  { io, exit }: CommandContext,
): Promise<void> {
  const running = await deployments.running();
  const call = callOf(options);
  const results: PausedOne[] = [];
  for (let index = 0; index < running.length; index += SIDE_BY_SIDE) {
    const some = running.slice(index, index + SIDE_BY_SIDE).map(async ({ deploymentId, workflowId }) => {
      try {
        return outcomeOf(
          deploymentId,
          await deployments.call(deploymentId, 'pause', call, options.updateId, workflowId),
        );
      } catch (error) {
        // The connection failed on the way to one of many: what became of the others is told all the same.
        return unconfirmed(deploymentId, `; may still take effect: ${messageOf(error)}`);
      }
    });
    const known = await Promise.all(some);
    results.push(...known);
    if (options.output === 'text')
      printLines(
        io,
        known.map(({ deploymentId, message }) => `${deploymentId}: ${message}`),
      );
  }
  if (options.output === 'json') printJson(io, results);
  else if (results.length === 0) printLines(io, ['No deployment runs']);
  if (results.some(({ result }) => result === 'unconfirmed')) return exit(ExitCode.timeout);
  const refused = results.find(({ result }) => result === 'refused');
  if (refused) exit(ExitCode.usage, failureOf(FailureType.RevisionConflict, refused.message));
}

function callOf({ actor, reason, for: lasts }: PauseOptions): OperatorCall {
  return { actor, reason, ...(lasts === undefined ? {} : { duration: lasts }) };
}

function outcomeOf(deploymentId: string, answer: CallResult): PausedOne {
  switch (answer.result) {
    case 'answered': {
      const { accepted, message } = answer.reply;
      return { deploymentId, result: accepted ? 'answered' : 'ended', message };
    }
    case 'refused':
      return { deploymentId, result: answer.hasEnded ? 'ended' : 'refused', message: answer.message };
    case 'unconfirmed':
      return unconfirmed(deploymentId, whatIsKnown(answer));
    default:
      return answer satisfies never;
  }
}

function unconfirmed(deploymentId: string, known: string): PausedOne {
  return { deploymentId, result: 'unconfirmed', message: unconfirmedText(deploymentId, 'pause', known) };
}

function lasting(text: string): string {
  if (!isCallDuration(text)) throw new InvalidArgumentError('Expected a duration such as 45s or 2h, at most 366d.');
  return text;
}
