import { createRequire } from 'node:module';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { ProviderConfig } from '../../../src/releases/config/release-config';
import { collectSnapshot, SnapshotError } from '../../../src/gate/facts/collect-snapshot';
import { aCollector } from './a-collector';
import { PROVIDER_KINDS } from '../../../src/gate/facts/providers';
import { registryFromConfig } from '../../../src/gate/facts/registry';
import type { Release } from '../../../src/releases/release';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'facts-'));
  const body = 'exports.createProvider = (id, {value}) => ({ collect: async () => ({ value, observedAtMs: 1000 }) });';
  writeFileSync(join(folder, 'own.cjs'), body);
  writeFileSync(join(folder, 'empty.cjs'), '');
});
afterEach(() => rmSync(folder, { recursive: true }));

const target = { deploymentId: 'fw-1', stage: 'canary', stageIndex: 0, attributes: {}, stageAttributes: {} };
const ref = { policySha: 'p', configRev: 'c', manifestVersion: '1' };
const own = (module: string) =>
  ({ type: 'module', module, options: { value: 7 }, ttl: '15s', maxAge: '45s', timeout: '5s' }) as ProviderConfig;
const registry = (module: string) =>
  registryFromConfig({
    facts: { mine: own(module), unread: own(module), limit: { type: 'config', path: '/n' } },
    inputSchema: {},
    kinds: PROVIDER_KINDS,
    // jest cannot run Node's own import; production uses it.
    deps: {
      env: {},
      configFolder: folder,
      configDocument: { n: 5 },
      importModule: (url) => Promise.resolve(createRequire(__filename)(fileURLToPath(url))),
    },
  });
const snapshotAt = (nowMs: number, sizes = { factBytes: 1024, snapshotBytes: 2048 }) =>
  collectSnapshot({
    release: {
      ref,
      policy: { reads: { facts: ['limit', 'mine'] } },
      config: { allowedClockSkew: '2s', circuitBreaker: { failures: 5, halfOpenAfter: '10s' }, sizes },
    } as unknown as Release,
    target,
    collector: aCollector({ clock: { now: () => nowMs } }),
    providersOf: () => registry('./own.cjs'),
    newDecisionId: () => 'd-1',
  });

it('a snapshot holds exactly the facts that the policy reads, with the time at which they were complete', async () => {
  const snapshot = await snapshotAt(2_000);
  expect(snapshot).toMatchObject({
    decisionId: 'd-1',
    decisionTimeMs: 2_000,
    release: ref,
    maxAgeMs: { mine: 45_000 },
  });
  expect(snapshot.facts.map(({ id, value, observedAtMs }) => [id, value, observedAtMs])).toEqual([
    ['limit', 5, 2_000],
    ['mine', 7, 1_000],
  ]);
});

it('a snapshot that fails names its identity, its time and what was found', async () => {
  const error = await snapshotAt(99_000).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(SnapshotError);
  expect((error as SnapshotError).failure).toMatchObject({
    decisionId: 'd-1',
    decisionTimeMs: 99_000,
    release: ref,
    faults: [{ type: 'FactStale', factId: 'mine', ageMs: 98_000, maxAgeMs: 45_000 }],
  });
});

it.each(['./empty.cjs', './absent.cjs'])('the module %s is refused when the release loads', async (path) => {
  await expect(registry(path)).rejects.toMatchObject({ type: 'ConfigInvalid', faults: [{ factId: 'mine' }, {}] });
});

it('facts that are too big together are a fault that names the biggest, and no fact is carried', async () => {
  const error = await snapshotAt(2_000, { factBytes: 1024, snapshotBytes: 100 }).catch((caught: unknown) => caught);
  expect((error as SnapshotError).failure).toMatchObject({
    facts: [],
    faults: [
      {
        type: 'FactInvalid',
        where: 'facts',
        message: expect.stringMatching(/have \d+ bytes as JSON, more than the 100 allowed/),
      },
    ],
  });
});

it('a fact whose value is too big is a fault with its size and the limit', async () => {
  const error = await snapshotAt(2_000, { factBytes: 0, snapshotBytes: 2048 }).catch((caught: unknown) => caught);
  expect((error as SnapshotError).failure.faults).toContainEqual(
    expect.objectContaining({
      type: 'FactInvalid',
      factId: 'mine',
      message: expect.stringContaining('has 1 bytes as JSON, more than the 0 that a fact may have'),
    }),
  );
});
