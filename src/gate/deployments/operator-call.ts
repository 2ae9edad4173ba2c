import { FailureType } from '../../kernel/failures';
import type { OperatorCall } from '../../kernel/operator-call';
import { shortText } from '../../kernel/short-text';
import { isFinal, type DeploymentStatus } from './deployment-state';
import { holdText } from './hold';

/** What an operator can do to a deployment that has not ended. */
export const OperatorCallKind = { resume: 'resume', abort: 'abort', override: 'override', pause: 'pause' } as const;
export type OperatorCallKind = (typeof OperatorCallKind)[keyof typeof OperatorCallKind];

/** What a caller can do who wanted to pause what has ended. */
export const ENDED_ADVICE =
  '. It has ended, so there is nothing to pause: gate status tells what it did, gate deploy --again starts it once more';

/** Characters of a given id that a message repeats; the gate's own have 36. */
const MAX_ID = 64;

/**
 * Why a well-formed call does not fit the state it finds, or undefined when it does. The ids that a caller needs come
 * first: a sentence that is shortened lacks the end of long names.
 */
export function misfit(kind: OperatorCallKind, call: OperatorCall, status: DeploymentStatus): string | undefined {
  const found = `deployment ${status.deploymentId} is ${status.state} at stage ${status.stage}`;
  const meantFor = shortText(call.for ?? '', MAX_ID);
  if (isFinal(status.state)) return `Cannot ${kind}: ${found}${kind === 'pause' ? ENDED_ADVICE : ''}`;
  if ((kind === 'resume' || kind === 'override') && status.pause?.reason === FailureType.AuditWriteFailed)
    return `Cannot ${kind}: the audit store must be back, and the deployment then resumes by itself; ${found}`;
  switch (kind) {
    case 'resume':
      if (call.for !== undefined && call.for === status.hold?.id) return undefined;
      if (status.hold) {
        return `Cannot resume: the call is meant for pause ${meantFor}, but the present one is ${status.hold.id}, ${holdText(status.hold)}; ${found}`;
      }
      if (status.pause === undefined) return `Cannot resume: ${found}, not paused`;
      if (call.for !== status.pause.id) {
        return `Cannot resume: the call is meant for pause ${meantFor}, not for ${status.pause.id}; ${found}`;
      }
      return undefined;
    case 'override':
      if (status.hold)
        return `Cannot override: resume pause ${status.hold.id} first, ${holdText(status.hold)}; ${found}`;
      if (status.pause?.reason === FailureType.ActionFailed)
        return `Cannot override: the action has begun, and a request of it may have left; gate resume tries it again, gate abort takes it back; ${found}`;
      if (status.state !== 'waiting' && status.state !== 'paused') return `Cannot override: ${found}`;
      if (call.for !== status.lastDecision?.decisionId) {
        return `Cannot override: the call is meant for decision ${meantFor}, but the newest is ${status.lastDecision?.decisionId ?? 'none'}; ${found}`;
      }
      return undefined;
    case 'abort':
    case 'pause': {
      const known = [status.hold?.id, status.pause?.id, status.lastDecision?.decisionId];
      if (call.for !== undefined && !known.includes(call.for)) {
        const present = known.find((one) => one !== undefined) ?? 'a decision, as there is none';
        return `Cannot ${kind}: the call is meant for ${meantFor}, not for ${present}; ${found}`;
      }
      return undefined;
    }
    default:
      return kind satisfies never;
  }
}
