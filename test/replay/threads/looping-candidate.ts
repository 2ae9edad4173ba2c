import { parseReleaseConfig } from '../../../src/releases/config/parse-release-config';
import type { JsonObject } from '../../../src/kernel/json';
import type { Candidate } from '../../../src/replay/rebuild-snapshot';
import { aRecord } from '../../audit/a-record';
import { buildWasm } from '../../support/build-policy';

/** Denies above the limit; loops, or eats memory, when the fact `do` says so. */
const SOURCE = `
package gate

response := {"allow": count(deny_reasons) == 0, "deny_reasons": deny_reasons} if {
	not loops
	not hungry
}

deny_reasons contains sprintf("n over: %v", [input.n]) if input.n > data.config.limits.max

# sets: walking through them and comparing take no memory, so that it is time that runs out
members := {n | some n in numbers.range(1, 2000)}
numbers_up := numbers.range(1, 5000)

loops if {
	input["do"] == "loop"
	some _ in members
	some _ in members
	some c in members
	c == input["do"]
}

hungry if {
	input["do"] == "eat"
	count([x | some a in numbers_up; some b in numbers_up; x := sprintf("%d-%d-%s", [a, b, "mmmmmmmmmmmmmmmmmmmmm"])]) < 0
}
`;

let wasm: Promise<Uint8Array> | undefined;

export async function loopingCandidate(evaluation: JsonObject = {}): Promise<Candidate> {
  wasm ??= buildWasm(SOURCE, 'gate/response');
  const config = parseReleaseConfig({ limits: { max: 10 }, facts: {}, evaluation }, { file: 'c' });
  const policy = {
    sha: 'e'.repeat(64),
    wasm: await wasm,
    data: {},
    inputSchema: { type: 'object', properties: { do: { type: 'string' }, n: { type: 'integer' } } },
    reads: { facts: ['do', 'n'], inputPaths: [], configPaths: [], collections: [], wholeInput: false },
    entrypoint: 'gate/response',
    sources: {},
  };
  const ref = { policySha: policy.sha, configRev: 'c1', manifestVersion: 'v1' };
  return {
    release: { ref, policy, config, configDocument: config as unknown as JsonObject, loadedAtMs: 0 },
    configFacts: {},
  };
}

/** A line of an export: an allow of `n`. */
export function lineOf(n: number, what = 'answer'): string {
  const at = '2026-11-01T12:00:00.000Z';
  const usedFacts = Object.entries({ n, do: what }).map(([id, value]) => ({
    id,
    value,
    observedAt: at,
    collectedAt: at,
    source: 'test',
  }));
  const deployment = { id: 'd', stage: 's', stage_index: 0, attributes: {}, stage_attributes: {} };
  return JSON.stringify(
    aRecord({
      decisionID: `n-${n}`,
      deploymentID: 'd',
      stage: 's',
      workflowID: undefined,
      timestamp: at,
      outcome: 'allow',
      reasons: [],
      usedFacts,
      deployment,
    }),
  );
}
