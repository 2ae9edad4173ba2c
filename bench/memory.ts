import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createEvaluator } from '../src/rego/evaluation/evaluator';
import { buildPolicy } from '../src/rego/toolchain/build-policy';
import { median, perSecond, type BenchRow } from './bench-row';

const EVALUATIONS = 1_000_000;
const READINGS = 100;
const CALLERS = 16;
const MOST_GROWTH = 1.1;
/** V8 makes its young generation larger when it sees fit, by tens of MiB: of one size, what grows is ours. */
const FIXED_YOUNG_GENERATION = ['--min-semi-space-size=8', '--max-semi-space-size=8'];

/** What many evaluations leave behind, in a process of their own: its whole resident memory, threads and wasm included. */
export async function benchMemory(): Promise<BenchRow[]> {
  const hook = ['-r', join(__dirname, 'built-package.cjs')];
  const { stdout } = await promisify(execFile)(process.execPath, [...FIXED_YOUNG_GENERATION, ...hook, __filename]);
  const readings = JSON.parse(stdout) as number[];
  // The median of a tenth evens out the collector's swings.
  const [base, ours] = [median(readings.slice(0, READINGS / 10)), median(readings.slice(-READINGS / 10))];
  return [
    {
      name: `Memory after ${EVALUATIONS} evaluations`,
      baseline: 'after the first tenth',
      ours,
      base,
      ratio: ours / base,
      target: `<= ${MOST_GROWTH}`,
      met: ours / base <= MOST_GROWTH,
      unit: 'MiB',
    },
  ];
}

/** MiB, read at equal distances. */
async function evaluateAndRead(): Promise<number[]> {
  const { bundle: policy } = await buildPolicy(join(__dirname, '../policy'));
  const evaluator = createEvaluator({ threads: 1 });
  const request = {
    policy,
    configDocument: { limits: { maxDelta: 100, maxPending: 500 } },
    input: { pending_delta: 12, max_pending: 480, region_health: { eu: { status: 'green' }, ap: { status: 'red' } } },
    decisionTimeMs: 1_767_225_600_000,
  };
  const readings: number[] = [];
  try {
    for (let reading = 0; reading < READINGS; reading++) {
      await perSecond(EVALUATIONS / READINGS, CALLERS, () => evaluator.evaluate(request));
      readings.push(process.memoryUsage().rss / 2 ** 20);
    }
  } finally {
    await evaluator.close();
  }
  return readings;
}

if (require.main === module) {
  void evaluateAndRead().then((readings) => process.stdout.write(JSON.stringify(readings)));
}
