import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildPolicy } from '../src/rego/toolchain/build-policy';
import { alternate, type BenchRow } from './bench-row';

const ROOT = resolve(__dirname, '..');
const ROUNDS = 15;
const LEAST_TARGET = 3;

/** Loads the wasm and evaluates once with the bare package: what cannot be saved. */
const BARE = `
const { readFileSync } = require('node:fs');
const { loadPolicy } = require('@open-policy-agent/opa-wasm');
loadPolicy(readFileSync(process.argv[1])).then((policy) => {
  policy.setData({ config: JSON.parse(process.argv[2]) });
  console.log(JSON.stringify(policy.evaluate(JSON.parse(process.argv[3]), 'gate/response')));
});`;

const LIMITS = { limits: { maxDelta: 100, maxPending: 500 } };
const FACTS = { pending_delta: 12, max_pending: 480, region_health: { eu: { status: 'green' } } };

/** `gate evaluate` of a built bundle as a process, against a process that only loads and evaluates the same wasm. */
export async function benchColdStart(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-cold-'));
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  try {
    const { bundle, bytes } = await buildPolicy(join(ROOT, 'policy'));
    const bare = ['-e', BARE, file('policy.wasm', bundle.wasm), JSON.stringify(LIMITS), JSON.stringify(FACTS)];
    const gate = [
      join(ROOT, 'dist/cli/main.js'),
      ...['evaluate', '--policy', file('bundle.tar.gz', bytes)],
      ...[
        '--config',
        file('release.json', JSON.stringify(LIMITS)),
        '--facts',
        file('facts.json', JSON.stringify(FACTS)),
      ],
    ];
    const ours = async (): Promise<number> => milliseconds(gate);
    const base = async (): Promise<number> => milliseconds(bare);
    // The files are in the system's cache from here on.
    for (const warm of [ours, base]) await warm();
    const found = await alternate(ROUNDS, ours, base);
    return [
      {
        name: 'gate evaluate of a bundle, cold start to exit',
        baseline: 'node with the wasm load alone',
        ...found,
        target: `< ${LEAST_TARGET}`,
        met: found.ratio < LEAST_TARGET,
        unit: 'ms',
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function milliseconds(args: readonly string[]): number {
  const from = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  const took = Number(process.hrtime.bigint() - from) / 1e6;
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
  return took;
}
