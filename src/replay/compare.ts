import type { GateRecord } from '../audit/audit-record';
import type { Decision } from '../gate/decisions/decision';
import { FailureType, type Fault } from '../kernel/failures';
import { OTHER_REASON, reasonCode } from '../kernel/reason-code';
import type { ReplayClass } from './replay-report';

/** The same policy over the same input: that it answers now tells of the machine then, not of the record or the policy. */
export const STOPPED_THEN =
  'the evaluation gave no answer then, though the same release does now: it or its worker was stopped';

/** Whether a decision's evaluation ended without an answer, such as at its deadline. */
export const gaveNoAnswer = ({ outcome, errorDetails, evalDurationNS }: GateRecord): boolean =>
  outcome === 'error' && evalDurationNS === 0 && errorDetails.some(({ type }) => type === FailureType.PolicyEvaluation);

/**
 * What became of a decision. It is the same when its outcome is, and the codes of its reasons: another limit alone puts other numbers into every
 * sentence. Of the very release that made it every word must be the same. Two errors are the same when they are of the same
 * types about the same facts: their sentences hold times of the moment.
 */
export function classOf(
  record: GateRecord,
  decision: Decision,
  isOwn: boolean,
): Exclude<ReplayClass, 'not-replayable' | 'evaluator-changed'> {
  const { outcome, denyReasons, faults } = decision;
  if (outcome === record.outcome) {
    const [before, after] = isOwn
      ? [record.reasons, denyReasons]
      : [record.reasons.map(reasonName).sort(), denyReasons.map(reasonName).sort()];
    const isSame = isSameList(before, after) && isSameList(kinds(record.errorDetails), kinds(faults));
    return isSame ? 'same' : 'changed';
  }
  if (outcome === 'allow') return 'newly-allowed';
  return outcome === 'deny' ? 'newly-denied' : 'changed';
}

/** A reason without a code is known by its words. */
function reasonName(reason: string): string {
  const code = reasonCode(reason);
  return code === OTHER_REASON ? reason : code;
}

const kinds = (faults: readonly Fault[]): string[] =>
  faults.map(({ type, factId }) => `${type} ${factId ?? ''}`).sort();

const isSameList = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((item, index) => item === other[index]);
