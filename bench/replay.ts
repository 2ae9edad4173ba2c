import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPolicy } from '@open-policy-agent/opa-wasm';
import { parseReleaseConfig } from '../src/releases/config/parse-release-config';
import { evaluateSnapshot } from '../src/gate/decisions/evaluate-snapshot';
import { toPolicyInput } from '../src/gate/decisions/decide';
import { decisionRecord } from '../src/gate/decisions/to-audit-record';
import type { Snapshot } from '../src/gate/facts/snapshot';
import type { JsonObject } from '../src/kernel/json';
import { createEvaluator } from '../src/rego/evaluation/evaluator';
import type { Release } from '../src/releases/release';
import { buildPolicy } from '../src/rego/toolchain/build-policy';
import { readPieces } from '../src/replay/sources/read-pieces';
import { replayInThreads } from '../src/replay/threads/replay-in-threads';
import { alternate, type BenchRow } from './bench-row';

/** How the ids of all decisions begin. */
const ID = '00000000-0000';
const RECORDS = 50_000;
/** The export holds each of them so often: starting threads is not what is measured. */
const REPEATS = 4;
const LINES = RECORDS * REPEATS;
const ROUNDS = 5;
const NOW_MS = 1_767_225_600_000;

/** An export on disk put to the release that made it, against the package's evaluation of the same inputs and nothing else. */
export async function benchReplay(): Promise<BenchRow[]> {
  const { bundle: policy } = await buildPolicy(join(__dirname, '../policy'));
  const provider = { type: 'levelServer', base: 'http://levels' };
  const facts = { pending_delta: provider, max_pending: provider, region_health: provider };
  const config = parseReleaseConfig({ limits: { maxDelta: 500, maxPending: 2000 }, facts }, { file: 'bench' });
  const ref = { policySha: policy.sha, configRev: 'bench', manifestVersion: 'bench' };
  const configDocument = config as unknown as JsonObject;
  const release: Release = { ref, policy, config, configDocument, loadedAtMs: 0 };
  const evaluator = createEvaluator({ threads: 1 });
  const folder = await mkdtemp(join(tmpdir(), 'bench-replay-'));
  try {
    const snapshots = Array.from({ length: RECORDS }, (_value, index) => snapshotOf(index, release));
    const file = join(folder, 'export.jsonl');
    const lines: string[] = [];
    for (const snapshot of snapshots) {
      const decision = await evaluateSnapshot({
        release,
        snapshot,
        evaluate: (request) => evaluator.evaluate(request),
      });
      const record = decisionRecord(snapshot, decision, {
        workflowId: `deployment/${snapshot.decisionId}`,
        runId: 'run',
      });
      // As a worker of this release writes it: it names the process that evaluated.
      const evaluation = record.evaluation && { ...record.evaluation, instance: 'bench' };
      lines.push(JSON.stringify({ ...record, evaluation }));
    }
    // A record is there once: each repetition has ids of its own.
    const text = `${lines.join('\n')}\n`;
    const repeated = Array.from({ length: REPEATS }, (_each, at) => text.replaceAll(ID, `${ID.slice(0, -1)}${at}`));
    await writeFile(file, repeated.join(''));
    const inputs = snapshots.map((snapshot) => toPolicyInput(snapshot));
    const bare = await loadPolicy(policy.wasm);
    bare.setData({ config: configDocument });
    const ours = async (): Promise<number> => {
      const startMs = performance.now();
      const report = await replayInThreads(readPieces(file, 'export'), {
        candidate: { release, configFacts: {} },
        filter: {},
        maxRows: 10,
        threads: availableParallelism(),
      });
      if (report.counts.same !== LINES) throw new Error(`Expected ${LINES} the same, got ${report.counts.same}`);
      return (LINES / (performance.now() - startMs)) * 1_000;
    };
    const base = async (): Promise<number> => {
      const startMs = performance.now();
      for (let repeat = 0; repeat < REPEATS; repeat++) for (const input of inputs) bare.evaluate(input);
      return (LINES / (performance.now() - startMs)) * 1_000;
    };
    await ours();
    await base();
    const speed = await alternate(ROUNDS, ours, base);
    return [
      {
        name: `Replay of ${LINES} decisions from an export`,
        baseline: 'bare opa-wasm evaluate',
        ...speed,
        target: '>= 0.5',
        met: speed.ratio >= 0.5,
        unit: '/s',
      },
    ];
  } finally {
    await Promise.all([evaluator.close(), rm(folder, { recursive: true, force: true })]);
  }
}

/** Half are allowed; no two are alike. */
function snapshotOf(index: number, { ref }: Release): Snapshot {
  const values = {
    max_pending: index % 4_000,
    pending_delta: index % 250,
    region_health: { eu: { status: 'green' }, us: { status: 'green' }, ap: { status: 'green' } },
  };
  return {
    decisionId: `${ID}-4000-8000-${String(index).padStart(12, '0')}`,
    decisionTimeMs: NOW_MS + index,
    target: {
      deploymentId: 'firmware-1.4.0',
      stage: 'prod',
      stageIndex: 1,
      attributes: { risk: 'low' },
      stageAttributes: {},
    },
    release: ref,
    facts: Object.entries(values).map(([id, value]) => ({
      id,
      value,
      observedAtMs: NOW_MS + index - 1_000,
      collectedAtMs: NOW_MS + index,
      source: 'levelServer http://levels',
    })),
    maxAgeMs: { max_pending: 45_000, pending_delta: 45_000, region_health: 45_000 },
  };
}
