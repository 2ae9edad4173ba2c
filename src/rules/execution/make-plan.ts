import { canonicalJson } from '../../kernel/canonical-json';
import { sha256 } from '../../kernel/digest';
import { formatDuration } from '../../kernel/duration';
import { FailureType, GateError } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { RulePolicy } from '../document/rule-policy';
import type { DomainState, DomainStep, RuleDomain } from '../domain';
import { unmetSubjects } from '../evaluation/unmet-subjects';
import type { ExecutedPolicy, ExecutionPlan, ExecutionQuestion, Measures, PlannedStep } from './execution';
import type { PinnedPolicies } from './policy-source';
import type { SourcedState } from './state-source';

/** What policies come to, as far as an execution needs it. */
export interface ExecutableAnswer {
  results: readonly { policy: string; matched: boolean; missing: readonly string[] }[];
  actions: readonly { subject: { id?: string }; policies: readonly string[]; steps: readonly DomainStep[] }[];
  refusals: readonly { subject: { id?: string }; policies: readonly string[]; sentence: string }[];
}

/** What a plan is made with. */
export interface PlanParts {
  domain: RuleDomain;
  answer(
    policies: readonly RulePolicy[],
    state: DomainState,
    question: { operation?: string; policies?: readonly string[] },
  ): ExecutableAnswer;
  /** measures of a state as the steps would leave it; undefined where the domain has none */
  measure?(state: DomainState, steps: readonly DomainStep[]): Measures;
}

/** Steps of one execution at most. */
const MOST_STEPS = 1_000;

/**
 * What the policies in force come to on a state.
 *
 * @param maxAgeMs a state that was observed earlier is stale
 * @throws GateError FactStale, FactInvalid for a state that does not fit its schema or has no time, ConfigInvalid for a question
 *   about a policy, an operation or a subject that does not exist
 */
export function makePlan(
  question: ExecutionQuestion,
  { policies, pins, setRevision }: PinnedPolicies,
  sourced: SourcedState,
  parts: PlanParts,
  { nowMs, maxAgeMs }: { nowMs: number; maxAgeMs: number },
): ExecutionPlan {
  checkQuestion(question, policies, parts.domain);
  const state = readSourced(question, sourced, parts.domain, nowMs);
  checkAge(state.observedAtMs, nowMs, maxAgeMs, sourced.source);
  if (question.subject !== undefined && state.subjects.length === 0) {
    throw invalid(`Expected ${parts.domain.prefixes.subject} ${question.subject} in the state of ${sourced.source}`);
  }
  const answer = answerTo(question, policies, state, parts);
  const steps = answer.actions.flatMap(({ policies: names, steps }) => steps.map((step) => ({ step, names })));
  if (steps.length > MOST_STEPS) {
    throw invalid(`Expected at most ${MOST_STEPS} steps, got ${steps.length}: limit the policy by maxMovesPerRun`);
  }
  const allSteps = steps.map(({ step }) => step);
  const impact =
    parts.measure === undefined
      ? undefined
      : { before: parts.measure(state, []), predicted: parts.measure(state, allSteps) };
  return {
    policies: pinned(answer, pins),
    setRevision,
    stateDigest: stateDigest(sourced.document),
    ...(state.version === undefined ? {} : { stateVersion: state.version }),
    ...(sourced.guardsVersion && state.version !== undefined ? { guardsVersion: true } : {}),
    observedAtMs: state.observedAtMs,
    decidedAtMs: nowMs,
    steps: steps.map(({ step, names }) => toPlanned(step, names)),
    refusals: [...answer.refusals.map(({ sentence }) => sentence), ...missingSentences(answer)],
    unmet: unmetSubjects(answer),
    ...(impact === undefined ? {} : { impact }),
  };
}

/** What an execution came to. */
export interface ExecutionOutcome {
  /** absent where the domain has none */
  found?: Measures;
  /** as that of a plan */
  unmet: Readonly<Record<string, number>>;
}

/**
 * What the policies in force ask for on the state as it is after an execution, and the measures of it. Policies that were asked
 * and are no longer in force are left out.
 *
 * @param plannedOnMs when the state of the plan was observed, by the same clock
 * @returns undefined for a state that is no newer, such as a file: it says nothing of the execution
 * @throws GateError FactInvalid, as `makePlan`
 */
export function findOutcome(
  { policies: asked, ...question }: ExecutionQuestion,
  { policies }: PinnedPolicies,
  sourced: SourcedState,
  parts: PlanParts,
  { nowMs, plannedOnMs }: { nowMs: number; plannedOnMs: number },
): ExecutionOutcome | undefined {
  const state = readSourced(question, sourced, parts.domain, nowMs);
  if (state.observedAtMs <= plannedOnMs) return undefined;
  const wanted = asked?.filter((name) => policies.some((policy) => policy.name === name));
  const answer = answerTo(
    { ...question, ...(wanted === undefined ? {} : { policies: wanted }) },
    policies,
    state,
    parts,
  );
  return {
    ...(parts.measure === undefined ? {} : { found: parts.measure(state, []) }),
    unmet: unmetSubjects(answer),
  };
}

function answerTo(
  { operation, policies: wanted }: ExecutionQuestion,
  policies: readonly RulePolicy[],
  state: DomainState,
  parts: PlanParts,
): ExecutableAnswer {
  return parts.answer(policies, state, {
    ...(operation === undefined ? {} : { operation }),
    ...(wanted === undefined ? {} : { policies: wanted }),
  });
}

/** SHA-256 of a state without the time of its observation: a state that is the same later has the same digest. */
export function stateDigest({ observed_at: _observedAt, ...document }: JsonObject): string {
  return sha256(canonicalJson(document));
}

/**
 * @throws GateError FactStale with the age found and the age allowed; FactInvalid for a time that is as far in the future, of a
 *   source or a worker whose clock is wrong: it would stay fresh
 */
export function checkAge(observedAtMs: number, nowMs: number, maxAgeMs: number, source: string): void {
  const ageMs = nowMs - observedAtMs;
  if (ageMs <= maxAgeMs && -ageMs <= maxAgeMs) return;
  const found = ageMs > 0 ? `${formatDuration(ageMs)} old` : `${formatDuration(-ageMs)} in the future`;
  const message = `Expected the state of ${source} to be at most ${formatDuration(maxAgeMs)} old, but it is ${found}`;
  const type = ageMs > 0 ? FailureType.FactStale : FailureType.FactInvalid;
  throw new GateError(type, message, [{ type, message, ageMs, maxAgeMs, where: source }]);
}

/** The faults of a document that a source gave are the source's, not the caller's. */
function readSourced(
  { operation, subject }: ExecutionQuestion,
  { document, source }: SourcedState,
  domain: RuleDomain,
  nowMs: number,
): DomainState {
  try {
    const about = { ...(operation === undefined ? {} : { operation }), ...(subject === undefined ? {} : { subject }) };
    return domain.readState(document, { file: source }, { nowMs, needsTime: true, ...about });
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    const faults = error.faults.map((fault) => ({ ...fault, type: FailureType.FactInvalid }));
    throw new GateError(FailureType.FactInvalid, error.message, faults, { cause: error });
  }
}

function checkQuestion(
  { policies = [], operation }: ExecutionQuestion,
  known: readonly RulePolicy[],
  domain: RuleDomain,
): void {
  const names = known.map(({ name }) => name);
  const unknown = policies.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw invalid(`Expected the names of policies in force, got ${unknown.join(', ')}`);
  if (operation !== undefined && !Object.hasOwn(domain.operations, operation)) {
    const operations = Object.keys(domain.operations).join(', ');
    throw invalid(`Expected an operation among ${operations}, got ${operation}`);
  }
}

/** The policies whose steps these are; where nothing is to be done, those that matched. */
function pinned(answer: ExecutableAnswer, pins: ReadonlyMap<string, ExecutedPolicy>): ExecutedPolicy[] {
  const acting = answer.actions.flatMap(({ policies }) => policies);
  const matched = answer.results.filter((result) => result.matched).map(({ policy }) => policy);
  const asked = answer.results.map(({ policy }) => policy);
  const names = [acting, matched, asked].find((one) => one.length > 0) ?? [];
  return [...new Set(names)].flatMap((name) => pins.get(name) ?? []);
}

function toPlanned({ kind, settings, sentence }: DomainStep, policies: readonly string[]): PlannedStep {
  return { kind, policies, settings, sentence };
}

/** Sentences that an execution keeps at most. */
const MOST_SENTENCES = 20;

function missingSentences({ results }: ExecutableAnswer): string[] {
  const missing = results.filter((result) => result.missing.length > 0 && !result.matched);
  const sentences = missing.map((result) => `${result.policy} is unknown: missing ${result.missing.join(', ')}`);
  const unique = [...new Set(sentences)];
  const more = unique.length - MOST_SENTENCES;
  return more > 0 ? [...unique.slice(0, MOST_SENTENCES), `and ${more} more are unknown`] : unique;
}

function invalid(message: string): GateError {
  return new GateError(FailureType.ConfigInvalid, message);
}
