import { createHmac, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FlattenedSign, CompactSign } from 'jose';
import { sha256 } from '../../../src/kernel/digest';
import { parseDocument } from '../../../src/platform/documents/loaders/document';
import { ObjectStoreError, type ObjectStore } from '../../../src/platform/objects/object-store';
import { systemTimers } from '../../../src/platform/timers/system-timers';
import { readBundle } from '../../../src/rego/bundle/bundle';
import type { BundleKey } from '../../../src/rego/bundle/signing/bundle-key';
import { carryOut, planPublish, type Act } from '../../../src/releases/publishing/publish';
import { manifestBytes, readCurrent, type ManifestPlace } from '../../../src/releases/publishing/published-release';
import { readHistory } from '../../../src/releases/publishing/release-history';
import { planRollback } from '../../../src/releases/publishing/rollback';
import { createReleaseHolder } from '../../../src/releases/release-holder';
import { toHealthRelease } from '../../../src/releases/release-health';
import { createAcceptedTimes } from '../../../src/releases/signing/accepted-times';
import { createManifestTrust } from '../../../src/releases/signing/manifest-trust';
import { signatureKey, signManifest, verifyManifest } from '../../../src/releases/signing/manifest-signature';
import { orderFault, publicationTime } from '../../../src/releases/signing/publication-order';
import { readReleaseConfig } from '../../../src/releases/sources/load-release-config';
import { createObjectSource } from '../../../src/releases/sources/object-source';
import { createReleaseCache, manifestFolder } from '../../../src/releases/sources/release-cache';
import { MemoryObjects } from '../../fakes/memory-objects';
import { aBundle } from '../sources/a-bundle';

const pem = (type: 'rsa' | 'ec'): { privateKey: string; publicKey: string } => {
  const pair =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return {
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
};
const rsa = pem('rsa');
const otherRsa = pem('rsa');
const signing: BundleKey = { key: rsa.privateKey, keyId: 'default', algorithm: 'RS256' };
const verifying: BundleKey = { ...signing, key: rsa.publicKey };
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('the signature of a manifest', () => {
  const manifest = text('{"version": "v1"}\n');
  const verify = (signature: Uint8Array | string, key = verifying, bytes = manifest): Promise<void> =>
    verifyManifest(bytes, typeof signature === 'string' ? text(signature) : signature, key, 'signatures/x.jws');

  it.each<[string, 'rsa' | 'ec' | 'secret']>([
    ['RS256', 'rsa'],
    ['PS512', 'rsa'],
    ['ES256', 'ec'],
    ['HS256', 'secret'],
  ])('the signature of a manifest by %s is verified by its key alone', async (algorithm, kind) => {
    const pair = kind === 'secret' ? { privateKey: 'a secret', publicKey: 'a secret' } : pem(kind);
    const other = kind === 'secret' ? 'another' : pem(kind).publicKey;
    const signature = await signManifest(manifest, { key: pair.privateKey, keyId: 'k', algorithm });
    const key = { key: pair.publicKey, keyId: 'k', algorithm };
    await verify(signature, key);
    await expect(verify(signature, { ...key, key: other })).rejects.toMatchObject({ type: 'ManifestInvalid' });
  });

  it('the signature of a manifest covers each byte', async () => {
    const signature = await signManifest(manifest, signing);
    const said = 'not of the key default with RS256 over this manifest';
    await expect(verify(signature, verifying, text('{"version": "v1"}'))).rejects.toThrow(said);
  });

  it('the signature of a manifest by any JOSE library is taken, with its payload encoded or not', async () => {
    const key = createPrivateKey(rsa.privateKey);
    const raw = await new FlattenedSign(manifest)
      .setProtectedHeader({ alg: 'RS256', b64: false, crit: ['b64'] })
      .sign(key);
    await verify(`${raw.protected}..${raw.signature}`);
    const [header, , value] = (await new CompactSign(manifest).setProtectedHeader({ alg: 'RS256' }).sign(key)).split(
      '.',
    );
    await verify(`${header}..${value}`);
  });

  it('the signature of a manifest does not choose its own algorithm', async () => {
    const secret = { key: 'a secret', keyId: 'default', algorithm: 'HS256' };
    // Whoever has the public key, which is no secret, signs with it as if it were one.
    const input = `${base64url({ alg: 'HS256' })}.${Buffer.from(manifest).toString('base64url')}`;
    const mac = createHmac('sha256', rsa.publicKey).update(input).digest('base64url');
    await expect(verify(`${base64url({ alg: 'HS256' })}..${mac}`)).rejects.toThrow('with RS256');
    await expect(verify(`${base64url({ alg: 'none' })}..AA`)).rejects.toThrow('with RS256');
    await expect(verify(`${base64url({ alg: 'none' })}..`)).rejects.toThrow('expected a detached JWS');
    await expect(verify(await signManifest(manifest, signing), secret)).rejects.toThrow('with HS256');
    await expect(verify(await signManifest(manifest, signing), { ...verifying, algorithm: 'HS256' })).rejects.toThrow(
      'Expected a secret for HS256',
    );
  });

  it('the signature of a manifest is for one scope', async () => {
    const scoped = await signManifest(manifest, { ...signing, scope: 'staging' });
    await verify(scoped, { ...verifying, scope: 'staging' });
    await expect(verify(scoped, { ...verifying, scope: 'production' })).rejects.toThrow(
      'expected the scope "production", found "staging"',
    );
    await expect(verify(await signManifest(manifest, signing), { ...verifying, scope: 'production' })).rejects.toThrow(
      'found ""',
    );
  });

  it.each(['', 'text', 'a.b.c', 'a..b..c', '\u0000', 'a..b', '{"signature": 1}'])(
    'the signature of a manifest is refused when it is %j',
    async (content) => {
      await expect(verify(content)).rejects.toMatchObject({ type: 'ManifestInvalid' });
    },
  );
});

describe('the order of signed manifests', () => {
  const now = Date.UTC(2026, 10, 27);
  const at = (ms: number): string => new Date(now + ms).toISOString();
  const MINUTE = 60_000;

  it.each<[string, string | undefined, number | undefined, RegExp | undefined]>([
    ['takes the first manifest', at(-1), undefined, undefined],
    ['takes a later manifest', at(0), now - 1, undefined],
    ['takes the same time again', at(0), now, undefined],
    ['refuses an earlier manifest', at(-1), now, /before the manifest of 2026-11-27T00:00:00.000Z/],
    ['takes one that is ahead as far as clocks may differ', at(5 * MINUTE), undefined, undefined],
    ['refuses one of the future', at(5 * MINUTE + 1), undefined, /one of the two clocks is wrong/],
    ['refuses one without a time', undefined, undefined, /expected publishedAt, an RFC 3339 time.*found none/],
    ['refuses one whose time is none', '2026-11-27', undefined, /found "2026-11-27"/],
  ])('the order of signed manifests %s', (_, publishedAt, accepted, said) => {
    const fault = orderFault(publishedAt, accepted, now);
    if (said === undefined) expect(fault).toBeUndefined();
    else expect(fault).toMatch(said);
  });

  it('the order of signed manifests is kept by a publisher whose clock is behind, who is told when it is far behind', () => {
    expect(publicationTime(now, undefined)).toEqual({ at: at(0) });
    expect(publicationTime(now, at(-1))).toEqual({ at: at(0) });
    expect(publicationTime(now, at(0))).toEqual({ at: at(1) });
    expect(publicationTime(now, at(MINUTE))).toEqual({ at: at(MINUTE + 1) });
    expect(publicationTime(now, at(6 * MINUTE))).toEqual({
      at: at(0),
      warning: expect.stringContaining('one of the two clocks is wrong'),
    });
  });
});

describe('a worker with a verification key', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-signed-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const URL = 's3://gate/r/latest.json';
  const start = Date.UTC(2026, 10, 27);
  let nowMs = start;
  let objects: MemoryObjects;
  let place: ManifestPlace;
  let cacheNumber = 0;
  let notKept: unknown[] = [];

  beforeEach(() => {
    objects = new MemoryObjects('s3://gate/r/');
    place = { store: objects, key: 'latest.json' };
    nowMs = start;
    cacheNumber += 1;
    notKept = [];
  });
  const cachePath = () => join(folder, `cache-${cacheNumber}`);

  /** A worker as it starts, with what is on its disk. */
  function aWorker(key = verifying, store: ObjectStore = objects) {
    const trust = createManifestTrust({
      key: async () => key,
      accepted: createAcceptedTimes(join(manifestFolder(cachePath(), URL), 'accepted')),
      nowMs: () => nowMs,
      onNotKept: (error) => notKept.push(error),
    });
    const source = createObjectSource({
      url: URL,
      open: async () => ({ store, key: 'latest.json' }),
      digests: 'required',
      configFolder: '/settings',
      policies: { verifies: false, read: (archive) => readBundle(archive) },
      trust,
      parseDocument,
      readReleaseConfig,
      cache: createReleaseCache(cachePath(), URL),
      onNotKept: (error) => notKept.push(error),
    });
    const holder = createReleaseHolder({
      timers: systemTimers,
      where: URL,
      read: source.read,
      readKept: source.readKept,
      check: async () => [],
      smoke: async () => undefined,
      nowMs: () => nowMs,
    });
    return {
      holder,
      check: async (): Promise<string> => {
        await holder.refresh().catch(() => undefined);
        const { ref, lastError, fromCache } = holder.status();
        return `${ref?.manifestVersion ?? 'none'}${fromCache ? ' from the disk' : ''}${lastError === undefined ? '' : `: ${lastError}`}`;
      },
    };
  }
  const act = (): Act => ({ by: 'ada', at: new Date((nowMs += 1000)).toISOString() });
  async function publish(version: string, key: BundleKey | null = signing, store: ObjectStore = objects) {
    const [done, current] = [act(), await readCurrent(place)];
    const planned = await planPublish(place, current, await readHistory(place, () => undefined), {
      ...done,
      version,
      policy: { bytes: await aBundle(version), extension: 'tar.gz' },
      config: { bytes: text('{"limits": {"maxDelta": 7}}'), extension: 'json' },
    });
    await carryOut({ ...place, store }, current, planned!, done, key ? (bytes) => signManifest(bytes, key) : undefined);
  }
  async function rollBack(version: string) {
    const [done, current] = [act(), (await readCurrent(place))!];
    const planned = await planRollback(place, current, await readHistory(place, () => undefined), version, done);
    await carryOut(place, current, planned!, done, (bytes) => signManifest(bytes, signing));
  }
  const signatures = async (): Promise<string[]> => objects.list('signatures/');

  it('a worker with a verification key takes a signed manifest, and says whose signature it has', async () => {
    await publish('v1');
    const { bytes } = (await objects.get('latest.json'))!;
    expect(await signatures()).toEqual([`signatures/${sha256(bytes)}.jws`]);
    const worker = aWorker();
    expect(await worker.check()).toBe('v1');
    expect(toHealthRelease(worker.holder.status())).toMatchObject({
      signedBy: { keyID: 'default', algorithm: 'RS256' },
      publishedAt: '2026-11-27T00:00:01.000Z',
    });
    objects.takeRequests();
    expect(await worker.check()).toBe('v1');
    expect(objects.takeRequests()).toHaveLength(1);
  });

  it('a worker with a verification key sees the signature put before the manifest', async () => {
    objects.takeRequests();
    await publish('v1');
    const puts = objects.takeRequests().filter((request) => request.startsWith('put'));
    expect(puts.map((request) => request.replace(/[0-9a-f]{64}|\d{8}T[\d.]+Z/, '…'))).toEqual([
      'put policy-v1.tar.gz',
      'put config-v1.json',
      'put latest.history/…-v1.json',
      'put signatures/….jws',
      'put latest.json',
    ]);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['unsigned', () => publish('v2', null), "expected the manifest's signature at"],
    ['of another key', () => publish('v2', { ...signing, key: otherRsa.privateKey }), 'not of the key default'],
    [
      'altered',
      async () => {
        await publish('v2');
        const { manifest } = (await readCurrent(place))!;
        await objects.put('latest.json', manifestBytes({ ...manifest, config: 'config-v1.json' }));
      },
      'found none; a signed manifest is required (release.verificationKey)',
    ],
    [
      'altered, under the signature of what it was',
      async () => {
        await publish('v2');
        const { manifest, bytes } = (await readCurrent(place))!;
        const other = manifestBytes({ ...manifest, version: 'v3' });
        await objects.put(signatureKey(other), (await objects.get(signatureKey(bytes)))!.bytes);
        await objects.put('latest.json', other);
      },
      'not of the key default with RS256 over this manifest',
    ],
    [
      'signed, without digests',
      async () => {
        const bytes = text(JSON.stringify({ policy: 'p', config: 'c', version: 'v2', publishedAt: act().at }));
        await objects.put(signatureKey(bytes), await signManifest(bytes, signing));
        await objects.put('latest.json', bytes);
      },
      'expected policySHA256, found none',
    ],
    [
      'signed with a text without end',
      async () => {
        await publish('v2');
        const { bytes } = (await readCurrent(place))!;
        await objects.put(signatureKey(bytes), new Uint8Array(20_000));
      },
      'expected at most 16384 bytes, found more',
    ],
  ])('a worker with a verification key keeps its release when the manifest is %s', async (_, spoil, said) => {
    await publish('v1');
    const worker = aWorker();
    await worker.check();
    await spoil();
    const status = await worker.check();
    expect(status).toMatch(/^v1: /);
    expect(status).toContain(said);
    // It was read and refused: what is in force may still be acted on.
    expect((await worker.holder.confirm(1000)).ref.manifestVersion).toBe('v1');
  });

  it('a worker with a verification key interprets nothing of what is not signed', async () => {
    await objects.put('latest.json', text('{"policy": '));
    expect(await aWorker().check()).toMatch(/expected the manifest's signature/);
  });

  it('a worker with a verification key takes a manifest once its signature is there', async () => {
    await publish('v1', null);
    const worker = aWorker();
    expect(await worker.check()).toMatch(/^none/);
    const { bytes } = (await readCurrent(place))!;
    await objects.put(signatureKey(bytes), await signManifest(bytes, signing));
    expect(await worker.check()).toBe('v1');
  });

  it('a worker with a verification key waits where the signature cannot be read', async () => {
    await publish('v1');
    const broken = Object.assign(Object.create(objects) as ObjectStore, {
      get: (key: string) =>
        key.startsWith('signatures/') ? Promise.reject(new ObjectStoreError('timed out')) : objects.get(key),
    });
    const worker = aWorker(verifying, broken);
    await expect(worker.holder.confirm(1000)).rejects.toMatchObject({ type: 'PolicyUnavailable' });
  });

  it('a worker with a verification key refuses an earlier manifest that somebody puts back, and takes a roll back', async () => {
    await publish('v1');
    const first = (await objects.get('latest.json'))!.bytes;
    await publish('v2');
    const worker = aWorker();
    await worker.check();
    await objects.put('latest.json', first);
    expect(await worker.check()).toMatch(
      /^v2: .*before the manifest of 2026-11-27T00:00:02.000Z that was accepted last/,
    );
    // A new worker on the same machine knows it too.
    expect(await aWorker().check()).toMatch(/^none.*accepted last/);
    await publish('v3');
    await rollBack('v2');
    expect(await worker.check()).toBe('v2');
    expect(await aWorker().check()).toBe('v2');
    const accepted = join(manifestFolder(cachePath(), URL), 'accepted');
    expect(readdirSync(accepted)).toEqual([String(nowMs)]);
  });

  it('a worker with a verification key remembers a manifest of the same content as newer', async () => {
    await publish('v1');
    const first = (await objects.get('latest.json'))!.bytes;
    const worker = aWorker();
    await worker.check();
    const current = (await readCurrent(place))!;
    const done = act();
    const again = await planPublish(place, current, [], {
      ...done,
      version: 'v1',
      again: true,
      policy: { bytes: await aBundle('v1'), extension: 'tar.gz' },
    });
    await carryOut(place, current, again!, done, (bytes) => signManifest(bytes, signing));
    expect(await worker.check()).toBe('v1');
    await objects.put('latest.json', first);
    expect(await worker.check()).toMatch(/^v1: .*accepted last/);
  });

  it('a worker with a verification key is not kept from what follows by a manifest of the far future', async () => {
    await publish('v1');
    const worker = aWorker();
    await worker.check();
    const saved = nowMs;
    nowMs += 10 * 365 * 86_400_000;
    await publish('v2');
    nowMs = saved;
    expect(await worker.check()).toMatch(/^v1: .*one of the two clocks is wrong/);
    await publish('v3');
    expect(await worker.check()).toBe('v3');
  });

  it('a worker with a verification key starts from its disk with the manifest verified again', async () => {
    await publish('v1');
    const worker = aWorker();
    await worker.check();
    const list = join(manifestFolder(cachePath(), URL), 'releases.json');
    const kept = await eventuallyRead(list);
    objects.failure = new ObjectStoreError('down');
    expect(await aWorker().check()).toMatch(/^v1 from the disk/);
    expect(await aWorker({ ...verifying, key: otherRsa.publicKey }).check()).toMatch(/^none.*not of the key default/);
    const unsigned = JSON.parse(kept) as { releases: { signed?: unknown }[] };
    delete unsigned.releases[0]!.signed;
    writeFileSync(list, JSON.stringify(unsigned));
    expect(await aWorker().check()).toMatch(/^none.*its manifest is not signed/);
  });

  it('a worker with a verification key whose disk takes nothing keeps the order as long as it lives, and says so', async () => {
    await publish('v1');
    const first = (await objects.get('latest.json'))!.bytes;
    await publish('v2');
    writeFileSync(cachePath(), 'a file where the folder would be');
    const worker = aWorker();
    expect(await worker.check()).toBe('v2');
    expect(notKept).toContainEqual(expect.objectContaining({ code: 'ENOTDIR' }));
    await objects.put('latest.json', first);
    expect(await worker.check()).toMatch(/accepted last/);
  });

  it('a worker with a verification key refuses the manifest of a key that was replaced', async () => {
    await publish('v1');
    const key = { ...verifying };
    const worker = aWorker(key);
    await worker.check();
    const next = otherRsa;
    key.key = next.publicKey;
    expect(await worker.check()).toMatch(/^v1: .*not of the key default/);
    await publish('v2', { ...signing, key: next.privateKey });
    expect(await worker.check()).toBe('v2');
  });

  describe('publishers', () => {
    const failing = (method: 'put', wanted: string, error: Error): ObjectStore =>
      Object.assign(Object.create(objects) as ObjectStore, {
        [method]: (key: string, ...rest: [Uint8Array]) =>
          key.startsWith(wanted) ? Promise.reject(error) : objects.put(key, ...rest),
      });

    it('publishers that die between signature and manifest leave the release in force as it is', async () => {
      await publish('v1');
      const worker = aWorker();
      await worker.check();
      // As after a kill: nothing is tidied up.
      const dying = failing('put', 'latest.json', new ObjectStoreError('killed'));
      await expect(publish('v2', signing, dying)).rejects.toThrow();
      expect(await signatures()).toHaveLength(2);
      expect(await worker.check()).toBe('v1');
      await publish('v2');
      expect(await worker.check()).toBe('v2');
    });

    it('publishers whose signature cannot be written change nothing', async () => {
      await publish('v1');
      const refused = failing('put', 'signatures/', new ObjectStoreError('forbidden', 403));
      await expect(publish('v2', signing, refused)).rejects.toThrow('forbidden');
      expect((await readHistory(place, () => undefined)).map(({ manifest }) => manifest.version)).toEqual(['v1']);
      expect(await aWorker().check()).toBe('v1');
    });

    it('publishers of which one loses take its signature back', async () => {
      await publish('v1');
      const overtaken = Object.assign(Object.create(objects) as ObjectStore, {
        put: async (key: string, ...rest: [Uint8Array]) => {
          if (key === 'latest.json') await publish('v3');
          return objects.put(key, ...rest);
        },
      });
      await expect(publish('v2', signing, overtaken)).rejects.toMatchObject({ type: 'RevisionConflict' });
      expect(await signatures()).toHaveLength(2);
      expect(await aWorker().check()).toBe('v3');
    });
  });
});

describe('the times of accepted manifests', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-accepted-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('the times of accepted manifests are never lowered, by two workers at once neither', async () => {
    const times = ['a', 'a'].map((name) => createAcceptedTimes(join(folder, name)));
    expect(await times[0]!.last()).toBeUndefined();
    await Promise.all([...Array(20).keys()].map((n) => times[n % 2]!.raise(n + 1)));
    expect(await times[0]!.last()).toBe(20);
    await times[1]!.raise(7);
    expect(await times[0]!.last()).toBe(20);
  });

  it('the times of accepted manifests are unavailable where the folder cannot be read', async () => {
    symlinkSync('circle', join(folder, 'circle'));
    await expect(createAcceptedTimes(join(folder, 'circle')).last()).rejects.toMatchObject({
      type: 'PolicyUnavailable',
      message: expect.stringContaining('ELOOP'),
    });
  });
});

async function eventuallyRead(path: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  for (let tries = 0; ; tries += 1) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
