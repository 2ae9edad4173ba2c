import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import { copyImage } from '../../../src/images/copying/copy-image';
import { HttpRegistry } from '../../../src/images/registries/http-registry';
import { startCraneRegistry } from '../../support/crane-registry';
import { startFaultyProxy, type FaultyProxy } from '../../support/faulty-proxy';
import type { Fault } from '../../support/oci-registry/faults';
import { sampleImage, type SampleImage } from '../../support/oci-registry/sample-image';

describe('a copy between real registries that fail', () => {
  const dispatcher = new Agent();
  let folder: string;
  let real: Awaited<ReturnType<typeof startCraneRegistry>>[];
  let proxies: { source: FaultyProxy; target: FaultyProxy };
  let image: SampleImage;
  let repository: string;
  let count = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-faulty-'));
    real = await Promise.all(['a', 'b'].map((name) => startCraneRegistry(join(folder, `${name}.log`))));
  });
  beforeEach(async () => {
    const [source, target] = await Promise.all(real.map(({ host }) => startFaultyProxy(host)));
    proxies = { source: source!, target: target! };
    // Crane's registry has one store of blobs for all repositories: each test has blobs of its own.
    repository = `team/app${(count += 1)}`;
    image = sampleImage({ layerSizes: [200_000, 1000] });
    const there = open(real[0]!.host);
    for (const blob of [image.config, ...image.layers])
      await there.writeBlob(repository, blob, async function* () {
        yield await Promise.resolve(blob.bytes);
      });
    await there.putManifest(repository, 'v1', image.manifest);
  });
  afterEach(() => Promise.all(Object.values(proxies).map((one) => one.close())));
  afterAll(async () => {
    await dispatcher.close();
    for (const { stop } of real ?? []) await stop();
    rmSync(folder, { recursive: true });
  });

  const open = (host: string, timeoutMs = 30_000) =>
    new HttpRegistry({
      registry: host,
      plainHttp: true,
      dispatcher,
      findCredentials: () => Promise.resolve({ username: 'ann', password: 'pass' }),
      firstBackoffMs: 1,
      timeoutMs,
      attempts: 3,
    });
  const copy = (timeoutMs?: number) =>
    copyImage({
      source: { registry: open(proxies.source.host, timeoutMs), repository },
      target: { registry: open(proxies.target.host, timeoutMs), repository },
      digest: image.manifest.digest,
      tag: 'v1',
    });
  const atTarget = () => open(real[1]!.host).headManifest(repository, 'v1');

  it.each<['source' | 'target', string, Fault, string]>([
    ['source', 'answers 429 with Retry-After', { status: 429, headers: { 'retry-after': '0' } }, 'GET '],
    ['target', 'answers 429 with Retry-After', { status: 429, headers: { 'retry-after': '0' } }, 'PUT '],
    ['source', 'answers 500', { status: 500 }, 'GET '],
    ['target', 'answers 500', { status: 500 }, 'POST '],
    ['source', 'closes in the middle of a blob', { cutAfter: 500 }, 'GET '],
    ['target', 'closes in the middle of an upload', { swallow: 1 }, 'PUT '],
    ['source', 'hangs', { hang: true }, 'GET '],
    ['target', 'hangs', { hang: true }, 'HEAD '],
  ])('of which the %s %s is whole in the end', async (side, _what, fault, method) => {
    let faults = 0;
    proxies[side].setFaults(({ method: asked, before }) => {
      if (`${asked} ` !== method || before > 0 || faults === 3) return undefined;
      faults += 1;
      return fault;
    });
    expect(await copy('hang' in fault ? 3_000 : undefined)).toMatchObject({ outcome: 'copied' });
    expect(faults).toBeGreaterThan(0);
    expect(await atTarget()).toMatchObject({ digest: image.manifest.digest });
  });

  it('refuses a corrupted blob, and leaves the tag alone', async () => {
    const { digest } = image.layers[0]!;
    proxies.source.setFaults(({ path }) => (path.endsWith(digest) ? { corrupt: true } : undefined));
    await expect(copy()).rejects.toMatchObject({ failure: 'invalid' });
    expect(await atTarget()).toBeUndefined();
  });

  it('does not send Authorization to the host that a blob is redirected to', async () => {
    const store = await startFaultyProxy(real[0]!.host);
    try {
      proxies.source.demandLogin();
      proxies.source.setFaults(({ path }) =>
        path.includes('/blobs/') ? { status: 307, headers: { location: `http://${store.host}${path}` } } : undefined,
      );
      expect(await copy()).toMatchObject({ outcome: 'copied' });
      expect(proxies.source.asked.some(({ isAuthorized }) => isAuthorized)).toBe(true);
      expect(store.asked.length).toBeGreaterThanOrEqual(image.layers.length);
      expect(store.asked.filter(({ isAuthorized }) => isAuthorized)).toEqual([]);
    } finally {
      await store.close();
    }
  });
});
