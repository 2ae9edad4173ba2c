import type { JsonObject } from '../../../src/kernel/json';
import type { EvaluationRequest } from '../../../src/rego/evaluation/evaluator';
import type { PolicyBundle } from '../../../src/rego/bundle/policy-bundle';
import { buildWasm } from '../../support/build-policy';

/** A policy that does as its input says: answer, loop, eat memory or contradict itself. */
const SOURCE = `
package gate

response := {"allow": allow, "deny_reasons": deny_reasons, "now": time.now_ns(), "limit": data.config.limit, "own": data.own} if {
	not loops
	not hungry
	not contradicts
	not input.silent
}

default allow := false
allow if count(deny_reasons) == 0
deny_reasons contains sprintf("over: %v", [input.n]) if input.n > data.config.limit

numbers_up := numbers.range(1, 5000)
# sets: walking through them and comparing take no memory, so that it is time that runs out
members := {n | some n in numbers.range(1, 2000)}
loops if {
	input.loop
	some _ in members
	some _ in members
	some c in members
	c == input.loop
}
hungry if {
	input.eat
	count([x | some a in numbers_up; some b in numbers_up; x := sprintf("%d-%d-%s", [a, b, "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"])]) < 0
}
contradicts if tie == 1
tie := 1 if input.tie
tie := 2 if input.tie
`;

export const DECISION_TIME_MS = 1_767_323_045_006;

export async function buildTrialPolicy(): Promise<PolicyBundle> {
  return aBundle(await buildWasm(SOURCE, 'gate/response'));
}

export function aBundle(wasm: Uint8Array): PolicyBundle {
  return {
    sha: 'f'.repeat(64),
    wasm,
    data: { own: 'data of the bundle' },
    inputSchema: {},
    reads: { facts: [], inputPaths: [], configPaths: [], collections: [], wholeInput: false },
    entrypoint: 'gate/response',
    sources: {},
  };
}

export const CONFIG: JsonObject = { limit: 10 };

export function aRequest(
  policy: PolicyBundle,
  input: JsonObject,
  more: Partial<EvaluationRequest> = {},
): EvaluationRequest {
  return { policy, configDocument: CONFIG, input, decisionTimeMs: DECISION_TIME_MS, ...more };
}
