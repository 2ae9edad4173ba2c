import { parseReleaseConfig } from '../../releases/config/parse-release-config';
import { evaluateSnapshot } from '../../gate/decisions/evaluate-snapshot';
import type { FactTarget } from '../../gate/facts/fact';
import { isJsonObject, type JsonObject } from '../../kernel/json';
import { domainsOf } from '../../releases/diff/cases';
import {
  compareReleases,
  isEmptyDiff,
  toDiffDocument,
  type ComparedRelease,
} from '../../releases/diff/compare-releases';
import { readSource } from '../../releases/diff/rules';
import { tryCases, type CasesResult, type TriedDecision } from '../../releases/diff/try-cases';
import { createEvaluator, type Evaluator } from '../../rego/evaluation/evaluator';
import type { Release } from '../../releases/release';
import type { LoadedConfig } from '../../releases/sources/release-source';
import { builtInNames, parseSources } from '../../rego/toolchain/parse-sources';
import { decisionTime } from './evaluate-dry';
import type { CliIo } from '../io';
import { openNamedRelease, type OpenedRelease } from '../../releases/sources/open-named-release';
import { openLoadedSettings } from '../open-settings';
import type { CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { casesDocument, casesLines, diffLines } from './diff-text';

export interface DiffOptions extends CommonOptions {
  configA?: string;
  configB?: string;
  cases?: number;
  seed: number;
  at?: string;
}

/** Prints what differs. @returns whether anything does */
export async function diffReleases(io: CliIo, a: string, b: string, options: DiffOptions): Promise<boolean> {
  const atMs = decisionTime(options.at);
  const settings = await openLoadedSettings(io, options.settings);
  const [sideA, sideB] = await Promise.all([
    openNamedRelease(settings, a, options.configA, io),
    openNamedRelease(settings, b, options.configB, io),
  ]);
  const [comparedA, comparedB] = await Promise.all([toCompared(sideA, sideB.config), toCompared(sideB, sideA.config)]);
  const diff = compareReleases(comparedA, comparedB, await builtInNames());
  const cases =
    options.cases === undefined ? undefined : await runCases(comparedA, comparedB, options, options.cases, atMs);
  const differs = !isEmptyDiff(diff) || (cases?.differing ?? 0) > 0;
  if (options.output === 'json') {
    printJson(io, {
      a: describe(sideA, comparedA),
      b: describe(sideB, comparedB),
      differs,
      ...toDiffDocument(diff),
      ...(cases && { cases: casesDocument(cases, atMs) }),
    });
  } else {
    printLines(io, [
      ...diffLines(diff, comparedA.release.ref.policySha !== comparedB.release.ref.policySha),
      ...(cases ? casesLines(cases, atMs) : []),
    ]);
  }
  return differs;
}

async function toCompared(side: OpenedRelease, ofTheOther: LoadedConfig | undefined): Promise<ComparedRelease> {
  const { config, configDocument, configRev } = side.config ?? ofTheOther ?? defaultConfig();
  const { policy } = side;
  const ref = { policySha: policy.sha, configRev, manifestVersion: side.version ?? '' };
  const source = readSource(await parseSources(policy.sources));
  return { release: { ref, policy, config, configDocument, loadedAtMs: 0 }, source };
}

/** Of neither a file nor a revision. */
function defaultConfig(): LoadedConfig {
  const config = parseReleaseConfig({}, { file: 'defaults' });
  return { config, configDocument: config as unknown as JsonObject, configRev: '' };
}

function describe({ where, version }: OpenedRelease, { release }: ComparedRelease): JsonObject {
  const { policySha, configRev } = release.ref;
  return { release: where, ...(version && { version }), policy_sha: policySha, config_rev: configRev };
}

async function runCases(
  a: ComparedRelease,
  b: ComparedRelease,
  { seed }: DiffOptions,
  count: number,
  atMs: number,
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
