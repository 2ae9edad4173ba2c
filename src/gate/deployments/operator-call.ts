import { FailureType } from '../../kernel/failures';
import type { OperatorCall } from '../../kernel/operator-call';
import { shortText } from '../../kernel/short-text';
import { isFinal, type DeploymentStatus } from './deployment-state';

/** What an operator can do to a deployment that is paused, waiting or at work. */
export const OperatorCallKind = { resume: 'resume', abort: 'abort', override: 'override' } as const;
export type OperatorCallKind = (typeof OperatorCallKind)[keyof typeof OperatorCallKind];

/** Characters of a given id that a message repeats; the gate's own have 36. */
const MAX_ID = 64;

/**
 * Why a well-formed call does not fit the state it finds, or undefined when it does. The ids that a caller needs come
 * first: a sentence that is shortened lacks the end of long names.
 */
export function misfit(kind: OperatorCallKind, call: OperatorCall, status: DeploymentStatus): string | undefined {
  const found = `deployment ${status.deploymentId} is ${status.state} at stage ${status.stage}`;
  const meantFor = shortText(call.for ?? '', MAX_ID);
  if (isFinal(status.state)) return `Cannot ${kind}: ${found}`;
  if (kind !== 'abort' && status.pause?.reason === FailureType.AuditWriteFailed)
    return `Cannot ${kind}: the audit store must be back, and the deployment then resumes by itself; ${found}`;
  switch (kind) {
    case 'resume':
      if (status.pause === undefined) return `Cannot resume: ${found}, not paused`;
      if (call.for !== status.pause.id) {
        return `Cannot resume: the call is meant for pause ${meantFor}, not for ${status.pause.id}; ${found}`;
      }
      return undefined;
    case 'override':
      if (status.state !== 'waiting' && status.state !== 'paused') return `Cannot override: ${found}`;
      if (call.for !== status.lastDecision?.decisionId) {
        return `Cannot override: the call is meant for decision ${meantFor}, but the newest is ${status.lastDecision?.decisionId ?? 'none'}; ${found}`;
      }
      return undefined;
    case 'abort':
      if (call.for !== undefined && call.for !== status.pause?.id && call.for !== status.lastDecision?.decisionId) {
        return `Cannot abort: the call is meant for ${meantFor}, not for ${status.pause?.id ?? status.lastDecision?.decisionId ?? 'a decision, as there is none'}; ${found}`;
      }
      return undefined;
    default:
      return kind satisfies never;
  }
}
