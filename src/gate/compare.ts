import { evaluateSnapshot } from './decisions/evaluate-snapshot';
import type { FactTarget } from './facts/fact';
import { allReadOrFaults } from '../kernel/all-or-faults';
import { isJsonObject, type JsonObject } from '../kernel/json';
import { createEvaluator, type Evaluator } from '../rego/evaluation/evaluator';
import { builtInNames, parseSources } from '../rego/toolchain/parse-sources';
import { domainsOf } from '../releases/diff/cases';
import {
  compareReleases,
  isEmptyDiff,
  type ComparedRelease,
  type ReleaseDiff,
} from '../releases/diff/compare-releases';
import { readSource } from '../releases/diff/rules';
import { tryCases, type CasesResult, type TriedDecision } from '../releases/diff/try-cases';
import type { Release } from '../releases/release';
import type { ReleaseRef } from '../releases/release-ref';
import { defaultConfig } from '../releases/sources/load-release-config';
import { openNamedRelease, type OpenedRelease, type Surroundings } from '../releases/sources/open-named-release';
import type { LoadedConfig } from '../releases/sources/release-source';
import type { LoadedSettings } from '../settings/load-settings';

/** One of two releases that are compared. */
export interface ReleaseName {
  /** a manifest (its name ends in .json), a policy folder or a bundle; a path, file:// or s3:// */
  where: string;
  /** file of a release configuration, in place of that of the manifest */
  config?: string;
}

/** Two releases, and how they are compared. */
export interface CompareRequest extends Surroundings {
  /** say how S3 is reached, and which key a manifest's bundle is verified with */
  settings: LoadedSettings;
  /** the release before */
  a: ReleaseName;
  /** the release after */
  b: ReleaseName;
  /** decide generated inputs under both, around every limit; absent, only the texts are compared */
  cases?: CaseOptions;
}

/** Which inputs are generated, and when they are decided. */
export interface CaseOptions {
  /** how many at most */
  count: number;
  /** which pairs of values are tried when not all are */
  seed: number;
  /** decision time of the inputs, in epoch milliseconds */
  atMs: number;
}

/** What two releases have different. */
export interface Comparison {
  /** the release before */
  a: ComparedSide;
  /** the release after */
  b: ComparedSide;
  /** whether anything does: a rule, a limit, a fact, or the decision about an input */
  differs: boolean;
  /** what differs in the texts */
  diff: ReleaseDiff;
  /** where cases were asked for */
  cases?: CasesResult;
}

/** A release as it was compared. */
export interface ComparedSide {
  /** the name, as given */
  where: string;
  /** of a manifest */
  version?: string;
  /** its digests */
  ref: ReleaseRef;
}

/**
 * Compares two releases: rules, limits and facts, and where it is asked for, what they decide about generated inputs. A
 * policy without a configuration takes the other's, or the defaults. Layout and comments are no difference.
 *
 * @throws GateError with every fault of what cannot be read
 */
export async function compare({ settings, a, b, cases: wanted, ...where }: CompareRequest): Promise<Comparison> {
  const [sideA, sideB] = await allReadOrFaults(
    openNamedRelease(settings, a.where, a.config, where),
    openNamedRelease(settings, b.where, b.config, where),
  );
  const [comparedA, comparedB] = await Promise.all([toCompared(sideA, sideB.config), toCompared(sideB, sideA.config)]);
  const diff = compareReleases(comparedA, comparedB, await builtInNames());
  const cases = wanted === undefined ? undefined : await runCases(comparedA, comparedB, wanted);
  return {
    a: describe(sideA, comparedA),
    b: describe(sideB, comparedB),
    differs: !isEmptyDiff(diff) || (cases?.differing ?? 0) > 0,
    diff,
    ...(cases && { cases }),
  };
}

async function toCompared(side: OpenedRelease, ofTheOther: LoadedConfig | undefined): Promise<ComparedRelease> {
  const { config, configDocument, configRev } = side.config ?? ofTheOther ?? defaultConfig();
  const { policy } = side;
  const ref = { policySha: policy.sha, configRev, manifestVersion: side.version ?? '' };
  const source = readSource(await parseSources(policy.sources));
  return { release: { ref, policy, config, configDocument, loadedAtMs: 0 }, source };
}

function describe({ where, version }: OpenedRelease, { release }: ComparedRelease): ComparedSide {
  return { where, ...(version && { version }), ref: release.ref };
}

async function runCases(
  a: ComparedRelease,
  b: ComparedRelease,
  { seed, count, atMs }: CaseOptions,
): Promise<CasesResult> {
  const evaluator = createEvaluator({ threads: 1, spares: 0 });
  try {
    return await tryCases({
      a: a.release,
      b: b.release,
      domains: domainsOf([a, b]),
      count,
      seed,
      decide: (release, input) => decide(evaluator, release, input, atMs),
    });
  } finally {
    await evaluator.close();
  }
}

/** As a worker decides: only what the release reads is collected for it. */
async function decide(
  evaluator: Evaluator,
  release: Release,
  { deployment, ...values }: JsonObject,
  decisionTimeMs: number,
): Promise<TriedDecision> {
  const given = isJsonObject(deployment) ? deployment : {};
  const objectOf = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});
  const target: FactTarget = {
    deploymentId: 'diff',
    stage: 'diff',
    stageIndex: 0,
    attributes: objectOf(given.attributes),
    stageAttributes: objectOf(given.stage_attributes),
  };
  const facts = release.policy.reads.facts
    .filter((id) => Object.hasOwn(values, id))
    .map((id) => ({
      id,
      value: values[id]!,
      observedAtMs: decisionTimeMs,
      collectedAtMs: decisionTimeMs,
      source: 'generated',
    }));
  const snapshot = { decisionId: 'diff', decisionTimeMs, target, release: release.ref, facts, maxAgeMs: {} };
  return evaluateSnapshot({ release, snapshot, evaluate: (request) => evaluator.evaluate(request) });
}
