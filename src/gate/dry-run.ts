import type { CollectedFacts } from './collect-now';
import type { Decision } from './decisions/decision';
import { evaluateSnapshot } from './decisions/evaluate-snapshot';
import { explainEvaluation, type EvaluationExplanation } from './decisions/explain-evaluation';
import type { Fact, FactTarget } from './facts/fact';
import { factsFault, sizeFault } from './facts/fact-size';
import { maxAgesOf } from './facts/registry';
import { allReadOrFaults } from '../kernel/all-or-faults';
import { FailureType, GateError } from '../kernel/failures';
import { isJsonObject, type JsonValue } from '../kernel/json';
import { RESERVED_INPUT_KEYS } from '../kernel/names';
import { parseTimeOrEpoch } from '../kernel/time';
import type { EvaluationAccount } from '../rego/evaluation-account';
import type { EvaluatePolicy, PolicyRequest } from '../rego/evaluation/evaluate-policy';
import { createEvaluator, type Evaluator } from '../rego/evaluation/evaluator';
import type { Release } from '../releases/release';
import type { ReleaseRef } from '../releases/release-ref';
import { loadPolicy } from '../releases/sources/load-policy';
import { defaultConfig, loadReleaseConfig } from '../releases/sources/load-release-config';

/** Facts that a caller gives: `{"pending_delta": 100}` or `{"facts": [{"id", "value", "timestamp"}]}`. */
export interface GivenFacts {
  /** either form */
  document: JsonValue;
  /** where they are from, for messages */
  where: string;
}

/** What a dry run evaluates. Paths are absolute. */
export interface DryRunRequest {
  /** a policy folder or a bundle.tar.gz */
  policy: string;
  /** a release configuration, which may hold limits alone; absent, the defaults are in force */
  config?: string;
  /** absent: they are collected from the configured providers, now */
  facts?: GivenFacts;
  /** what the decision is for */
  target: FactTarget;
  /** epoch milliseconds; facts that are collected have their own */
  decisionTimeMs: number;
  /** where providers find their secrets */
  env: Readonly<Record<string, string | undefined>>;
  /** what a provider's files are relative to when there is no configuration */
  cwd: string;
  /** work out how the evaluation came to its answer too: the plan is evaluated once more, and every lookup listed */
  explain?: boolean;
}

/** What would be decided, and on what. */
export interface DryRun {
  /** outcome, reasons and faults */
  decision: Decision;
  /** the digests; `configRev` is empty under the default configuration */
  release: ReleaseRef;
  /** those that the policy reads, ordered by id */
  facts: Fact[];
  /** where it was asked for, and an evaluation came to an answer */
  explanation?: EvaluationExplanation;
}

/**
 * One evaluation without Temporal and without a record. Faults of the facts are part of the decision (outcome `error`).
 *
 * @throws GateError when the policy, the configuration or the given facts cannot be read
 */
export async function dryRun(request: DryRunRequest): Promise<DryRun> {
  const evaluator = createEvaluator({ threads: 1, spares: 0 });
  try {
    return await dryRunWith(evaluator, request);
  } finally {
    await evaluator.close();
  }
}

/** As `dryRun`, with an evaluator that the caller has started and closes. */
export async function dryRunWith(evaluator: Evaluator, request: DryRunRequest): Promise<DryRun> {
  const { target, decisionTimeMs: nowMs, facts: given } = request;
  const release = await readRelease(request);
  const { facts, faults, maxAgeMs, decisionTimeMs } = given
    ? givenFacts(readFacts(given, nowMs), release, nowMs)
    : await (await import('./collect-now.js')).collectNow(request, release);
  const reads = new Set(release.policy.reads.facts);
  const used = facts.filter((fact) => reads.has(fact.id)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const snapshot = { decisionId: 'dry-run', decisionTimeMs, target, release: release.ref, facts: used, maxAgeMs };
  let explanation: EvaluationExplanation | undefined;
  const evaluate: EvaluatePolicy = async (asked) => {
    const evaluation = await evaluator.evaluate(asked);
    if (request.explain) explanation = await explainAnswer(asked, evaluation.account);
    return evaluation;
  };
  const decision: Decision =
    faults.length > 0
      ? { outcome: 'error', denyReasons: [], faults: [...faults], evalDurationNs: 0 }
      : await evaluateSnapshot({ release, snapshot, evaluate });
  return { decision, release: release.ref, facts: used, ...(explanation === undefined ? {} : { explanation }) };
}

/** An evaluation depends on its request alone, so that it can be traced by doing it again. */
async function explainAnswer(
  { policy, configDocument, input, decisionTimeMs }: PolicyRequest,
  account: EvaluationAccount,
): Promise<EvaluationExplanation> {
  const { createTracer } = await import('../rego/evaluation/trace.js');
  const trace = await createTracer(policy, configDocument);
  return explainEvaluation(account, trace?.(input, decisionTimeMs).lookups ?? []);
}

async function readRelease({ policy: path, config: configPath }: DryRunRequest): Promise<Release> {
  const [policy, loaded] = await allReadOrFaults(
    loadPolicy(path),
    configPath === undefined ? Promise.resolve(defaultConfig()) : loadReleaseConfig(configPath),
  );
  const { config, configDocument, configRev } = loaded;
  return {
    ref: { policySha: policy.sha, configRev, manifestVersion: 'dry-run' },
    policy,
    config,
    configDocument,
    loadedAtMs: 0,
  };
}

/** `{"pending_delta": 100}` or `{"facts": [{"id", "value", "timestamp"}]}`; without a time, observed at the decision. */
function readFacts({ document, where }: GivenFacts, nowMs: number): Fact[] {
  if (!isJsonObject(document))
    throw invalid(where, `Expected an object of facts, got ${JSON.stringify(document)?.slice(0, 80)}`);
  const listed = document.facts;
  if (Array.isArray(listed) && Object.keys(document).length === 1) return listedFacts(listed, where, nowMs);
  return checkNames(
    Object.entries(document).map(([id, value]) => toFact(id, value, nowMs, nowMs)),
    where,
  );
}

function listedFacts(listed: JsonValue[], path: string, nowMs: number): Fact[] {
  const facts: Fact[] = [];
  const faults: string[] = [];
  listed.forEach((entry, index) => {
    const where = `facts[${index}]`;
    if (!isJsonObject(entry))
      return void faults.push(`${where}: expected {"id", "value", "timestamp"}, got ${JSON.stringify(entry)}`);
    const { id, value, timestamp, ...others } = entry;
    for (const key of Object.keys(others)) faults.push(`${where}: unknown key ${key}`);
    if (typeof id !== 'string' || id === '')
      return void faults.push(`${where}.id: expected a text, got ${JSON.stringify(id) ?? 'nothing'}`);
    if (value === undefined) return void faults.push(`${where}.value: expected a value, got nothing`);
    const atMs = timestamp === undefined ? nowMs : parseTimeOrEpoch(timestamp);
    if (atMs === undefined)
      return void faults.push(
        `${where}.timestamp: expected RFC 3339 or epoch milliseconds, got ${JSON.stringify(timestamp)}`,
      );
    facts.push(toFact(id, value, atMs, nowMs));
  });
  if (faults.length > 0) throw invalid(path, ...faults);
  return checkNames(facts, path);
}

function checkNames(facts: Fact[], path: string): Fact[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const { id } of facts) {
    if ((RESERVED_INPUT_KEYS as readonly string[]).includes(id)) faults.push(`no fact may be called ${id}`);
    if (seen.has(id)) faults.push(`the fact ${id} is given twice`);
    seen.add(id);
  }
  if (faults.length > 0) throw invalid(path, ...faults);
  return facts;
}

function toFact(id: string, value: JsonValue, observedAtMs: number, nowMs: number): Fact {
  return { id, value, observedAtMs, collectedAtMs: nowMs, source: 'file' };
}

/** Facts that a caller gives are as old, and as big, as those that a worker collects may be. */
function givenFacts(facts: Fact[], { config: { facts: configured, sizes } }: Release, nowMs: number): CollectedFacts {
  const faults = [
    ...facts.flatMap(({ id: factId, value, source }) => {
      const wrong = sizeFault(value, sizes.factBytes);
      return wrong === undefined
        ? []
        : [{ type: FailureType.FactInvalid, message: `Fact ${factId}: the value from ${source} ${wrong}`, factId }];
    }),
    ...[factsFault(facts, sizes.snapshotBytes)].filter((fault) => fault !== undefined),
  ];
  return { facts, faults, maxAgeMs: maxAgesOf(configured), decisionTimeMs: nowMs };
}

function invalid(where: string, ...messages: string[]): GateError {
  const faults = messages.map((message) => ({ type: FailureType.ConfigInvalid, where, message }));
  return new GateError(FailureType.ConfigInvalid, messages.join('; '), faults);
}
