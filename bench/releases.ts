import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadPolicy } from '@open-policy-agent/opa-wasm';
import { parseReleaseConfig } from '../src/releases/config/parse-release-config';
import { loadSettings } from '../src/settings/load-settings';
import { readReleaseConfig } from '../src/releases/sources/load-release-config';
import { startS3Server } from '../src/dev/s3-server';
import type { JsonObject } from '../src/kernel/json';
import { createLogger } from '../src/platform/observability/logger';
import { openObjectStore } from '../src/platform/objects/stores/open-object-store';
import { readBundle } from '../src/rego/bundle/bundle';
import { checkRelease } from '../src/releases/check-release';
import { createEvaluator, type Evaluator } from '../src/rego/evaluation/evaluator';
import { sha256 } from '../src/kernel/digest';
import type { PolicyBundle } from '../src/rego/bundle/policy-bundle';
import { createReleaseHolder } from '../src/releases/release-holder';
import { smokeRelease } from '../src/releases/smoke-release';
import type { LoadedConfig, NamedRelease } from '../src/releases/sources/release-source';
import { buildPolicy } from '../src/rego/toolchain/build-policy';
import { createServices } from '../src/gate/services';
import { alternate, type BenchRow } from './bench-row';
import { systemTimers } from '../src/platform/timers/system-timers';

const REFRESH_SECONDS = 2;
const SWAPS_SEEN = 5;
const SWAP_EVERY_MS = 100;
const WINDOW_MS = 4_000;
const ROUNDS = 5;
const CALLERS = 16;
/** Decisions under swaps, each checked against the release that it names. */
const CHECKED_DECISIONS = 10_000_000;
const LOADS = 60;
const TAGS = ['one', 'two', 'three', 'four'] as const;

/** Allows only under the configuration that belongs to it: any other answer comes from a mixed release. */
const policySource = (tag: string): string => `package gate

# METADATA
# entrypoint: true
response := {"allow": allow, "deny_reasons": deny_reasons}

default allow := false

allow if count(deny_reasons) == 0

deny_reasons contains sprintf("mixed: policy ${tag}, configuration %s", [tag]) if {
	tag := data.config.parameters.tag
	tag != "${tag}"
}

deny_reasons contains sprintf("level: %d over %d", [input.level, data.config.limits.max]) if {
	input.level > data.config.limits.max
}
`;

/** Releases that are published, loaded and swapped. */
export async function benchReleases(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-releases-'));
  try {
    const built = await Promise.all(TAGS.map((tag) => buildTagged(folder, tag)));
    return [await publishedToDecided(folder, built[0]!.bytes), ...(await swapping(built)), await loading(built)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function buildTagged(folder: string, tag: string): Promise<{ bytes: Uint8Array; bundle: PolicyBundle }> {
  const dir = join(folder, `policy-${tag}`);
  await mkdir(dir);
  await writeFile(join(dir, 'gate.rego'), policySource(tag));
  const level = { type: 'object', properties: { level: { type: 'integer' } }, required: ['level'] };
  await writeFile(join(dir, 'input.json'), JSON.stringify({ ...level, additionalProperties: false }));
  return buildPolicy(dir);
}

const configText = (tag: string): string =>
  JSON.stringify({
    limits: { max: 10 },
    parameters: { tag },
    facts: { level: { type: 'config', path: '/limits/max' } },
  });

/** From a new manifest in S3 to the first decision that names it, against what the refresh interval allows. */
async function publishedToDecided(folder: string, bundle: Uint8Array): Promise<BenchRow> {
  const s3 = await startS3Server({ folder, logFile: join(folder, 's3.log'), buckets: ['bench'] });
  Object.assign(process.env, s3.env);
  const url = 's3://bench/latest.json';
  const { store } = await openObjectStore(url, { forcePathStyle: true });
  await store.put('policy.tar.gz', bundle);
  const publish = async (version: string): Promise<void> => {
    const config = new TextEncoder().encode(configText('one'));
    await store.put(`config-${version}.json`, config);
    const names = { policy: 'policy.tar.gz', config: `config-${version}.json`, version };
    const digests = { policySHA256: sha256(bundle), configSHA256: sha256(config) };
    await store.put('latest.json', new TextEncoder().encode(JSON.stringify({ ...names, ...digests })));
  };
  await publish('v0');
  const settings = join(folder, 'settings.json');
  const release = { manifest: url, refreshInterval: `${REFRESH_SECONDS}s`, s3: { forcePathStyle: true } };
  const audit = { store: { type: 'none' } };
  await writeFile(settings, JSON.stringify({ release: { ...release, cacheFolder: join(folder, 'cache') }, audit }));
  const services = await createServices(await loadSettings(settings, {}, folder), {
    env: process.env,
    logger: createLogger({ level: 'silent', format: 'json' }),
  });
  const target = { deploymentId: 'bench', stage: 'only', stageIndex: 0, attributes: {}, stageAttributes: {} };
  try {
    let longest = 0;
    for (let swap = 1; swap <= SWAPS_SEEN; swap++) {
      // At no fixed place within the interval.
      await sleep(Math.random() * REFRESH_SECONDS * 1_000);
      await publish(`v${swap}`);
      const startMs = performance.now();
      for (;;) {
        const release = services.releases.current();
        const snapshot = await services.collect(release, target);
        await services.evaluate(release, snapshot);
        if (snapshot.release.manifestVersion === `v${swap}`) break;
        await sleep(10);
      }
      longest = Math.max(longest, (performance.now() - startMs) / 1_000);
    }
    const bound = REFRESH_SECONDS + 1;
    return {
      name: `From a manifest's change to the first decision under it, longest of ${SWAPS_SEEN}`,
      baseline: 'refresh interval + 1 s',
      ours: longest,
      base: bound,
      ratio: longest / bound,
      target: '<= 1',
      met: longest <= bound,
      unit: 's',
    };
  } finally {
    await services.close();
    await s3.stop();
  }
}

/** Evaluations per second while releases are swapped, against those while none is; each answer is checked. */
async function swapping(built: readonly { bundle: PolicyBundle }[]): Promise<BenchRow[]> {
  const evaluator = createEvaluator({ threads: 1 });
  const configs = TAGS.map((tag) => toLoaded(configText(tag)));
  let at = 0;
  const holder = createReleaseHolder({
    timers: systemTimers,
    read: async (): Promise<NamedRelease> => {
      const index = at % TAGS.length;
      return {
        manifest: { policy: 'p', config: 'c', version: `v${at}` },
        fingerprint: String(at),
        loadPolicy: async () => built[index]!.bundle,
        loadConfig: async () => configs[index]!,
      };
    },
    where: 'memory',
    check: async () => [],
    smoke: (release) => smokeRelease(release, (request) => evaluator.evaluate(request)),
    nowMs: () => Date.now(),
  });
  const counts = { decided: 0, mixed: 0, swaps: 0 };
  const decide = async (): Promise<void> => {
    const { policy, configDocument } = holder.current();
    const { response } = await evaluator.evaluate({ policy, configDocument, input: { level: 5 }, decisionTimeMs: 0 });
    counts.decided += 1;
    if ((response as { allow?: boolean }).allow !== true) counts.mixed += 1;
  };
  const perSecond = async (whileTrue: () => boolean): Promise<number> => {
    const before = counts.decided;
    const startMs = performance.now();
    await Promise.all(
      Array.from({ length: CALLERS }, async () => {
        while (whileTrue()) await decide();
      }),
    );
    return ((counts.decided - before) / (performance.now() - startMs)) * 1_000;
  };
  const swappingWhile = async <T>(work: () => Promise<T>): Promise<T> => {
    let over = false;
    const swaps = (async () => {
      while (!over) {
        at += 1;
        counts.swaps += 1;
        await holder.refresh();
        await sleep(SWAP_EVERY_MS);
      }
    })();
    try {
      return await work();
    } finally {
      over = true;
      await swaps;
    }
  };
  const within = (ms: number): (() => boolean) => {
    const endMs = performance.now() + ms;
    return () => performance.now() < endMs;
  };
  try {
    await holder.refresh();
    await perSecond(within(WINDOW_MS));
    const speed = await alternate(
      ROUNDS,
      () => swappingWhile(() => perSecond(within(WINDOW_MS))),
      () => perSecond(within(WINDOW_MS)),
    );
    await swappingWhile(() => perSecond(() => counts.decided < CHECKED_DECISIONS));
    return [
      {
        name: `Evaluations with a swap every ${SWAP_EVERY_MS} ms`,
        baseline: 'the same without swaps',
        ...speed,
        target: '>= 0.9',
        met: speed.ratio >= 0.9,
        unit: '/s',
      },
      {
        name: `Decisions under a mixed release, of ${counts.decided} during ${counts.swaps} swaps`,
        baseline: `${CHECKED_DECISIONS} decisions`,
        ours: counts.mixed,
        base: counts.decided,
        ratio: counts.mixed / counts.decided,
        target: '0',
        met: counts.mixed === 0 && counts.decided >= CHECKED_DECISIONS,
        unit: 'decisions',
      },
    ];
  } finally {
    await evaluator.close();
  }
}

function toLoaded(text: string): LoadedConfig {
  const config = parseReleaseConfig(JSON.parse(text) as JsonObject, { file: 'bench' });
  return { config, configDocument: config as unknown as JsonObject, configRev: sha256(text) };
}

/**
 * Ours: from the bytes of bundle and configuration, through digests, checks and the thread, to an answer. The baseline: the
 * package's own loading of the wasm alone, and its first answer. Each turn loads content that was never seen before.
 */
async function loading(built: readonly { bytes: Uint8Array; bundle: PolicyBundle }[]): Promise<BenchRow> {
  const evaluator = createEvaluator({ threads: 1 });
  const { bytes, bundle } = built[0]!;
  try {
    for (let warm = 0; warm < 10; warm++) {
      await loadOurs(evaluator, bytes, `warm ${warm}`);
      await loadBare(bundle);
    }
    let turn = 0;
    const figures = await alternate(
      LOADS,
      () => loadOurs(evaluator, bytes, `turn ${(turn += 1)}`),
      () => loadBare(bundle),
    );
    return {
      name: 'Loading a release from bytes to its first decision',
      baseline: 'bare loadPolicy and evaluate',
      ...figures,
      target: '<= 2',
      met: figures.ratio <= 2,
      unit: 'ms',
    };
  } finally {
    await evaluator.close();
  }
}

async function loadOurs(evaluator: Evaluator, bytes: Uint8Array, name: string): Promise<number> {
  const config = new TextEncoder().encode(configText('one').replace('"max":10', `"max":10,"${name}":1`));
  const startMs = performance.now();
  const policy = await readBundle(bytes);
  const loaded = await readReleaseConfig(config, 'bench.json');
  if (checkRelease(policy, loaded.config, loaded.configDocument).length > 0) throw new Error('Expected a release');
  // As if never seen: the thread keeps what it compiled by its digest.
  const unseen = { ...policy, sha: sha256(name) };
  const { response } = await evaluator.evaluate({
    policy: unseen,
    configDocument: loaded.configDocument,
    input: { level: 5 },
    decisionTimeMs: 0,
  });
  if ((response as { allow?: boolean }).allow !== true) throw new Error('Expected an allow');
  return performance.now() - startMs;
}

async function loadBare({ wasm }: PolicyBundle): Promise<number> {
  const config = JSON.parse(configText('one')) as JsonObject;
  const startMs = performance.now();
  const policy = await loadPolicy(wasm);
  policy.setData({ config });
  policy.evaluate({ level: 5 });
  return performance.now() - startMs;
}
