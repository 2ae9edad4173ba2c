import type { Snapshot } from '../facts/snapshot';
import { FailureType, type Fault } from '../../kernel/failures';
import { toTimestamp } from '../../kernel/time';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import type { EvaluationAccount, Refusal } from '../../rego/evaluation-account';
import type { Decision, DecisionEvaluation } from './decision';
import { boundedFaults } from '../../kernel/bounded-faults';
import { boundedReasons } from './bounded-reasons';
import { notesToFaults } from './notes-to-faults';
import { toDecisionEvaluation } from './to-decision-evaluation';
import { leaseOf } from './lease';
import { deploymentInput } from './to-audit-record';

/** The reason of a denial for which the policy gave none. */
export const NO_REASON = 'policy_gave_no_reason';

/** What an evaluation came to: the value of the entrypoint (undefined where Rego's is), or why there was none. */
export type EvaluationResult =
  | { response: JsonValue | undefined; evalDurationNs: number; account?: EvaluationAccount }
  | {
      faults: readonly Fault[];
      /** where the policy was evaluated all the same: its allow was not confirmed */
      evalDurationNs?: number;
      refusal?: Refusal;
    };

/** A fact called `__proto__` is a key like any other. */
const PLAIN = { writable: true, enumerable: true, configurable: true } as const;

/**
 * What the policy sees as `input`: each fact's plain value under its id, `deployment`, and `decision_time` in RFC 3339,
 * UTC, with milliseconds. A fact cannot take the place of these two.
 */
export function toPolicyInput(snapshot: Snapshot): JsonObject {
  const input: JsonObject = {};
  for (const { id, value } of snapshot.facts) {
    if (id === '__proto__') Object.defineProperty(input, id, { ...PLAIN, value });
    else input[id] = value;
  }
  input.deployment = deploymentInput(snapshot.target);
  input.decision_time = toTimestamp(snapshot.decisionTimeMs);
  return input;
}

/**
 * The decision that an evaluation came to (gate rules, section 3). Allowed only by exactly
 * `{"allow": true, "deny_reasons": []}` and without a note; any other shape, an allow with reasons, and any answer that has
 * notes is an error. A denial with notes is one too, since its reasons may be wrong, unless the policy says that it denies
 * all the same. Reasons are ordered by code unit, each once, and no more than `LIMITS.reasons`. Only an allow has a lease, from the facts used.
 */
export function toDecision(outcome: {
  snapshot: Snapshot;
  usedFactIds: readonly string[];
  result: EvaluationResult;
  /** the entrypoint's METADATA says `deny_with_notes: deny` @default false */
  deniesWithNotes?: boolean;
}): Decision {
  const { snapshot, usedFactIds, result, deniesWithNotes = false } = outcome;
  if ('faults' in result) {
    const { faults, evalDurationNs = 0, refusal } = result;
    if (refusal === undefined) return errorDecision(faults, evalDurationNs);
    const evaluation = toDecisionEvaluation(refusal.account, usedFactIds, refusal.disagreement);
    return { ...errorDecision(faults, evalDurationNs), evaluation };
  }
  const { response, evalDurationNs, account } = result;
  const noted = account?.notes === undefined ? [] : notesToFaults(account.notes);
  const evaluation = account === undefined ? undefined : toDecisionEvaluation(account, usedFactIds);
  const withEvaluation = (more: Partial<DecisionEvaluation>): Pick<Decision, 'evaluation'> =>
    evaluation === undefined ? {} : { evaluation: { ...evaluation, ...more } };
  const error = (faults: readonly Fault[], more: Partial<DecisionEvaluation> = {}): Decision => ({
    ...errorDecision(faults, evalDurationNs),
    ...withEvaluation(more),
  });

  const shapeFault = responseFault(response);
  if (shapeFault !== undefined) return error([shapeFault, ...noted]);
  const { allow, deny_reasons: given } = response as { allow: boolean; deny_reasons: string[] };
  const reasons = given.length === 0 ? given : boundedReasons(given);
  if (!allow) {
    const denyReasons = reasons.length > 0 ? reasons : [NO_REASON];
    if (noted.length > 0 && !deniesWithNotes) return error(noted, { wouldDeny: denyReasons });
    const notes = noted.length > 0 ? { notes: boundedFaults(noted) } : {};
    return { outcome: 'deny', denyReasons, faults: [], evalDurationNs, ...withEvaluation(notes) };
  }
  if (reasons.length > 0) {
    return error([unfit(`Expected the policy to allow without deny reasons, found ${excerpt(reasons)}`), ...noted]);
  }
  if (noted.length > 0) return error(noted);
  const used = new Set(usedFactIds);
  const lease = leaseOf(
    snapshot.facts.filter(({ id }) => used.has(id)),
    snapshot.maxAgeMs,
  );
  const allowed: Decision = { outcome: 'allow', denyReasons: [], faults: [], evalDurationNs };
  if (lease.expiresAtMs !== undefined) allowed.leaseExpiresAtMs = lease.expiresAtMs;
  if (lease.limit !== undefined) allowed.leaseLimit = lease.limit;
  if (evaluation !== undefined) allowed.evaluation = evaluation;
  return allowed;
}

function errorDecision(faults: readonly Fault[], evalDurationNs: number): Decision {
  const found = faults.length > 0 ? boundedFaults(faults) : [unfit('The evaluation failed without saying why')];
  return { outcome: 'error', denyReasons: [], faults: found, evalDurationNs };
}

function responseFault(response: JsonValue | undefined): Fault | undefined {
  const isExpected =
    isJsonObject(response) &&
    Object.keys(response).length === 2 &&
    Object.hasOwn(response, 'allow') &&
    Object.hasOwn(response, 'deny_reasons') &&
    typeof response.allow === 'boolean' &&
    Array.isArray(response.deny_reasons) &&
    response.deny_reasons.every((reason) => typeof reason === 'string');
  if (isExpected) return undefined;
  const found = response === undefined ? 'nothing (the entrypoint is undefined)' : excerpt(response);
  return unfit(`Expected the policy to answer {"allow": boolean, "deny_reasons": [string, …]}, found ${found}`);
}

const unfit = (message: string): Fault => ({ type: FailureType.PolicyEvaluation, message, where: 'response' });

function excerpt(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
