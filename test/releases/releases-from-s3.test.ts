import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { parseSettings } from '../../src/settings/load-settings';
import { startS3Server, type S3Server } from '../../src/dev/s3-server';
import type { FactTarget } from '../../src/gate/facts/fact';
import type { ObjectStore } from '../../src/platform/objects/object-store';
import { openObjectStore } from '../../src/platform/objects/stores/open-object-store';
import { sha256 } from '../../src/kernel/digest';
import { createReleaseCache } from '../../src/releases/sources/release-cache';
import { createServices, type Services } from '../../src/gate/services';
import { LIMIT_POLICY, plainBundle } from '../support/plain-bundle';
import { startS3Proxy, type S3Proxy } from '../support/s3-proxy';
import { eventually } from '../support/temporal-env';

/** Releases from a real S3 server, through all parts of a worker but Temporal. */
describe('releases from S3', () => {
  const MANIFEST = 's3://releases/gate/latest.json';
  let folder: string;
  let s3: S3Server;
  let proxy: S3Proxy;
  let objects: ObjectStore;
  let services: Services;
  let logged: string[];
  const bundles: Record<string, Uint8Array> = {};
  const environment = { ...process.env };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-s3-'));
    s3 = await startS3Server({ folder, logFile: join(folder, 's3.log'), buckets: ['releases'] });
    // The SDK's usual place: nothing of ours stands between.
    Object.assign(process.env, s3.env, { AWS_ENDPOINT_URL_S3: undefined });
    delete process.env.AWS_ENDPOINT_URL_S3;
    const access = { endpoint: s3.endpoint, forcePathStyle: true };
    ({ store: objects } = await openObjectStore(MANIFEST, access));
    bundles.plain = await plainBundle(LIMIT_POLICY);
    bundles.stern = await plainBundle(LIMIT_POLICY.replace('over:', 'far over:'));
    bundles.broken = bundles.plain.slice(0, 300);
  });
  afterAll(async () => {
    await s3?.stop();
    process.env = environment;
    rmSync(folder, { recursive: true, force: true });
  });

  let cacheNumber = 0;
  beforeEach(async () => {
    proxy = await startS3Proxy(s3.port);
    logged = [];
    cacheNumber += 1;
    await publish('v1', 'plain', 1);
    services = await start();
  });
  afterEach(async () => {
    await services?.close();
    await proxy?.close();
  });

  function start(): Promise<Services> {
    const settings = parseSettings(
      {
        release: {
          manifest: MANIFEST,
          refreshInterval: '1h',
          s3: { endpoint: proxy.url, forcePathStyle: true },
          cacheFolder: `cache-${cacheNumber}`,
        },
        audit: { store: { type: 'none' } },
      },
      { file: 'settings' },
      folder,
    );
    const lines = new Writable({
      write: (line: Buffer, _encoding, done) => {
        logged.push((JSON.parse(line.toString()) as { msg: string }).msg);
        done();
      },
    });
    return createServices({ settings, baseDir: folder }, { env: {}, logger: pino(lines), stdout: lines });
  }

  async function publish(version: string, policy: string, max: number | string): Promise<void> {
    const config = new TextEncoder().encode(`amends "modulepath:/Release.pkl"\n\nlimits { max = ${max} }\n`);
    const bundle = bundles[policy]!;
    await objects.put(`policy-${policy}.tar.gz`, bundle);
    await objects.put(`config-${sha256(config).slice(0, 8)}.pkl`, config);
    const manifest = {
      policy: `policy-${policy}.tar.gz`,
      config: `config-${sha256(config).slice(0, 8)}.pkl`,
      version,
      policySHA256: sha256(bundle),
      configSHA256: sha256(config),
    };
    await objects.put('latest.json', new TextEncoder().encode(JSON.stringify(manifest)));
  }

  /** What a deployment of 10 is told now, and by which version. */
  async function decide(): Promise<string> {
    const target: FactTarget = {
      deploymentId: 'd',
      stage: 's',
      stageIndex: 0,
      attributes: { n: 10 },
      stageAttributes: {},
    };
    const release = services.releases.current();
    const { denyReasons } = await services.evaluate(release, await services.collect(release, target));
    return `${release.ref.manifestVersion}: ${denyReasons.join()}`;
  }
  const reload = async (): Promise<void> => {
    proxy.answered.length = 0;
    await services.reload();
  };

  it('releases from S3 cost one request while nothing changed', async () => {
    expect(await decide()).toBe('v1: over: 10 > 1');
    await reload();
    expect(proxy.answered).toEqual(['GET /releases/gate/latest.json 304']);
  });

  it('releases from S3 swap a new policy under the old configuration, and a new configuration under the old policy', async () => {
    await publish('v2', 'stern', 1);
    await reload();
    expect(await decide()).toBe('v2: far over: 10 > 1');
    // What is known by its digest is not read again; the store is asked whether it has it.
    const about = (name: string) => proxy.answered.filter((line) => line.includes(name));
    expect(about('config')).toEqual([expect.stringMatching(/^HEAD \S+ 200$/)]);
    await publish('v3', 'stern', 2);
    await reload();
    expect(await decide()).toBe('v3: far over: 10 > 2');
    expect(about('policy').filter((line) => !line.startsWith('HEAD'))).toEqual([]);
    await publish('v4', 'plain', 20);
    await reload();
    expect(await decide()).toBe('v4: ');
  });

  it.each([
    ['policy', 'broken', 3],
    ['configuration', 'stern', '"many"'],
  ])(
    'releases from S3 that are broken in their %s leave the last good one in force, until a good one comes',
    async (_, policy, max) => {
      await publish('v2', policy, max);
      await reload();
      expect(await decide()).toBe('v1: over: 10 > 1');
      expect(services.releases.status().lastError).toBeDefined();
      expect((await services.releases.confirm(10_000)).ref.manifestVersion).toBe('v1');
      expect(logged).toContain('release refused');
      await publish('v3', 'stern', 3);
      await reload();
      expect(await decide()).toBe('v3: far over: 10 > 3');
      expect(services.releases.status().lastError).toBeUndefined();
    },
  );

  it.each<[S3Proxy['behaviour'], string, RegExp, RegExp]>([
    ['throttling', 'all', /^/, /latest\.json cannot be read: .*SlowDown/],
    ['resetting', 'all', /^/, /latest\.json cannot be read/],
    ['half a body', 'all', /^/, /latest\.json cannot be read/],
    ['resetting', 'the new configuration', /config-/, /config-.* cannot be read/],
    ['half a body', 'the new bundle', /policy-stern/, /policy-stern.* cannot be read/],
  ])(
    'releases from S3 stay in force while the server answers with %s for %s, unconfirmed, are told so, and swap once all comes whole',
    async (behaviour, _what, keys, said) => {
      await publish('v2', 'stern', 2);
      proxy.behave(behaviour, keys);
      await reload();
      expect(await decide()).toBe('v1: over: 10 > 1');
      expect(services.releases.status().lastError).toMatch(said);
      await expect(services.releases.confirm(10_000)).rejects.toMatchObject({ type: 'PolicyUnavailable' });
      expect(logged).toContain('release cannot be read');
      proxy.behave('well');
      await reload();
      expect(await decide()).toBe('v2: far over: 10 > 2');
      expect(services.releases.status().lastError).toBeUndefined();
    },
  );

  it.each([
    ['server', /^/],
    ["new release's bundle", /policy-stern/],
  ])(
    'releases from S3 stay in force while the %s hangs, which holds up no lease check for longer than that waits',
    async (_, keys) => {
      await publish('v2', 'stern', 2);
      proxy.behave('hanging', keys);
      const reloading = services.reload();
      await expect(services.releases.confirm(100)).rejects.toThrow('within 100 ms');
      expect(await decide()).toBe('v1: over: 10 > 1');
      proxy.behave('well');
      await reloading;
      expect((await services.releases.confirm(10_000)).ref.manifestVersion).toBe('v2');
    },
  );

  it('releases from S3 start from the copy on disk while the server is down, say so, and are confirmed when it is back', async () => {
    const cache = createReleaseCache(join(folder, `cache-${cacheNumber}`), MANIFEST);
    await eventually('the copy', async () => (await cache.last()) !== undefined);
    await services.close();
    proxy.behave('resetting');
    services = await start();
    expect(await decide()).toBe('v1: over: 10 > 1');
    expect(services.releases.status()).toMatchObject({
      fromCache: true,
      lastError: expect.stringContaining('cannot be read'),
      ref: { manifestVersion: 'v1' },
    });
    expect(logged).toContain('release loaded from the copy on disk: its source is out of reach');
    expect(await services.registry.metrics()).toMatch(/^gate_release_from_cache 1$/m);
    await expect(services.releases.confirm(10_000)).rejects.toMatchObject({ type: 'PolicyUnavailable' });

    proxy.behave('well');
    await reload();
    const [read, asked] = ['GET', 'HEAD'].map((method) => proxy.answered.filter((line) => line.startsWith(method)));
    expect(read).toEqual(['GET /releases/gate/latest.json 200', 'GET /releases/gate/latest.json 304']);
    expect(asked).toHaveLength(2);
    expect(services.releases.status()).not.toHaveProperty('fromCache');
    expect(services.releases.status()).not.toHaveProperty('lastError');
    expect(await services.registry.metrics()).toMatch(/^gate_release_from_cache 0$/m);
  });

  it('releases from S3 do not start at all without a copy, say why, and do once the server is back', async () => {
    await services.close();
    cacheNumber += 1;
    proxy.behave('throttling');
    services = await start();
    expect(() => services.releases.current()).toThrow(/No release is loaded from s3:.*SlowDown/);
    proxy.behave('well');
    await reload();
    expect(await decide()).toBe('v1: over: 10 > 1');
  });

  it('releases from S3 are none where the manifest is not', async () => {
    await objects.delete('latest.json');
    await reload();
    expect(services.releases.status().lastError).toBe(`${MANIFEST}: expected a manifest, but there is none`);
    expect((await objects.list('policy-')).length).toBeGreaterThan(0);
  });
});
