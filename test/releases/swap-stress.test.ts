import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { parseReleaseConfig } from '../../src/releases/config/parse-release-config';
import { evaluateSnapshot } from '../../src/gate/decisions/evaluate-snapshot';
import type { Snapshot } from '../../src/gate/facts/snapshot';
import type { JsonObject } from '../../src/kernel/json';
import { createEvaluator, type Evaluator } from '../../src/rego/evaluation/evaluator';
import { createReleaseHolder } from '../../src/releases/release-holder';
import type { PolicyBundle } from '../../src/rego/bundle/policy-bundle';
import { smokeRelease } from '../../src/releases/smoke-release';
import type { LoadedConfig, NamedRelease } from '../../src/releases/sources/release-source';
import { buildWasm } from '../support/build-policy';
import { systemTimers } from '../../src/platform/timers/system-timers';

/** The answer tells the bundle that it comes from, by its own data, and the configuration, by its limit. */
const SOURCE = `package gate

response := {"allow": false, "deny_reasons": [sprintf("policy %d, limit %d", [data.own.number, data.config.limits.max])]}
`;
const POLICIES = 7;
const CONFIGS = 11;
/** Each pair of a policy and a configuration comes into force this many times. */
const ROUNDS = 13;
/** More than there are threads, so that some evaluations are under way, and others wait, whenever the release is swapped. */
const ASKERS = 12;

let evaluator: Evaluator;
let policies: PolicyBundle[];

beforeAll(async () => {
  const wasm = await buildWasm(SOURCE, 'gate/response');
  policies = Array.from({ length: POLICIES }, (_, number) => ({
    sha: `p${number}`,
    wasm,
    data: { own: { number } },
    inputSchema: { type: 'object', additionalProperties: false },
    reads: { facts: [], inputPaths: [], configPaths: [['limits', 'max']], collections: [], wholeInput: false },
    entrypoint: 'gate/response',
    sources: {},
  }));
  evaluator = createEvaluator({ threads: 2, deadlineMs: 600_000, memoryMiB: 16 });
});
afterAll(() => evaluator?.close());

function configOf(number: number): LoadedConfig {
  const config = parseReleaseConfig(
    { limits: { max: number }, evaluation: { memoryMiB: 16, deadline: '10m' } },
    { file: 'c' },
  );
  return { config, configDocument: config as unknown as JsonObject, configRev: `c${number}` };
}

describe('evaluations while releases are swapped a thousand times', () => {
  it('every evaluation comes from exactly the release that it names: its policy, and its limits', async () => {
    let swap = 0;
    const named = (): NamedRelease => {
      const [policy, config] = [swap % POLICIES, swap % CONFIGS];
      return {
        manifest: { policy: 'p', config: 'c', version: `v${swap}` },
        fingerprint: String(swap),
        loadPolicy: async () => policies[policy]!,
        loadConfig: async () => configOf(config),
      };
    };
    const holder = createReleaseHolder({
      timers: systemTimers,
      read: async () => named(),
      where: 'memory',
      check: async () => [],
      smoke: (release) => smokeRelease(release, (request) => evaluator.evaluate(request)),
      nowMs: () => Date.now(),
    });
    await holder.refresh();

    let isOver = false;
    const wrong: string[] = [];
    const releasesSeen = new Set<string>();
    let decided: (version: string) => void = () => undefined;
    /** Resolves when a decision under this release is there. */
    const decision = (version: string): Promise<void> =>
      new Promise((resolve) => {
        decided = (of) => of === version && resolve();
      });
    const ask = async (): Promise<void> => {
      while (!isOver) {
        const { ref } = holder.current();
        const snapshot: Snapshot = {
          decisionId: 'd',
          decisionTimeMs: 1_000,
          target: { deploymentId: 'd', stage: 's', stageIndex: 0, attributes: {}, stageAttributes: {} },
          release: ref,
          facts: [],
          maxAgeMs: {},
        };
        // As between collecting and evaluating: by now another release may be in force.
        await turn();
        const release = holder.find(snapshot.release);
        if (release === undefined) continue;
        const answer = await evaluateSnapshot({
          release,
          snapshot,
          evaluate: (request) => evaluator.evaluate(request),
        });
        const expected = `policy ${ref.policySha.slice(1)}, limit ${ref.configRev.slice(1)}`;
        if (answer.outcome !== 'deny' || answer.denyReasons.join() !== expected) {
          wrong.push(`${ref.manifestVersion}: expected ${expected}, got ${JSON.stringify(answer)}`);
        }
        releasesSeen.add(`${ref.policySha} ${ref.configRev}`);
        decided(ref.manifestVersion);
      }
    };
    const asking = Array.from({ length: ASKERS }, ask);
    while (++swap <= POLICIES * CONFIGS * ROUNDS) {
      const release = await holder.refresh();
      if (release.ref.manifestVersion !== `v${swap}`) wrong.push(`v${swap} did not come into force`);
      await decision(release.ref.manifestVersion);
    }
    isOver = true;
    await Promise.all(asking);

    expect(wrong.slice(0, 5)).toEqual([]);
    expect(releasesSeen.size).toBe(POLICIES * CONFIGS);
  });
});
