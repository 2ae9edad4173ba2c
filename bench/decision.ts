import { deepStrictEqual } from 'node:assert';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPolicy } from '@open-policy-agent/opa-wasm';
import type { JsonObject } from '../src/kernel/json';
import { createEvaluator, type Evaluator } from '../src/rego/evaluation/evaluator';
import type { PolicyBundle } from '../src/rego/bundle/policy-bundle';
import { buildPolicy } from '../src/rego/toolchain/build-policy';
import { parseReleaseConfig } from '../src/releases/config/parse-release-config';
import { evaluateSnapshot } from '../src/gate/decisions/evaluate-snapshot';
import type { Snapshot } from '../src/gate/facts/snapshot';
import { loadWasmPolicy } from '../src/rego/wasm-policy';
import { alternate, median, perSecond, type BenchRow } from './bench-row';
import { benchInThread } from './decision-in-thread';
import { startOpaServer } from './opa-server';

const POLICY = join(__dirname, '../policy');
const ROUNDS = 11;
const CALLS = 500;
const CALLERS = 16;

const CONFIG: JsonObject = { limits: { maxDelta: 100, maxPending: 500 } };
const INPUT: JsonObject = {
  pending_delta: 12,
  max_pending: 480,
  region_health: { eu: { status: 'green' }, us: { status: 'green' }, ap: { status: 'red' } },
};

/** The project's policy, in the thread against bare opa-wasm, and through the isolation against `opa run --server` with the same policy, data and input. */
export async function benchDecision(): Promise<BenchRow[]> {
  const { bundle } = await buildPolicy(POLICY);
  const dir = await mkdtemp(join(tmpdir(), 'bench-decision-'));
  const data = join(dir, 'data.json');
  await writeFile(data, JSON.stringify({ config: CONFIG }));
  const server = await startOpaServer([join(POLICY, 'gate.rego'), data], '/v1/data/gate/response');
  const evaluator = createEvaluator({ threads: 1 });
  const ask = () => askOf(evaluator, bundle);
  const askServer = async () => JSON.parse(await server.post(JSON.stringify({ input: INPUT }))) as { result: unknown };
  try {
    const [answer, expected] = [(await ask()).response, (await askServer()).result];
    deepStrictEqual(answer, expected, 'ours and the server must answer alike');
    // Both sides compile what runs often; neither should do so while it is measured.
    const rate = (one: () => Promise<unknown>) => perSecond(CALLS * 4, CALLERS, one);
    for (const one of [ask, askServer]) await rate(one);
    const lone = await alternate(
      ROUNDS,
      () => loneMicroseconds(ask),
      () => loneMicroseconds(askServer),
    );
    const many = await alternate(
      ROUNDS,
      () => rate(ask),
      () => rate(askServer),
    );
    const inThread = await decisionWithoutCrossing(bundle);
    return [
      ...(await benchInThread(bundle)),
      {
        name: 'A decision within the thread, all checks included',
        baseline: 'bare opa-wasm evaluate',
        ...inThread,
        target: '<= 1.5',
        met: inThread.ratio <= 1.5,
        unit: 'µs',
      },
      {
        name: 'A decision by one caller',
        baseline: 'opa run --server',
        ...lone,
        target: '<= 0.5',
        met: lone.ratio <= 0.5,
        unit: 'µs',
      },
      {
        name: `Decisions by ${CALLERS} callers`,
        baseline: 'opa run --server',
        ...many,
        target: '>= 6',
        met: many.ratio >= 6,
        unit: '/s',
      },
    ];
  } finally {
    await Promise.all([evaluator.close(), server.close(), rm(dir, { recursive: true })]);
  }
}

function askOf(evaluator: Evaluator, policy: PolicyBundle) {
  return evaluator.evaluate({
    policy,
    configDocument: CONFIG,
    input: INPUT,
    decisionTimeMs: 1_767_225_600_000,
  });
}

/**
 * Conversion, checks, evaluation, sorting and shape check of a snapshot with five facts, three of which the policy reads,
 * against the package's own evaluation of the same input: both synchronous but for our one promise, both on this thread.
 */
async function decisionWithoutCrossing(policy: PolicyBundle) {
  const facts = { ...INPUT, fleet_size: 12_000, open_incidents: 0 };
  const nowMs = 1_767_225_600_000;
  const snapshot: Snapshot = {
    decisionId: 'bench',
    decisionTimeMs: nowMs,
    target: { deploymentId: 'bench', stage: 'only', stageIndex: 0, attributes: {}, stageAttributes: {} },
    release: { policySha: policy.sha, configRev: 'bench', manifestVersion: 'bench' },
    facts: Object.entries(facts).map(([id, value]) => ({
      id,
      value,
      observedAtMs: nowMs - 1_000,
      collectedAtMs: nowMs,
      source: 'bench',
    })),
    maxAgeMs: Object.fromEntries(Object.keys(facts).map((id) => [id, 45_000])),
  };
  const config = parseReleaseConfig(CONFIG, { file: 'bench' });
  const configDocument = config as unknown as JsonObject;
  const release = { ref: snapshot.release, policy, config, configDocument, loadedAtMs: 0 };
  const ours = await loadWasmPolicy(await WebAssembly.compile(policy.wasm), { memoryMiB: 64 });
  const bare = await loadPolicy(policy.wasm);
  ours.setData(JSON.stringify({ config: configDocument }));
  bare.setData({ config: configDocument });
  const evaluate = async ({ input }: { input: JsonObject }) => {
    const response = ours.evaluate(policy.entrypoint, JSON.stringify(input), BigInt(nowMs) * 1_000_000n);
    return { response, evalDurationNs: 1 };
  };
  const decide = () => evaluateSnapshot({ release, snapshot, evaluate });
  const input = { ...facts, deployment: { id: 'bench', stage: 'only' }, decision_time: '2026-01-01T00:00:00.000Z' };
  const bareEvaluate = async () => bare.evaluate(input, policy.entrypoint);
  const { outcome } = await decide();
  if (outcome !== 'deny') throw new Error(`Expected the input to be denied, found ${outcome}`);
  for (const one of [decide, bareEvaluate]) await batchMicroseconds(one);
  return alternate(
    ROUNDS,
    () => batchMicroseconds(decide),
    () => batchMicroseconds(bareEvaluate),
  );
}

/** The mean over many calls: one of them is close to what the clock can tell apart. */
async function batchMicroseconds(ask: () => Promise<unknown>): Promise<number> {
  const from = process.hrtime.bigint();
  for (let call = 0; call < CALLS * 10; call++) await ask();
  return Number(process.hrtime.bigint() - from) / 1e3 / (CALLS * 10);
}

/** The median time of one call after another. */
async function loneMicroseconds(ask: () => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let call = 0; call < CALLS; call++) {
    const from = process.hrtime.bigint();
    await ask();
    took.push(Number(process.hrtime.bigint() - from) / 1e3);
  }
  return median(took);
}
