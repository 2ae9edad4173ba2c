import { shortTexts } from '../../kernel/short-text';
import type { DeploymentStatus, OperatorReply } from './deployment-state';

/** The reply to a call, with the state that it left. */
export function replyTo(
  kind: OperatorReply['kind'],
  accepted: boolean,
  message: string,
  { state, stage, lastDecision }: DeploymentStatus,
): OperatorReply {
  const decisionId = lastDecision === undefined ? {} : { decisionId: lastDecision.decisionId };
  return { kind, accepted, message, state, stage, ...decisionId };
}

/** What a resume found: the decision that it asked for, and why. */
export function resumeMessage(resumed: boolean, { stage, lastDecision }: DeploymentStatus): string {
  const decision = lastDecision?.decision;
  const found = [...(decision?.denyReasons ?? []), ...(decision?.faults ?? []).map((fault) => fault.message)];
  const why = found.length === 0 ? '' : `: ${shortTexts(found)}`;
  return `${resumed ? 'Resumed' : 'Still paused'}: asked again, stage ${stage} got ${decision?.outcome ?? 'no decision'}${why}`;
}
