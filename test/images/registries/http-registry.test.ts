import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import type { Credentials } from '../../../src/images/registries/credentials';
import { HttpRegistry } from '../../../src/images/registries/http-registry';
import { digestOf } from '../../support/oci-registry/content';
import { startOciRegistry, type OciRegistry, type OciRegistryOptions } from '../../support/oci-registry/oci-registry';
import { blobOf, sampleImage, type SampleBlob } from '../../support/oci-registry/sample-image';

const LOGIN = { username: 'ann', password: 'pa:ss' };

describe('a registry over HTTP', () => {
  const dispatcher = new Agent();
  const started: OciRegistry[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.stop()));
  });
  afterAll(() => dispatcher.close());

  async function start(options: OciRegistryOptions = {}): Promise<OciRegistry> {
    const server = await startOciRegistry(options);
    started.push(server);
    return server;
  }

  const speakTo = (server: OciRegistry, over: { login?: Credentials; timeoutMs?: number; attempts?: number } = {}) =>
    new HttpRegistry({
      registry: server.host,
      plainHttp: true,
      dispatcher,
      findCredentials: () => Promise.resolve(over.login),
      firstBackoffMs: 1,
      ...over,
    });

  async function* bytesOf({ bytes }: SampleBlob): AsyncIterable<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 16_384) yield await Promise.resolve(bytes.subarray(at, at + 16_384));
  }

  async function collect(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const all: Uint8Array[] = [];
    for await (const part of parts) all.push(part);
    return Buffer.concat(all);
  }

  async function pushed(registry: HttpRegistry, repository: string, tag: string) {
    const image = sampleImage();
    for (const blob of [image.config, ...image.layers]) {
      await registry.writeBlob(repository, blob, () => bytesOf(blob));
    }
    await registry.putManifest(repository, tag, image.manifest);
    return image;
  }

  describe.each([
    ['anybody', undefined, undefined],
    ['a name and a password', { type: 'basic', ...LOGIN } as const, LOGIN],
    ['a token', { type: 'token', ...LOGIN } as const, LOGIN],
  ])('that lets in %s', (_who, access, login) => {
    let registry: HttpRegistry;
    it('takes an image and gives it back byte for byte', async () => {
      registry = speakTo(await start({ access }), { login });
      const image = await pushed(registry, 'team/app', 'v1');
      expect(await registry.headManifest('team/app', 'v1')).toEqual({
        digest: image.manifest.digest,
        mediaType: image.manifest.mediaType,
      });
      expect((await registry.getManifest('team/app', image.manifest.digest))?.bytes).toEqual(image.manifest.bytes);
      for (const blob of image.layers) {
        expect(await registry.hasBlob('team/app', blob.digest)).toBe(true);
        expect(await collect(registry.readBlob('team/app', blob))).toEqual(blob.bytes);
      }
      expect(await registry.headManifest('team/app', 'none')).toBeUndefined();
      expect(await registry.hasBlob('other/app', image.config.digest)).toBe(false);
    });

    it('mounts a blob that another repository of it holds', async () => {
      registry = speakTo(await start({ access }), { login });
      const { layers } = await pushed(registry, 'team/app', 'v1');
      const open = () => bytesOf(layers[0]!);
      expect(await registry.writeBlob('team/copy', layers[0]!, open, 'team/app')).toBe('mounted');
      expect(await registry.writeBlob('team/copy', layers[1]!, () => bytesOf(layers[1]!), 'team/none')).toBe('sent');
    });
  });

  it('asks for a token once for each scope, and again when it has ended', async () => {
    let nowMs = 0;
    const server = await start({ access: { type: 'token', ...LOGIN, expiresInSeconds: 300 }, now: () => nowMs });
    const registry = new HttpRegistry({
      registry: server.host,
      plainHttp: true,
      dispatcher,
      findCredentials: () => Promise.resolve(LOGIN),
      now: () => nowMs,
    });
    const tokens = () => server.asked.filter((one) => one.startsWith('GET /token')).length;
    await registry.hasBlob('team/app', blobOf('x', Buffer.from('x')).digest);
    await registry.headManifest('team/app', 'v1');
    expect(tokens()).toBe(1);
    nowMs = 280_000;
    await registry.headManifest('team/app', 'v1');
    expect(tokens()).toBe(2);
    expect(server.asked.filter((one) => one.startsWith('HEAD')).length).toBe(4);
  });

  it('basic credentials are read again after a refusal and after five minutes', async () => {
    let nowMs = 0;
    const logins = [{ ...LOGIN, password: 'ended' }, LOGIN, LOGIN];
    const server = await start({ access: { type: 'basic', ...LOGIN } });
    const registry = new HttpRegistry({
      registry: server.host,
      plainHttp: true,
      dispatcher,
      findCredentials: () => Promise.resolve(logins.shift()),
      now: () => nowMs,
    });
    expect(await registry.headManifest('team/app', 'v1')).toBeUndefined();
    expect(logins).toHaveLength(1);
    nowMs = 299_000;
    await registry.headManifest('team/app', 'v1');
    expect(logins).toHaveLength(1);
    nowMs = 301_000;
    await registry.headManifest('team/app', 'v1');
    expect(logins).toHaveLength(0);
  });

  it('an identity token that has ended is a refused login', async () => {
    const server = await start({ access: { type: 'token', ...LOGIN } });
    server.setFaults(({ path }) =>
      path.startsWith('/token') ? { status: 400, body: '{"error":"invalid_grant"}' } : undefined,
    );
    const registry = new HttpRegistry({
      registry: server.host,
      plainHttp: true,
      dispatcher,
      findCredentials: () => Promise.resolve({ identityToken: 'ended' }),
    });
    await expect(registry.headManifest('team/app', 'v1')).rejects.toMatchObject({
      failure: 'denied',
      message: `${server.host}: its token server ${server.host} refused the login`,
    });
  });

  it('the error of a refused login does not contain the password', async () => {
    const server = await start({ access: { type: 'basic', ...LOGIN } });
    const registry = speakTo(server, { login: { username: 'ann', password: 'wrong' } });
    const refused = registry.headManifest('team/app', 'v1');
    await expect(refused).rejects.toMatchObject({ failure: 'denied', status: 401 });
    await expect(refused).rejects.toThrow(`${server.host} refused the login for team/app:v1`);
    await expect(speakTo(server).headManifest('team/app', 'v1')).rejects.toThrow('asks for a login: use docker login');
  });

  it.each([
    ['500', { status: 500 }],
    ['429 with Retry-After', { status: 429, headers: { 'retry-after': '0' } }],
    ['a connection that is cut', { cutAfter: 0 }],
  ])('asks again after %s', async (_what, fault) => {
    const server = await start();
    const registry = speakTo(server);
    const image = await pushed(registry, 'team/app', 'v1');
    server.setFaults(({ before }) => (before < 2 ? fault : undefined));
    expect((await registry.getManifest('team/app', 'v1'))?.bytes).toEqual(image.manifest.bytes);
  });

  it('a registry that stays down is given up after its attempts, and then left alone for a while', async () => {
    const server = await start();
    const registry = speakTo(server, { attempts: 5 });
    server.setFaults(() => ({ status: 503, body: '{"errors":[{"code":"UNAVAILABLE","message":"at work"}]}' }));
    await expect(registry.headManifest('a/b', 'v1')).rejects.toThrow('answered 503 to a/b:v1');
    await expect(registry.getManifest('a/b', 'v1')).rejects.toThrow('UNAVAILABLE at work');
    await expect(registry.getManifest('a/b', 'v1')).rejects.toThrow(
      'it failed too often, and is left alone for a while',
    );
    expect(server.asked.length).toBe(10);
  });

  it.each([
    [500, 'MANIFEST_BLOB_UNKNOWN', 1],
    [404, 'NAME_UNKNOWN', 1],
    [400, 'MANIFEST_INVALID', 1],
    [500, 'UNKNOWN', 3],
  ])('a manifest that is answered with %i and %s is put %i times', async (status, code, times) => {
    const server = await start();
    const body = JSON.stringify({ errors: [{ code, message: 'no' }] });
    server.setFaults(({ method }) => (method === 'PUT' ? { status, body } : undefined));
    const put = speakTo(server, { attempts: 3 }).putManifest('a/b', 'v1', sampleImage().manifest);
    await expect(put).rejects.toMatchObject({
      failure: times === 1 ? 'refused' : 'unavailable',
      message: expect.stringContaining(`${server.host} answered ${status} to a/b:v1: ${code} no`),
    });
    expect(server.asked).toHaveLength(times);
  });

  it('an image with a SHA-512 digest keeps it under a tag, and a registry that stores it under another is an error', async () => {
    const server = await start();
    const registry = speakTo(server);
    const { bytes, mediaType } = sampleImage().manifest;
    const image = { bytes, mediaType, digest: digestOf(bytes, 'sha512:') };
    await registry.putManifest('team/app', 'v1', image);
    expect(await registry.headManifest('team/app', 'v1')).toEqual({ digest: image.digest, mediaType });
    server.setFaults(() => ({ status: 201, headers: { 'docker-content-digest': digestOf(bytes) } }));
    await expect(registry.putManifest('team/app', image.digest, image)).rejects.toThrow(/stored sha512:.* as sha256:/);
  });

  it('requests one after the other open no connection, those by HEAD too', async () => {
    const server = await start();
    const registry = speakTo(server);
    const { layers } = await pushed(registry, 'team/app', 'v1');
    const before = server.connections();
    for (let n = 0; n < 5; n++) {
      expect(await registry.headManifest('team/app', 'v1')).toBeDefined();
      expect(await registry.headManifest('team/app', 'none')).toBeUndefined();
      expect(await registry.hasBlob('team/app', layers[0]!.digest)).toBe(true);
    }
    expect(server.connections()).toBe(before);
  });

  it('a registry that hangs is given up', async () => {
    const server = await start();
    server.setFaults(() => ({ hang: true }));
    await expect(speakTo(server, { timeoutMs: 50, attempts: 2 }).headManifest('a/b', 'v1')).rejects.toMatchObject({
      failure: 'unavailable',
    });
  });

  it('a read that breaks off is resumed by Range', async () => {
    const server = await start();
    const registry = speakTo(server);
    const { layers } = await pushed(registry, 'team/app', 'v1');
    server.asked.length = 0;
    server.setFaults(({ path, before }) => (path.includes('/blobs/') && before < 3 ? { cutAfter: 20_000 } : undefined));
    expect(await collect(registry.readBlob('team/app', layers[1]!))).toEqual(layers[1]!.bytes);
    expect(server.asked.length).toBe(4);
  });

  it('a blob that changed on the way is refused before its last part is given', async () => {
    const server = await start();
    const registry = speakTo(server);
    const { layers } = await pushed(registry, 'team/app', 'v1');
    server.setFaults(() => ({ corrupt: true }));
    let given = 0;
    const read = async () => {
      for await (const part of registry.readBlob('team/app', layers[1]!)) given += part.length;
    };
    await expect(read()).rejects.toMatchObject({ failure: 'invalid' });
    expect(given).toBeLessThan(layers[1]!.size);
    await expect(registry.getManifest('team/app', 'v1')).rejects.toMatchObject({ failure: 'invalid' });
  });

  it('an upload that is cut off is sent again from its beginning', async () => {
    const server = await start();
    const registry = speakTo(server);
    const blob = blobOf('x', Buffer.alloc(3_000_000, 7));
    let puts = 0;
    server.setFaults(({ method }) => (method === 'PUT' && ++puts === 1 ? { swallow: 100_000 } : undefined));
    expect(await registry.writeBlob('team/app', blob, () => bytesOf(blob))).toBe('sent');
    expect(server.content.open('team/app').blobs.get(blob.digest)?.equals(blob.bytes)).toBe(true);
  });

  it.each([
    [404, 'NAME_UNKNOWN', 'has no repository team/app, and creates none by itself: create it there first ('],
    [404, 'UNSUPPORTED', 'answered 404 to '],
    [403, 'NAME_UNKNOWN', 'answered 403 to '],
  ])(
    'an upload that is answered with %i and %s is asked for once, and the error says why',
    async (status, code, says) => {
      const server = await start();
      const body = JSON.stringify({ errors: [{ code, message: 'no' }] });
      server.setFaults(({ method }) => (method === 'POST' ? { status, body } : undefined));
      const blob = blobOf('x', Buffer.alloc(10, 7));
      const written = speakTo(server).writeBlob('team/app', blob, () => bytesOf(blob));
      await expect(written).rejects.toThrow(`${server.host} ${says}`);
      await expect(written).rejects.toThrow(`${code} no`);
      expect(server.asked).toHaveLength(1);
    },
  );

  it('tags and repositories come page by page', async () => {
    const server = await start();
    const registry = speakTo(server);
    const { manifest } = sampleImage();
    const content = server.content.open('team/app');
    content.manifests.set(manifest.digest, manifest);
    for (let n = 0; n < 2500; n++) content.tags.set(`v${n}`, manifest.digest);
    const pages: number[] = [];
    for await (const page of registry.listTags('team/app')) pages.push(page.length);
    expect(pages).toEqual([1000, 1000, 500]);
    const repositories: string[] = [];
    for await (const page of registry.listRepositories()) repositories.push(...page);
    expect(repositories).toEqual(['team/app']);
    for await (const page of registry.listTags('team/none')) expect(page).toEqual([]);
  });

  it('a registry without a catalog gives an error that asks for exact names', async () => {
    const server = await start();
    server.setFaults(() => ({ status: 404 }));
    const listing = (async () => {
      for await (const page of speakTo(server).listRepositories()) expect(page).toEqual([]);
    })();
    await expect(listing).rejects.toThrow('name them exactly, without patterns');
  });

  it.each([
    ['the API', true, 'api'],
    ['its fallback tag', false, 'tag'],
  ])('what refers to an image is found by %s', async (_what, referrers, by) => {
    const server = await start({ referrers });
    const registry = speakTo(server);
    const image = await pushed(registry, 'team/app', 'v1');
    const subject = {
      mediaType: image.manifest.mediaType,
      digest: image.manifest.digest,
      size: image.manifest.bytes.length,
    };
    const text = JSON.stringify({
      schemaVersion: 2,
      artifactType: 'application/x',
      config: subject,
      layers: [],
      subject,
    });
    const signature = { ...blobOf(image.manifest.mediaType, Buffer.from(text)) };
    const { tracksSubject } = await registry.putManifest('team/app', signature.digest, signature);
    expect(tracksSubject).toBe(referrers);
    if (!referrers) {
      const { digest, mediaType, size } = signature;
      const index = blobOf(
        'application/vnd.oci.image.index.v1+json',
        Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [{ digest, mediaType, size }] })),
      );
      await registry.putManifest('team/app', image.manifest.digest.replace(':', '-'), index);
    }
    const found = await registry.listReferrers('team/app', image.manifest.digest);
    expect(found.by).toBe(by);
    expect(found.referrers.map(({ digest }) => digest)).toEqual([signature.digest]);
  });
});
