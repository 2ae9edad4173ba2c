import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadImagePolicies } from '../src/images/sources/load-image-policies';
import type { BenchRow } from './bench-row';

const [POLICIES, FILES] = [10_000, 100];
const MOST_KIB = 20;
const MOST_MS = 1;

/** As many policies as a folder may hold, of two conditions each, loaded in a process of its own. */
export async function benchImagePolicies(): Promise<BenchRow[]> {
  const args = ['--expose-gc', '-r', join(__dirname, 'built-package.cjs'), __filename];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { kib, documentKib, ms, parseMs } = JSON.parse(stdout) as Measured;
  const name = `${POLICIES.toLocaleString('en')} image policies`;
  return [
    {
      ...{ name: `${name}: heap of one`, baseline: 'its document alone' },
      ...{ ours: kib, base: documentKib, ratio: kib / documentKib },
      ...{ target: `<= ${MOST_KIB} KiB`, met: kib <= MOST_KIB, unit: 'KiB' },
    },
    {
      ...{ name: `${name}: loaded and compiled`, baseline: 'JSON.parse of the files' },
      ...{ ours: ms, base: parseMs, ratio: ms / parseMs },
      ...{
        target: `<= ${MOST_MS} ms a policy`,
        met: ms / POLICIES <= MOST_MS,
        unit: 'ms',
      },
    },
  ];
}

interface Measured {
  /** of one policy, compiled, with its document */
  kib: number;
  documentKib: number;
  ms: number;
  parseMs: number;
}

const policy = (index: number) => ({
  id: `policy-${index}`,
  name: `Policy ${index}`,
  priority: index % 100,
  source: { registry: 'docker.example', repositories: [`team-${index}/*`], tags: { allow: [`^v${index}\\.`] } },
  conditions: [
    { type: 'tag', operator: 'matches', value: `^v${index}\\.[0-9]+$` },
    { type: 'label', operator: 'equals', value: `team=${index}`, logical_op: 'AND' },
  ],
  actions: [{ type: 'replicate', target_registry: 'mirror.example', target_repo: `team-${index}/{repository.name}` }],
});

async function measure(): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-image-policies-'));
  try {
    const each = POLICIES / FILES;
    const texts = Array.from({ length: FILES }, (_none, file) =>
      JSON.stringify(Array.from({ length: each }, (_other, index) => policy(file * each + index))),
    );
    await Promise.all(texts.map((text, file) => writeFile(join(folder, `${file}.json`), text)));
    const before = heapKib();
    const parseFrom = performance.now();
    const documents = texts.map((text) => JSON.parse(text) as unknown);
    const parseMs = performance.now() - parseFrom;
    const withDocuments = heapKib();
    const from = performance.now();
    const set = await loadImagePolicies(folder);
    const ms = performance.now() - from;
    const loaded = heapKib();
    if (set.policies.length !== POLICIES || documents.length !== FILES) throw new Error('not all policies were loaded');
    return {
      kib: (loaded - withDocuments) / POLICIES,
      documentKib: (withDocuments - before) / POLICIES,
      ms,
      parseMs,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function heapKib(): number {
  gc!();
  return process.memoryUsage().heapUsed / 1024;
}

if (require.main === module) void measure().then((found) => process.stdout.write(JSON.stringify(found)));
