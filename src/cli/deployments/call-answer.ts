import type { CallResult } from '../../clients/deployment-client';
import type { OperatorReply } from '../../gate/deployments/deployment-state';
import type { OperatorCallKind } from '../../gate/deployments/operator-call';
import { FailureType } from '../../kernel/failures';
import { CliExit, ExitCode } from '../exit';
import type { CommandIo } from '../io';
import type { CommonOptions } from '../options';
import { printJson, printLines } from '../output';

/** The reply of a deployment to an operator's call. @throws CliExit 2 when it was refused, 4 when no answer came */
export function replyOf(id: string, kind: OperatorCallKind, answer: CallResult): OperatorReply {
  if (answer.result === 'refused') throw new CliExit(ExitCode.usage, answer.message, FailureType.RevisionConflict);
  if (answer.result === 'unconfirmed')
    throw new CliExit(ExitCode.timeout, unconfirmedText(id, kind, whatIsKnown(answer)));
  return answer.reply;
}

export function printReply(io: CommandIo, reply: OperatorReply, { output }: Pick<CommonOptions, 'output'>): void {
  if (output === 'json') printJson(io, reply);
  else printLines(io, [reply.message]);
}

/** @param known what is known of it, as `whatIsKnown` says it */
export function unconfirmedText(id: string, kind: OperatorCallKind, known: string): string {
  return `${kind} of ${id}: not confirmed${known}`;
}

/** What became of a call without an answer, as far as Temporal knows. */
export function whatIsKnown({ taken, isTaskFailing }: Extract<CallResult, { result: 'unconfirmed' }>): string {
  switch (taken) {
    case 'no':
      return isTaskFailing
        ? ': Temporal took nothing, because the workflow task of the deployment fails; gate doctor names the build that it needs'
        : ': Temporal did not take it, so it has no effect; send it again';
    case 'held':
      return ': Temporal holds it until a worker takes it; it may still take effect, or be lost if the workflow task fails';
    case 'accepted':
      return ' yet: the deployment has accepted it, and it takes effect; gate status shows when';
    case 'unknown':
      return '; may still take effect';
    default:
      return taken satisfies never;
  }
}
