import type { Snapshot } from '../facts/snapshot';
import { FailureType, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import type { Decision } from './decision';
import { leaseOf } from './lease';
import { deploymentInput } from './to-audit-record';

/** The reason of a denial for which the policy gave none. */
export const NO_REASON = 'policy_gave_no_reason';

/** What an evaluation came to: the value of the entrypoint (undefined where Rego's is), or why there was none. */
export type EvaluationResult =
  { response: JsonValue | undefined; evalDurationNs: number } | { faults: readonly Fault[] };

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
  input.decision_time = new Date(snapshot.decisionTimeMs).toISOString();
  return input;
}

/**
 * The decision that an evaluation came to (gate rules, section 3). Allowed only by exactly
 * `{"allow": true, "deny_reasons": []}`; any other shape, and an allow with reasons, is an error. Reasons are ordered by
 * code unit, each once. Only an allow has a lease, from the facts used.
 */
export function toDecision(outcome: {
  snapshot: Snapshot;
  usedFactIds: readonly string[];
  result: EvaluationResult;
}): Decision {
  const { snapshot, usedFactIds, result } = outcome;
  if ('faults' in result) return errorDecision(result.faults, 0);
  const { response, evalDurationNs } = result;
  const shapeFault = responseFault(response);
  if (shapeFault !== undefined) return errorDecision([shapeFault], evalDurationNs);

  const { allow, deny_reasons: given } = response as { allow: boolean; deny_reasons: string[] };
  const reasons = [...new Set(given)].sort();
  if (!allow) {
    return { outcome: 'deny', denyReasons: reasons.length > 0 ? reasons : [NO_REASON], faults: [], evalDurationNs };
  }
  if (reasons.length > 0) {
    return errorDecision(
      [unfit(`Expected the policy to allow without deny reasons, found ${excerpt(reasons)}`)],
      evalDurationNs,
    );
  }
  const used = new Set(usedFactIds);
  const lease = leaseOf(
    snapshot.facts.filter(({ id }) => used.has(id)),
    snapshot.maxAgeMs,
  );
  return {
    outcome: 'allow',
    denyReasons: [],
    faults: [],
    evalDurationNs,
    ...(lease.expiresAtMs === undefined ? {} : { leaseExpiresAtMs: lease.expiresAtMs }),
    ...(lease.limit === undefined ? {} : { leaseLimit: lease.limit }),
  };
}

function errorDecision(faults: readonly Fault[], evalDurationNs: number): Decision {
  const found = faults.length > 0 ? [...faults] : [unfit('The evaluation failed without saying why')];
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
