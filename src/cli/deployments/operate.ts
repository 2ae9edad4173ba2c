import { Command } from 'commander';
import { FailureType } from '../../kernel/failures';
import type { OperatorCallKind } from '../../gate/deployments/operator-call';
import type { DeploymentClient } from '../../clients/deployment-client';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { durationOption, examples, withOutput, withSettings, withWorkflowId, type CommonOptions } from '../options';
import { failureOf, notFound } from '../exit';
import { requireOpen } from './asked-stage';
import { printReply, replyOf } from './call-answer';
import { exitCodeOf } from './status-text';
import { connect } from '../temporal-client';

interface OperateOptions extends CommonOptions {
  actor: string;
  reason: string;
  for?: string;
  stage?: string;
  updateId?: string;
  workflowId?: string;
  timeout: number;
}

export function resumeCommand(context: CommandContext): Command {
  return operatorCommand(
    context,
    'resume',
    'collect again and continue after a pause',
    'the pause it is meant for; by default the present one, an operator’s before an error’s',
  );
}

export function abortCommand(context: CommandContext): Command {
  return operatorCommand(
    context,
    'abort',
    'end a deployment; the action in progress is compensated',
    'the pause or decision it is meant for; by default the present one',
  );
}

export function overrideCommand(context: CommandContext): Command {
  return operatorCommand(
    context,
    'override',
    'allow the present stage in spite of its decision',
    'the decision it overrides; by default the newest one',
  );
}

function operatorCommand(
  { io, exit }: CommandContext,
  kind: Exclude<OperatorCallKind, 'pause'>,
  summary: string,
  meantFor: string,
): Command {
  const command = new Command(kind)
    .summary(summary)
    .description(
      `${summary[0]?.toUpperCase()}${summary.slice(1)}. Recorded under the name and the reason given. Exit code 2 when it does not fit the state, 4 when it was not confirmed in time; the message says whether it may still take effect.`,
    )
    .argument('<id>', 'deployment id')
    .requiredOption('--actor <name>', 'who acts')
    .requiredOption('--reason <text>', 'why')
    .option('--for <id>', meantFor)
    .option('--update-id <id>', 'the same id is carried out once, however often it is sent')
    .addOption(durationOption('--timeout <duration>', 'how long to wait for the answer', '10s'));
  // An abort is for all of them.
  if (kind !== 'abort')
    command.option(
      '--stage <name>',
      'of several that are open, in an execution of a plan; by default the only one it fits',
    );
  examples(withOutput(withSettings(withWorkflowId(command))), [
    `gate ${kind} firmware-1.4.0 --actor ann --reason "checked by hand"`,
  ]);
  return command.action(async (id: string, options: OperateOptions) => {
    const { deployments, close } = await connect(io, options.settings, options.timeout);
    try {
      const target = options.for ?? (await presentTarget(deployments, id, kind, options));
      const { actor, reason } = options;
      const call = { actor, reason, ...(target === undefined ? {} : { for: target }) };
      const answer = await deployments.call(id, kind, call, options.updateId, options.workflowId);
      const reply = replyOf(id, kind, answer);
      printReply(io, reply, options);
      const { accepted, message, state } = reply;
      if (accepted || (kind === 'resume' && state === 'paused'))
        exit(kind === 'abort' ? ExitCode.ok : exitCodeOf(state));
      else exit(ExitCode.usage, failureOf(FailureType.RevisionConflict, message));
    } finally {
      await close();
    }
  });
}

/** What the call is meant for when the operator does not say: what they would see now. */
async function presentTarget(
  deployments: DeploymentClient,
  id: string,
  kind: Exclude<OperatorCallKind, 'pause'>,
  { workflowId, stage }: Pick<OperateOptions, 'workflowId' | 'stage'>,
): Promise<string | undefined> {
  const found = await deployments.status(id, workflowId);
  if (found.found === 'unknown') throw notFound(`deployment ${id} is unknown`);
  if (found.found === 'unanswered') {
    if (kind === 'abort') return undefined;
    throw new CliExit(
      ExitCode.timeout,
      `${kind} of ${id}: not confirmed: no worker answered, nothing was sent. With --for ID it is sent all the same`,
    );
  }
  const { hold, pause, lastDecision, openStages = [] } = found.status;
  if (kind === 'abort') return undefined;
  if (stage !== undefined) {
    const open = requireOpen(id, stage, found.status);
    return (kind === 'resume' ? open.pauseId : open.decisionId) ?? 'none';
  }
  const fitting = openStages.filter(({ state }) => state === 'paused' || (kind === 'override' && state === 'waiting'));
  if (fitting.length > 1 && (kind === 'override' || hold === undefined)) {
    const names = fitting.map((open) => open.stage).join(', ');
    throw new CliExit(
      ExitCode.usage,
      `${kind}: ${fitting.length} stages of ${id} wait (${names}): say which one with --stage`,
    );
  }
  if (kind === 'override') return lastDecision?.decisionId ?? 'none';
  return hold?.id ?? pause?.id ?? 'none';
}
