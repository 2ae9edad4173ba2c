import { SecondOpinionError } from '../../rego/evaluation-account';
import type { EvaluatePolicy } from '../../rego/evaluation/evaluate-policy';
import { formatDuration, parseDuration } from '../../kernel/duration';
import type { Snapshot } from '../facts/snapshot';
import { FailureType, GateError, type Fault } from '../../kernel/failures';
import { RESERVED_INPUT_KEYS } from '../../kernel/names';
import { createInputCheck, type InputCheck } from './check-input';
import type { Release } from '../../releases/release';
import type { Decision } from './decision';
import { toDecision, toPolicyInput, type EvaluationResult } from './decide';

/**
 * The decision about a snapshot under exactly one release. The facts are checked first, and the policy is not asked when
 * anything is amiss: all faults are in the decision, whose outcome is then `error`.
 *
 * @throws what `evaluate` throws, unless it is the policy's own fault (PolicyEvaluation, PolicyInvalid)
 */
export async function evaluateSnapshot(request: {
  release: Release;
  snapshot: Snapshot;
  evaluate: EvaluatePolicy;
}): Promise<Decision> {
  const { release, snapshot, evaluate } = request;
  const usedFactIds = release.policy.reads.facts;
  const decide = (result: EvaluationResult): Decision =>
    toDecision({
      snapshot,
      usedFactIds,
      result,
      deniesWithNotes: release.policy.declarations?.deniesWithNotes ?? false,
    });
  try {
    const input = toPolicyInput(snapshot);
    const { checkInput, allowedSkewMs, deadlineMs } = checksOf(release);
    const faults = [...snapshotFaults(snapshot, allowedSkewMs), ...checkInput(input)];
    if (faults.length > 0) return decide({ faults });
    const evaluated = await evaluate({
      policy: release.policy,
      configDocument: release.configDocument,
      configRev: release.ref.configRev,
      input,
      decisionTimeMs: snapshot.decisionTimeMs,
      deadlineMs,
      memoryMiB: release.config.evaluation.memoryMiB,
      secondOpinion: release.config.evaluation.secondOpinion,
    });
    // What is missing is noticed by the plan alone: an answer of anything else must not pass for it.
    if (release.policy.plan !== undefined && evaluated.account?.evaluator !== 'plan') {
      const message = "Expected the answer of the policy's plan, found that of another evaluator";
      return decide({ faults: [{ type: FailureType.PolicyEvaluation, message, where: 'response' }] });
    }
    return decide(evaluated);
  } catch (error) {
    if (error instanceof GateError && POLICY_FAULTS.includes(error.type)) return decide(failedResult(error));
    throw error;
  }
}

function failedResult({ faults, cause }: GateError): EvaluationResult {
  if (!(cause instanceof SecondOpinionError)) return { faults };
  const { refusal, evalDurationNs } = cause;
  return { faults, refusal, evalDurationNs };
}

const POLICY_FAULTS: readonly FailureType[] = [FailureType.PolicyEvaluation, FailureType.PolicyInvalid];

interface ReleaseChecks {
  checkInput: InputCheck;
  /** how far a fact's time may lie behind the decision's */
  allowedSkewMs: number;
  deadlineMs: number;
}

const checks = new WeakMap<Release, ReleaseChecks>();

/** Compiled once a release: compiling takes milliseconds, checking microseconds. */
function checksOf(release: Release): ReleaseChecks {
  let found = checks.get(release);
  if (found === undefined) {
    found = {
      checkInput: createInputCheck(release.policy, release.configDocument),
      allowedSkewMs: parseDuration(release.config.allowedClockSkew),
      deadlineMs: parseDuration(release.config.evaluation.deadline),
    };
    checks.set(release, found);
  }
  return found;
}

/** What is wrong with the facts as facts: of the future, too old at the decision time, twice there, or misnamed. */
function snapshotFaults({ facts, decisionTimeMs, maxAgeMs }: Snapshot, allowedSkewMs: number): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  const invalid = (factId: string, message: string): void =>
    void faults.push({ type: FailureType.FactInvalid, message, factId, where: `input.${factId}` });
  for (const { id, observedAtMs } of facts) {
    if ((RESERVED_INPUT_KEYS as readonly string[]).includes(id)) {
      invalid(id, `Expected no fact to be called ${id}: the name is reserved for the gate`);
    }
    if (seen.has(id)) invalid(id, `Expected one value of ${id}, found two`);
    seen.add(id);
    const aheadMs = observedAtMs - decisionTimeMs;
    if (aheadMs > allowedSkewMs) {
      invalid(id, `Expected ${id} to be observed before the decision, found it ${formatDuration(aheadMs)} later`);
    }
    const allowedMs = Object.hasOwn(maxAgeMs, id) ? maxAgeMs[id] : undefined;
    const ageMs = decisionTimeMs - observedAtMs;
    // written so that a time which is not a number counts as too old
    if (allowedMs !== undefined && !(ageMs <= allowedMs)) {
      const message = `Expected ${id} to be at most ${formatDuration(allowedMs)} old, found it ${formatDuration(ageMs)} old`;
      faults.push({
        type: FailureType.FactStale,
        message,
        factId: id,
        where: `input.${id}`,
        ageMs,
        maxAgeMs: allowedMs,
      });
    }
  }
  return faults;
}
