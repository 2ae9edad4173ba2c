import { messageOf } from '../../kernel/message-of';
import { canonicalJson } from '../../kernel/canonical-json';
import { sha256 } from '../../kernel/digest';
import { FailureType, faultsToError, GateError } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { RunClock } from '../../platform/threads/run-clock';
import { resolveDocument } from '../composition/resolve';
import type { ExplainedCondition } from '../conditions/explain-condition';
import { isFragments, readPolicies } from '../document/read-policies';
import { answerRules, type RulesAnswer } from '../evaluation/answer';
import { answerDocument } from '../evaluation/answer-document';
import { findOutcome, makePlan, type PlanParts } from '../execution/make-plan';
import { GIVEN_DOCUMENT } from '../service/fault-field';
import { StoredKind } from '../store/stored-policy';
import { HeldSet } from './held-set';
import type {
  CheckedPolicy,
  CheckJob,
  EvaluateJob,
  EvaluateResult,
  FromThread,
  OutcomeCounts,
  RuleResult,
  SimulateJob,
  ToThread,
} from './messages';
import type { RuleProgram } from './rule-program';

const NO_REVISION = { version: '1.0', priority: 0, enabled: true } as const;

/** What runs inside a thread: takes the set's changes, and answers each call exactly once. Throws nothing. */
export function createThreadSide(
  program: RuleProgram,
  clock: RunClock,
  send: (message: FromThread) => void,
): (message: ToThread) => void {
  const held = new HeldSet(program.domain);

  function run(job: ToThread['job']): RuleResult {
    switch (job.kind) {
      case 'check':
        return check(held, job, program);
      case 'evaluate':
        return evaluate(held, job, program);
      case 'simulate':
        return simulate(held, job, program);
      case 'plan':
        return makePlan(job.question, job.policies, job.state, planPartsOf(program), job);
      case 'outcome':
        return findOutcome(job.question, job.policies, job.state, planPartsOf(program), job);
      default:
        return job satisfies never;
    }
  }

  return ({ callId, delta, job }) => {
    let beganNs = process.hrtime.bigint();
    try {
      clock.begin(callId, true, beganNs);
      if (delta !== undefined) held.apply(delta);
      // Compiled before the deadline counts: it is once for many.
      if (job.kind === 'evaluate') void (job.onlyMatched ? held.index() : held.policies());
      beganNs = process.hrtime.bigint();
      clock.begin(callId, false, beganNs);
      const result = run(job);
      clock.end();
      const tookNs = Number(process.hrtime.bigint() - beganNs);
      send({ callId, tookNs, ...(result === undefined ? {} : { result }) });
    } catch (error) {
      clock.end();
      send({ callId, tookNs: Number(process.hrtime.bigint() - beganNs), failure: toFailure(error) });
    }
  };
}

function planPartsOf({ domain, measure }: RuleProgram): PlanParts {
  return {
    domain,
    answer: (policies, state, question) => answerRules(policies, state, domain, { ...question, scores: false }),
    ...(measure === undefined ? {} : { measure }),
  };
}

function toFailure(error: unknown): NonNullable<FromThread['failure']> {
  if (error instanceof GateError) return { type: error.type, message: error.message, faults: error.faults };
  const message = `The evaluation failed: ${messageOf(error)}`;
  return { type: FailureType.PolicyEvaluation, message, faults: [{ type: FailureType.PolicyEvaluation, message }] };
}

/**
 * What the changed document is in effect. A fault that other documents have already does not count: a change that mends one
 * of several must be possible.
 */
function check(held: HeldSet, { changed }: CheckJob, { domain }: RuleProgram): CheckedPolicy {
  try {
    const set = readPolicies(held.sourcesWith(changed, GIVEN_DOCUMENT), domain);
    return inEffect(changed, set);
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    const known = new Set(held.faults().map(({ message }) => message));
    const found = error.faults.filter(({ message }) => !known.has(message));
    if (found.length === 0) return inEffect(changed, undefined);
    throw changed.text === undefined ? inUse(found) : faultsToError(found);
  }
}

function inUse(faults: GateError['faults']): GateError {
  const type = FailureType.RuleInUse;
  const named = faults.map((fault) => ({ ...fault, type }));
  return new GateError(type, named.map(({ message }) => message).join('; '), named);
}

function inEffect({ text }: CheckJob['changed'], set: ReturnType<typeof readPolicies> | undefined): CheckedPolicy {
  if (text === undefined) return { type: '', ...NO_REVISION };
  const document = JSON.parse(text) as JsonObject;
  if (isFragments(document)) return { type: StoredKind.fragments, ...NO_REVISION };
  const found = set?.policies.find(({ name }) => name === document.name);
  if (found !== undefined) {
    const { type, version, priority, enabled } = found;
    return { type, version, priority, enabled };
  }
  const resolved =
    set === undefined ? document : resolveDocument(document.name as string, set.documents, set.fragments).document;
  const {
    type = StoredKind.template,
    version = '1.0',
    priority = 0,
    enabled = true,
  } = resolved as Partial<CheckedPolicy>;
  return { type, version, priority, enabled };
}

function evaluate(held: HeldSet, job: EvaluateJob, { domain }: RuleProgram): EvaluateResult {
  const { nowMs, operation, subject, policies } = job;
  requireKnown(held, policies);
  requireOperation(operation, domain);
  const state = domain.readState(
    job.state,
    { file: 'state' },
    {
      nowMs,
      needsTime: true,
      ...(operation === undefined ? {} : { operation }),
      ...(subject === undefined ? {} : { subject }),
    },
  );
  requireFresh(state.observedAtMs, nowMs, job.maxStateAgeMs);
  const answer = answerRules(held.policies().policies, state, domain, {
    ...(operation === undefined ? {} : { operation }),
    ...(policies === undefined ? {} : { policies }),
    ...(job.onlyMatched ? { index: held.index() } : {}),
  });
  return {
    answer: answerDocument(answer, domain),
    policies: held.pins(uniqueByName(answer.results.map(({ policy, type }) => ({ name: policy, type })))),
    key: held.key,
    stateDigest: sha256(canonicalJson(job.state)),
    ...(state.version === undefined ? {} : { stateVersion: state.version }),
    ...countOutcomes(answer),
  };
}

function simulate(held: HeldSet, { documents, ...job }: SimulateJob, program: RuleProgram): JsonObject {
  if (program.simulate === undefined) {
    throw faultsToError([
      { type: FailureType.ConfigInvalid, message: `Rules for ${program.domain.name} cannot be simulated` },
    ]);
  }
  requireOperation(job.operation, program.domain);
  const before = held.policies();
  const after =
    documents.length === 0
      ? before
      : readPolicies(
          held.sourcesOver(documents, (_document, at) => `documents[${at}]`),
          program.domain,
        );
  const { kind: _kind, ...question } = job;
  return program.simulate({ ...question, before, after });
}

function uniqueByName(policies: readonly { name: string; type: string }[]): { name: string; type: string }[] {
  return [...new Map(policies.map((policy) => [policy.name, policy])).values()];
}

function requireKnown(held: HeldSet, policies: readonly string[] | undefined): void {
  const known = new Set(held.policies().policies.map(({ name }) => name));
  const unknown = (policies ?? []).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const type = FailureType.RuleNotFound;
  throw faultsToError(unknown.map((name) => ({ type, message: `No policy that can be evaluated is named ${name}` })));
}

function requireOperation(operation: string | undefined, { operations }: RuleProgram['domain']): void {
  if (operation === undefined || Object.hasOwn(operations, operation)) return;
  const message = `operation: expected one of ${Object.keys(operations).join(', ')}, got ${JSON.stringify(operation)}`;
  throw faultsToError([{ type: FailureType.ConfigInvalid, message, where: 'operation' }]);
}

function requireFresh(observedAtMs: number, nowMs: number, maxAgeMs: number): void {
  const ageMs = nowMs - observedAtMs;
  if (ageMs <= maxAgeMs && ageMs >= -maxAgeMs) return;
  const observed = new Date(observedAtMs).toISOString();
  const [type, why] =
    ageMs > 0
      ? [FailureType.FactStale, `${ageMs} ms old, ${maxAgeMs} ms are allowed`]
      : [FailureType.FactInvalid, `${-ageMs} ms in the future`];
  throw faultsToError([
    { type, message: `The state of ${observed} is ${why}`, where: 'state observed_at', ageMs, maxAgeMs },
  ]);
}

function countOutcomes({ results }: RulesAnswer): Pick<EvaluateResult, 'results' | 'conditions'> {
  const counted = { results: {} as Record<string, OutcomeCounts>, conditions: {} as Record<string, OutcomeCounts> };
  const countsOf = (by: Record<string, OutcomeCounts>, type: string) =>
    (by[type] ??= { true: 0, false: 0, unknown: 0 });
  for (const { type, outcome, conditions } of results) {
    countsOf(counted.results, type)[outcome] += 1;
    const stack: ExplainedCondition[] = [conditions];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (next.parts === undefined) countsOf(counted.conditions, type)[next.outcome] += 1;
      else stack.push(...next.parts);
    }
  }
  return counted;
}
