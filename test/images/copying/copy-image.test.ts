import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import { copyImage } from '../../../src/images/copying/copy-image';
import { planCopy } from '../../../src/images/copying/plan-copy';
import { HttpRegistry } from '../../../src/images/registries/http-registry';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { blobOf, IMAGE, sampleImage, type SampleImage } from '../../support/oci-registry/sample-image';

const INDEX = 'application/vnd.oci.image.index.v1+json';

describe('copying an image', () => {
  const dispatcher = new Agent();
  let servers: { source: OciRegistry; target: OciRegistry };
  let source: { registry: HttpRegistry; repository: string };
  let target: { registry: HttpRegistry; repository: string };

  const speakTo = (server: OciRegistry) =>
    new HttpRegistry({
      registry: server.host,
      plainHttp: true,
      dispatcher,
      findCredentials: () => Promise.resolve(undefined),
      firstBackoffMs: 1,
    });

  beforeEach(async () => {
    servers = { source: await startOciRegistry(), target: await startOciRegistry() };
    source = { registry: speakTo(servers.source), repository: 'team/app' };
    target = { registry: speakTo(servers.target), repository: 'mirror/app' };
  });
  afterEach(() => Promise.all([servers.source.stop(), servers.target.stop()]));
  afterAll(() => dispatcher.close());

  function put({ config, layers, manifest }: SampleImage, tag?: string): void {
    const content = servers.source.content.open('team/app');
    for (const blob of [config, ...layers]) content.blobs.set(blob.digest, blob.bytes);
    content.manifests.set(manifest.digest, manifest);
    if (tag !== undefined) content.tags.set(tag, manifest.digest);
  }

  function putIndex(children: { mediaType: string; digest: string; bytes: Buffer; [field: string]: unknown }[]) {
    const manifests = children.map(({ bytes, ...fields }) => ({ ...fields, size: bytes.length }));
    const index = blobOf(INDEX, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests })));
    servers.source.content.open('team/app').manifests.set(index.digest, index);
    return index;
  }

  const atTarget = () => servers.target.content.open('mirror/app');

  it('copies everything byte for byte, and moves the tag last', async () => {
    const image = sampleImage();
    put(image);
    const result = await copyImage({ source, target, digest: image.manifest.digest, tag: 'v1' });
    expect(result).toMatchObject({ outcome: 'copied', blobsSent: 3, blobsSkipped: 0, absent: [], foreign: [] });
    expect(atTarget().tags.get('v1')).toBe(image.manifest.digest);
    expect(atTarget().manifests.get(image.manifest.digest)?.bytes).toEqual(image.manifest.bytes);
    expect([...atTarget().blobs.keys()].sort()).toEqual([image.config, ...image.layers].map((b) => b.digest).sort());
    const changes = servers.target.asked.filter((one) => /^(PUT|POST)/.test(one));
    expect(changes.at(-1)).toBe('PUT /v2/mirror/app/manifests/v1');
    expect(changes.at(-2)).toBe(`PUT /v2/mirror/app/manifests/${image.manifest.digest}`);
  });

  it('sends no blob that the target has', async () => {
    const [first, second] = [sampleImage(), sampleImage()];
    const shared = { ...second, layers: [...first.layers, ...second.layers] };
    const { config, layers } = shared;
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: IMAGE,
        config: { mediaType: config.mediaType, digest: config.digest, size: config.size },
        layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
      }),
    );
    const manifest = blobOf(IMAGE, bytes);
    put(first);
    put({ ...shared, manifest });
    await copyImage({ source, target, digest: first.manifest.digest, tag: 'v1' });
    const result = await copyImage({ source, target, digest: manifest.digest, tag: 'v2' });
    expect(result).toMatchObject({ blobsSent: 2, blobsSkipped: 3 });
  });

  it('images that are copied at once share layers: each is sent once, and asked for no more than twice', async () => {
    const base = sampleImage({ layerSizes: [1000, 2000] });
    const images = Array.from({ length: 6 }, (_none, at) => {
      const { config } = sampleImage({ labels: { at: String(at) } });
      const fields = JSON.parse(base.manifest.bytes.toString()) as object;
      const { mediaType, digest, size } = config;
      const text = JSON.stringify({ ...fields, config: { mediaType, digest, size } });
      const image = { ...base, config, manifest: blobOf(IMAGE, Buffer.from(text)) };
      put(image);
      return image;
    });
    const results = await Promise.all(
      images.map(({ manifest }, at) => copyImage({ source, target, digest: manifest.digest, tag: `v${at}` })),
    );
    expect(results.reduce((sum, { blobsSent }) => sum + blobsSent, 0)).toBe(2 + 6);
    for (const { digest } of base.layers) {
      const heads = servers.target.asked.filter((one) => one === `HEAD /v2/mirror/app/blobs/${digest}`);
      expect(heads).toHaveLength(2);
    }
  });

  it('costs one HEAD at the target when the tag names the image already', async () => {
    const image = sampleImage();
    put(image);
    const request = { source, target, digest: image.manifest.digest, tag: 'v1' };
    await copyImage(request);
    const counts = [servers.source.asked.length, servers.target.asked.length] as const;
    expect(await copyImage(request)).toMatchObject({ outcome: 'unchanged', blobsSent: 0, manifests: [] });
    expect(servers.source.asked.slice(counts[0])).toEqual([]);
    expect(servers.target.asked.slice(counts[1])).toEqual(['HEAD /v2/mirror/app/manifests/v1']);
  });

  it('leaves a tag that the target has with noOverwrite', async () => {
    const [first, second] = [sampleImage(), sampleImage()];
    put(first);
    put(second);
    await copyImage({ source, target, digest: first.manifest.digest, tag: 'v1', noOverwrite: true });
    const request = { source, target, digest: second.manifest.digest, tag: 'v1', noOverwrite: true };
    expect(await copyImage(request)).toMatchObject({ outcome: 'kept', blobsSent: 0 });
    expect(atTarget().tags.get('v1')).toBe(first.manifest.digest);
  });

  it('leaves a tag that appears during the copy with noOverwrite', async () => {
    const [first, second] = [sampleImage(), sampleImage()];
    put(first);
    put(second);
    const beforeTag = async () => {
      await copyImage({ source, target, digest: first.manifest.digest, tag: 'v1' });
      return true;
    };
    const request = { source, target, digest: second.manifest.digest, tag: 'v1', noOverwrite: true, beforeTag };
    expect(await copyImage(request)).toMatchObject({ outcome: 'kept', blobsSent: 3 });
    expect(atTarget().tags.get('v1')).toBe(first.manifest.digest);
  });

  it('moves no tag unless beforeTag gives true, once the whole image is there', async () => {
    const image = sampleImage();
    put(image);
    const seen: (readonly string[])[] = [];
    const beforeTag = (manifests: readonly string[]) => {
      seen.push(manifests);
      return Promise.resolve(false);
    };
    const request = { source, target, digest: image.manifest.digest, tag: 'v1', beforeTag };
    expect(await copyImage(request)).toMatchObject({ outcome: 'withheld', blobsSent: 3 });
    expect(seen).toEqual([[image.manifest.digest]]);
    expect(atTarget().tags.size).toBe(0);
    expect(atTarget().manifests.has(image.manifest.digest)).toBe(true);
  });

  describe('with platforms', () => {
    const platform = (os: string, architecture: string, variant?: string) => ({
      platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
    });

    it.each<[string[], number[]]>([
      [['linux/amd64'], [0, 3]],
      [['linux/arm'], [1, 2]],
      [['linux/arm/v7'], [1]],
      [
        ['linux/amd64', 'linux/arm'],
        [0, 1, 2, 3],
      ],
    ])('%j copies those images of an index, and their attestations', async (platforms, kept) => {
      const images = [sampleImage(), sampleImage(), sampleImage(), sampleImage()];
      images.forEach((image) => put(image));
      const [amd, armV7, armV8, attestation] = images.map(({ manifest }) => manifest);
      const index = putIndex([
        { ...amd!, ...platform('linux', 'amd64') },
        { ...armV7!, ...platform('linux', 'arm', 'v7') },
        { ...armV8!, ...platform('linux', 'arm', 'v8') },
        {
          ...attestation!,
          ...platform('unknown', 'unknown'),
          annotations: { 'vnd.docker.reference.digest': amd!.digest },
        },
      ]);
      const request = { source, target, digest: index.digest, tag: 'v1', platforms };
      const result = await copyImage(request);
      expect(result.manifests.slice(0, -1)).toEqual(kept.map((at) => images[at]!.manifest.digest));
      expect(result.digest === index.digest).toBe(kept.length === 4);
      expect(atTarget().tags.get('v1')).toBe(result.digest);
      expect(await copyImage(request)).toMatchObject({ outcome: 'unchanged', digest: result.digest });
    });

    it('of an index without them it is refused, and an image of one platform is copied as it is', async () => {
      const image = sampleImage();
      put(image);
      const index = putIndex([{ ...image.manifest, ...platform('linux', 'amd64') }]);
      const request = { source, target, tag: 'v1', platforms: ['linux/arm64'] };
      await expect(copyImage({ ...request, digest: index.digest })).rejects.toThrow('has no image of linux/arm64');
      const { digest } = image.manifest;
      expect(await copyImage({ ...request, digest })).toMatchObject({ outcome: 'copied', digest });
    });
  });

  it('a blob that the target accepts and does not have is an error', async () => {
    const image = sampleImage();
    put(image);
    const { digest } = image.layers[0]!;
    servers.target.setFaults(({ method, path }) =>
      method === 'HEAD' && path.endsWith(digest) ? { status: 404 } : undefined,
    );
    const request = { source, target, digest: image.manifest.digest, tag: 'v1' };
    await expect(copyImage(request)).rejects.toThrow(`accepted the blob ${digest} of mirror/app, but does not have it`);
    expect(atTarget().tags.size).toBe(0);
  });

  it.each([
    ['nothing of it', 0],
    ['a part of it', 1],
  ])('planCopy tells what would be sent when the target has %s', async (_what, present) => {
    const image = sampleImage({ layerSizes: [10, 20] });
    put(image);
    if (present > 0) atTarget().blobs.set(image.layers[0]!.digest, image.layers[0]!.bytes);
    const plan = await planCopy(source, image.manifest.digest, target, 'v1');
    const bytes = 20 + image.config.size + (present > 0 ? 0 : 10);
    expect(plan).toMatchObject({ outcome: 'copied', blobs: 3 - present, bytes, blobsPresent: present });
    expect(servers.target.asked.every((one) => one.startsWith('HEAD '))).toBe(true);
  });

  it('planCopy tells which tags stay, and which would be replaced', async () => {
    const [first, second] = [sampleImage(), sampleImage()];
    put(first);
    put(second);
    await copyImage({ source, target, digest: first.manifest.digest, tag: 'v1' });
    const plan = (image: SampleImage, noOverwrite = false) =>
      planCopy(source, image.manifest.digest, target, 'v1', { noOverwrite });
    expect(await plan(first)).toMatchObject({ outcome: 'unchanged' });
    expect(await plan(second)).toMatchObject({ outcome: 'copied', replaces: first.manifest.digest });
    expect(await plan(second, true)).toMatchObject({ outcome: 'kept', replaces: first.manifest.digest });
  });

  it('copies an index whole, nested ones too, children before parents', async () => {
    const [amd, arm] = [sampleImage(), sampleImage()];
    put(amd);
    put(arm);
    const inner = putIndex([arm.manifest]);
    const outer = putIndex([amd.manifest, inner]);
    const result = await copyImage({ source, target, digest: outer.digest, tag: 'v1' });
    expect(result).toMatchObject({ blobsSent: 5 });
    expect(result.manifests).toHaveLength(4);
    expect(atTarget().manifests.get(outer.digest)?.bytes).toEqual(outer.bytes);
    const puts = servers.target.asked.filter((one) => one.startsWith('PUT /v2/mirror/app/manifests/sha256'));
    expect(puts.map((one) => one.split('/').at(-1))).toEqual([
      amd.manifest.digest,
      arm.manifest.digest,
      inner.digest,
      outer.digest,
    ]);
  });

  it('mounts within one registry', async () => {
    const image = sampleImage();
    put(image);
    const within = { ...source, repository: 'team/copy' };
    const result = await copyImage({ source, target: within, digest: image.manifest.digest, tag: 'v1' });
    expect(result).toMatchObject({ blobsMounted: 3, blobsSent: 0, bytesSent: 0 });
  });

  it('a corrupted blob is refused, and no tag appears', async () => {
    const image = sampleImage();
    put(image, 'v1');
    servers.source.setFaults(({ path }) => (path.includes(image.layers[1]!.digest) ? { corrupt: true } : undefined));
    await expect(copyImage({ source, target, digest: image.manifest.digest, tag: 'v1' })).rejects.toMatchObject({
      failure: 'invalid',
    });
    expect(atTarget().tags.size).toBe(0);
    expect(atTarget().manifests.size).toBe(0);
  });

  it.each([
    ['a layer', (image: SampleImage) => servers.source.content.open('team/app').blobs.delete(image.layers[0]!.digest)],
    [
      'a child',
      (image: SampleImage) => servers.source.content.open('team/app').manifests.delete(image.manifest.digest),
    ],
  ])('an image whose source lacks %s is incomplete, unless that is allowed', async (_what, lose) => {
    const [whole, holed] = [sampleImage(), sampleImage()];
    put(whole);
    put(holed);
    const index = putIndex([whole.manifest, holed.manifest]);
    lose(holed);
    const request = { source, target, digest: index.digest, tag: 'v1' };
    await expect(copyImage(request)).rejects.toThrow(/is incomplete: its registry lacks sha256:/);
    expect(atTarget().tags.size).toBe(0);
    const result = await copyImage({ ...request, incomplete: 'copy' });
    expect(result.absent).toHaveLength(1);
    expect(atTarget().tags.get('v1')).toBe(index.digest);
  });

  it('keeps what a tag named under its backup tag', async () => {
    const [first, second] = [sampleImage(), sampleImage()];
    put(first);
    put(second);
    await copyImage({ source, target, digest: first.manifest.digest, tag: 'v1', backupTag: 'v1-before' });
    expect([...atTarget().tags.keys()]).toEqual(['v1']);
    const result = await copyImage({
      source,
      target,
      digest: second.manifest.digest,
      tag: 'v1',
      backupTag: 'v1-before',
    });
    expect(result.replaced).toBe(first.manifest.digest);
    expect(Object.fromEntries(atTarget().tags)).toEqual({
      v1: second.manifest.digest,
      'v1-before': first.manifest.digest,
    });
  });

  it('resumes an interrupted copy without sending a blob twice', async () => {
    const image = sampleImage({ layerSizes: [10, 20, 30, 40] });
    put(image);
    const last = image.layers[0]!.digest;
    servers.source.setFaults(({ path }) => (path.includes(last) ? { status: 404 } : undefined));
    const request = { source, target, digest: image.manifest.digest, tag: 'v1', concurrency: 1 };
    await expect(copyImage(request)).rejects.toThrow('is incomplete');
    servers.source.setFaults(undefined);
    const before = atTarget().blobs.size;
    expect(before).toBeGreaterThan(2);
    expect(await copyImage(request)).toMatchObject({ blobsSkipped: before, blobsSent: 5 - before });
  });

  it('foreign layers are skipped by name', async () => {
    const image = sampleImage();
    const foreign = {
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
      digest: `sha256:${'a'.repeat(64)}`,
      size: 5,
      urls: ['https://publisher.example/layer'],
    };
    const fields = JSON.parse(image.manifest.bytes.toString()) as { layers: unknown[] };
    const manifest = blobOf(IMAGE, Buffer.from(JSON.stringify({ ...fields, layers: [...fields.layers, foreign] })));
    put({ ...image, manifest });
    const result = await copyImage({ source, target, digest: manifest.digest, tag: 'v1' });
    expect(result).toMatchObject({ foreign: [foreign.digest], absent: [], blobsSent: 3 });
  });

  it('a manifest of schema 1 is refused', async () => {
    const old = blobOf('application/vnd.docker.distribution.manifest.v1+prettyjws', Buffer.from('{"schemaVersion":1}'));
    servers.source.content.open('team/app').manifests.set(old.digest, old);
    await expect(copyImage({ source, target, digest: old.digest, tag: 'v1' })).rejects.toThrow("Docker's schema 1");
  });
});
