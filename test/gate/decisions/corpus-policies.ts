import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Decision } from '../../../src/gate/decisions/decision';
import { evaluateSnapshot } from '../../../src/gate/decisions/evaluate-snapshot';
import { isJsonObject, type JsonObject } from '../../../src/kernel/json';
import { loadReleaseConfig } from '../../../src/releases/sources/load-release-config';
import type { Release } from '../../../src/releases/release';
import type { PolicyBundle } from '../../../src/rego/bundle/policy-bundle';
import type { EvaluatePolicy } from '../../../src/rego/evaluation/evaluate-policy';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { evaluateHere } from '../../rego/evaluation/evaluate-here';
import { aFact, aSnapshot, DECISION_TIME_MS } from './a-snapshot';

const CORPUS = join(__dirname, '../../fixtures/corpus');

/** All that a decision is made from. */
export interface World {
  release: Release;
  /** facts, `deployment` and `decision_time`, as a policy sees them */
  input: JsonObject;
}

export interface CorpusSample extends World {
  /** `canary-health/allow-calm.json` */
  name: string;
  wanted: 'allow' | 'deny';
}

/** Every sample of the policies in test/fixtures/corpus, with the release that they make. */
export async function corpusSamples(): Promise<CorpusSample[]> {
  const names = (await readdir(CORPUS)).sort();
  return (await Promise.all(names.map(samplesOf))).flat();
}

async function samplesOf(policyName: string): Promise<CorpusSample[]> {
  const dir = join(CORPUS, policyName);
  const [{ bundle }, { config, configDocument, configRev }] = await Promise.all([
    buildPolicy(dir),
    loadReleaseConfig(join(dir, 'config.json')),
  ]);
  const ref = { policySha: bundle.sha, configRev, manifestVersion: '1' };
  const release = { ref, policy: bundle, config, configDocument, loadedAtMs: 0 };
  const files = (await readdir(join(dir, 'samples'))).sort();
  return Promise.all(
    files.map(async (file) => ({
      name: `${policyName}/${file}`,
      release,
      input: wholeInput(JSON.parse(await readFile(join(dir, 'samples', file), 'utf8')) as JsonObject),
      wanted: file.startsWith('allow-') ? ('allow' as const) : ('deny' as const),
    })),
  );
}

function wholeInput(sample: JsonObject): JsonObject {
  const given = isJsonObject(sample.deployment) ? sample.deployment : {};
  return {
    ...sample,
    decision_time: sample.decision_time ?? new Date(DECISION_TIME_MS).toISOString(),
    deployment: { id: 'd1', stage: 'canary', stage_index: 0, attributes: {}, stage_attributes: {}, ...given },
  };
}

const evaluators = new WeakMap<PolicyBundle, Promise<EvaluatePolicy>>();

function evaluatorOf(policy: PolicyBundle): Promise<EvaluatePolicy> {
  const made = evaluators.get(policy) ?? evaluateHere(policy);
  evaluators.set(policy, made);
  return made;
}

/** Decides as production does: the facts are checked, both evaluators asked. */
export async function decideIn({ release, input }: World): Promise<Decision> {
  const { deployment, decision_time: time, ...facts } = input;
  const { stage, attributes } = deployment as { stage: string; attributes: JsonObject };
  const snapshot = aSnapshot(
    Object.entries(facts).map(([id, value]) => aFact(id, value)),
    {
      decisionTimeMs: Date.parse(time as string),
      target: { deploymentId: 'd1', stage, stageIndex: 0, attributes, stageAttributes: {} },
    },
  );
  const observedAtMs = snapshot.decisionTimeMs;
  return evaluateSnapshot({
    release,
    snapshot: { ...snapshot, facts: snapshot.facts.map((fact) => ({ ...fact, observedAtMs })) },
    evaluate: await evaluatorOf(release.policy),
  });
}
