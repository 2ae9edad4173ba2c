import { loadPolicy } from '@open-policy-agent/opa-wasm';
import { evaluateSnapshot } from '../src/gate/decisions/evaluate-snapshot';
import { parseReleaseConfig } from '../src/releases/config/parse-release-config';
import { toPolicyInput } from '../src/gate/decisions/decide';
import type { Snapshot } from '../src/gate/facts/snapshot';
import type { JsonObject, JsonValue } from '../src/kernel/json';
import type { Release } from '../src/releases/release';
import type { PolicyBundle } from '../src/rego/bundle/policy-bundle';
import type { EvaluatePolicy } from '../src/rego/evaluation/evaluate-policy';
import { createPolicyRunner } from '../src/rego/evaluation/policy-runner';
import { toRunnable } from '../src/rego/evaluation/prepare-release';
import { alternate, type BenchRow } from './bench-row';

const ROUNDS = 15;
const DECISIONS = 10_000;
const NOW_MS = 1_767_225_600_000;
const CONFIG: JsonObject = { limits: { maxDelta: 500, maxPending: 2000 } };

const UNWATCHED = { begin: () => undefined, note: () => undefined, end: () => undefined };

/**
 * A decision in the evaluation thread (checks, the plan, the compiled module where the plan allows, sorting, conversion),
 * against opa-wasm's bare `evaluate` of the same wasm and input as an object.
 */
export async function benchInThread(policy: PolicyBundle): Promise<BenchRow[]> {
  const config = parseReleaseConfig({}, { file: 'defaults' });
  const ref = { policySha: policy.sha, configRev: 'bench', manifestVersion: 'bench' };
  const release: Release = { ref, policy, config, configDocument: CONFIG, loadedAtMs: NOW_MS };
  const rows: BenchRow[] = [];
  for (const outcome of ['allow', 'deny'] as const) {
    const snapshot = aSnapshot(release, outcome);
    const bare = await loadPolicy(policy.wasm.slice().buffer as ArrayBuffer);
    bare.setData({ ...policy.data, config: CONFIG });
    const input = toPolicyInput(snapshot);
    const runnable = await toRunnable(policy, CONFIG, { memoryMiB: 64, secondOpinion: 'when-possible' });
    const runner = createPolicyRunner(runnable, UNWATCHED, () => process.hrtime.bigint());
    // without the crossing between threads, which the other rows measure
    const evaluate: EvaluatePolicy = ({ input: asked, decisionTimeMs }) => {
      const result = runner.run(1, JSON.stringify(asked), decisionTimeMs);
      if ('failure' in result) throw new Error(result.failure.message);
      return Promise.resolve({ response: result.response, account: result.account, evalDurationNs: 1 });
    };
    const decision = await evaluateSnapshot({ release, snapshot, evaluate });
    if (decision.outcome !== outcome) throw new Error(`Expected ${outcome}, found ${JSON.stringify(decision)}`);
    const measured = await alternate(
      ROUNDS,
      () => microseconds(() => evaluateSnapshot({ release, snapshot, evaluate })),
      () => microseconds(() => bare.evaluate(input, policy.entrypoint)),
    );
    rows.push({
      name: `In the thread: a decision to ${outcome}, both opinions`,
      baseline: 'bare opa-wasm evaluate',
      ...measured,
      target: '<= 2.2',
      met: measured.ratio <= 2.2,
      unit: 'µs',
    });
  }
  return rows;
}

/** Five facts, of which the policy reads three. */
function aSnapshot(release: Release, outcome: 'allow' | 'deny'): Snapshot {
  const values: Record<string, JsonValue> = {
    devices_online: 51_200,
    error_rate: 0.002,
    max_pending: outcome === 'allow' ? 480 : 3100,
    pending_delta: 12,
    region_health: { eu: { status: 'green' }, us: { status: 'green' }, ap: { status: 'green' } },
  };
  return {
    decisionId: 'bench',
    decisionTimeMs: NOW_MS,
    target: { deploymentId: 'bench', stage: 'canary', stageIndex: 0, attributes: {}, stageAttributes: {} },
    release: release.ref,
    facts: Object.entries(values).map(([id, value]) => ({
      id,
      value,
      observedAtMs: NOW_MS - 1000,
      collectedAtMs: NOW_MS - 500,
      source: 'bench',
    })),
    maxAgeMs: Object.fromEntries(Object.keys(values).map((id) => [id, 45_000])),
  };
}

/**
 * The mean of one round, since a single decision is too short for the clock; in processor time, the collector's included,
 * which other processes do not stretch.
 */
async function microseconds(decide: () => unknown): Promise<number> {
  const from = process.cpuUsage();
  for (let call = 0; call < DECISIONS; call++) await decide();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / DECISIONS;
}
