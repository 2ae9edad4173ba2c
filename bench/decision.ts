import { deepStrictEqual } from 'node:assert';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../src/kernel/json';
import { createEvaluator, type Evaluator } from '../src/rego/evaluation/evaluator';
import type { PolicyBundle } from '../src/rego/bundle/policy-bundle';
import { buildPolicy } from '../src/rego/toolchain/build-policy';
import { alternate, median, perSecond, type BenchRow } from './bench-row';
import { benchInThread } from './decision-in-thread';
import { benchFirstOpinion } from './first-opinion';
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
    return [
      ...(await benchInThread(bundle)),
      ...(await benchFirstOpinion(bundle)),
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
