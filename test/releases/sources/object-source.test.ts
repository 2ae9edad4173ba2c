import { beforeEach, describe, expect, it } from '@jest/globals';
import { parseDocument } from '../../../src/platform/documents/loaders/document';
import { readReleaseConfig } from '../../../src/releases/sources/load-release-config';
import { ObjectStoreError } from '../../../src/platform/objects/object-store';
import { readBundle } from '../../../src/rego/bundle/bundle';
import { sha256 } from '../../../src/kernel/digest';
import { createObjectSource, type ObjectSourceOptions } from '../../../src/releases/sources/object-source';
import type { ReleaseSource } from '../../../src/releases/sources/release-source';
import { MemoryObjects } from '../../fakes/memory-objects';
import { describeReleaseSource } from '../../../src/contracts/release-source';
import { sourceOfObjects } from '../../../src/contracts/source-of-objects';
import { jestFramework } from '../../support/jest-framework';
import { placeOf } from '../../support/place-of';
import { aBundle } from './a-bundle';

const URL = 's3://bucket/gate/latest.json';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let objects: MemoryObjects;
let source: ReleaseSource;

const sourceOf = (change: Partial<ObjectSourceOptions> = {}): ReleaseSource =>
  createObjectSource({
    url: URL,
    open: async () => ({ store: objects, key: 'latest.json' }),
    digests: 'required',
    configFolder: '/settings',
    policies: { verifies: false, read: (archive) => readBundle(archive) },
    parseDocument,
    readReleaseConfig,
    ...change,
  });

beforeEach(() => {
  objects = new MemoryObjects();
  source = sourceOf();
});

const CONFIG = '{"limits": {"maxDelta": 7}}';

/** Puts bundle, configuration and manifest; a change replaces keys of the manifest, `undefined` leaves one out. */
async function publish(policy: string, config = CONFIG, change: Record<string, unknown> = {}): Promise<void> {
  const bundle = await aBundle(policy);
  await objects.put(`${policy}.tar.gz`, bundle);
  await objects.put('config.json', bytes(config));
  const digests = { policySHA256: sha256(bundle), configSHA256: sha256(config) };
  const manifest = { policy: `${policy}.tar.gz`, config: 'config.json', version: policy, ...digests, ...change };
  await objects.put('latest.json', bytes(JSON.stringify(manifest)));
  objects.takeRequests();
}
const withoutDigests = { policySHA256: undefined, configSHA256: undefined };

async function load(from: ReleaseSource = source) {
  const named = await from.read();
  const [policy, loaded] = await Promise.all([named.loadPolicy(), named.loadConfig()]);
  return { policySha: policy.sha, configRev: loaded.configRev, limits: loaded.config.limits, named };
}

describeReleaseSource(jestFramework, 'objects in memory', () => sourceOfObjects(placeOf(new MemoryObjects())));

describe('a release named by a manifest in an object store', () => {
  it('a release in an object store is what the manifest names, with the digests of the bytes that were loaded', async () => {
    await publish('v1');
    expect(await load()).toMatchObject({
      policySha: sha256(await aBundle('v1')),
      configRev: sha256(CONFIG),
      limits: { maxDelta: 7 },
      named: { manifest: { version: 'v1' } },
    });
    expect([source.where, source.configFolder]).toEqual([URL, '/settings']);
  });

  it('a release in an object store costs one conditional request while the manifest is the same and nothing else', async () => {
    await publish('v1');
    const { named } = await load();
    expect(objects.takeRequests()).toEqual(['get latest.json', 'get v1.tar.gz', 'get config.json']);
    const again = await source.read();
    expect(objects.takeRequests()).toEqual(['get latest.json unless 3']);
    expect(again.fingerprint).toBe(named.fingerprint);
  });

  it('a release in an object store is asked only for blobs with a new digest', async () => {
    await publish('v1');
    await load();
    await publish('v2');
    await load();
    expect(objects.takeRequests()).toEqual(['get latest.json unless 3', 'has config.json', 'get v2.tar.gz']);
    await publish('v2', '{"limits": {"maxDelta": 8}}');
    expect(await load()).toMatchObject({ limits: { maxDelta: 8 } });
    expect(objects.takeRequests()).toEqual(['get latest.json unless 6', 'has v2.tar.gz', 'get config.json']);
  });

  it('a release in an object store holds the blobs of two releases, and no more', async () => {
    for (const version of ['v1', 'v2', 'v3']) {
      await publish(version, `{"limits": {"maxDelta": ${version.slice(1)}}}`);
      await load();
    }
    await publish('v1', '{"limits": {"maxDelta": 3}}');
    await load();
    expect(objects.takeRequests()).toEqual(['get latest.json unless 9', 'has config.json', 'get v1.tar.gz']);
  });

  it('a release in an object store may lie in folders below the manifest', async () => {
    const bundle = await aBundle('deep');
    await objects.put('policies/1/p.tar.gz', bundle);
    await publish('v1', CONFIG, { policy: './policies/1/p.tar.gz', policySHA256: sha256(bundle) });
    expect((await load()).policySha).toBe(sha256(bundle));
  });

  it.each(['../other/p.tar.gz', '/p.tar.gz', 'a//p.tar.gz', 's3://other/p.tar.gz', 'a/../p', '..\\p', '.', 'a\0b'])(
    'a release in an object store does not lie anywhere else: %s',
    async (policy) => {
      await publish('v1', CONFIG, { policy });
      await expect(source.read()).rejects.toMatchObject({
        type: 'ManifestInvalid',
        message: `${URL}: expected policy to be a path below the manifest's own, got ${JSON.stringify(policy)}`,
      });
    },
  );
});

describe('digests in the manifest of an object store', () => {
  const other = 'f'.repeat(64);

  it('digests in the manifest of an object store of other bytes are refused, with what was expected and what was found', async () => {
    await publish('v1', CONFIG, { policySHA256: other, configSHA256: other });
    const named = await source.read();
    await expect(named.loadPolicy()).rejects.toMatchObject({
      type: 'PolicyInvalid',
      message: `s3://bucket/gate/v1.tar.gz: expected SHA-256 ${other} as the manifest says, found ${sha256(await aBundle('v1'))}`,
    });
    await expect(named.loadConfig()).rejects.toMatchObject({
      type: 'ManifestInvalid',
      message: `s3://bucket/gate/config.json: expected SHA-256 ${other} as the manifest says, found ${sha256(CONFIG)}`,
    });
  });

  it('digests in the manifest of an object store are asked for where they are required, both at once', async () => {
    await publish('v1', CONFIG, withoutDigests);
    await expect(source.read()).rejects.toMatchObject({
      type: 'ManifestInvalid',
      faults: [
        { message: `${URL}: expected policySHA256, found none; digests are required here (release.digests)` },
        { message: `${URL}: expected configSHA256, found none; digests are required here (release.digests)` },
      ],
    });
  });

  it('digests in the manifest of an object store are worked out on load where they may be left out', async () => {
    source = sourceOf({ digests: 'optional' });
    await publish('v1', CONFIG, withoutDigests);
    expect(await load()).toMatchObject({ policySha: sha256(await aBundle('v1')), configRev: sha256(CONFIG) });
  });

  it('digests in the manifest of an object store that are left out cost a conditional request for each blob, which notices its change', async () => {
    source = sourceOf({ digests: 'optional' });
    await publish('v1', CONFIG, withoutDigests);
    const { named } = await load();
    objects.takeRequests();
    const same = await source.read();
    expect(objects.takeRequests()).toEqual([
      'get latest.json unless 3',
      'get v1.tar.gz unless 1',
      'get config.json unless 2',
    ]);
    expect(same.fingerprint).toBe(named.fingerprint);
    await objects.put('config.json', bytes('{"limits": {"maxDelta": 9}}'));
    const changed = await source.read();
    expect(changed.fingerprint).not.toBe(named.fingerprint);
    expect((await changed.loadConfig()).config.limits).toEqual({ maxDelta: 9 });
  });

  it('digests in the manifest of an object store that are left out leave nothing behind when the manifest names other blobs', async () => {
    source = sourceOf({ digests: 'optional' });
    await publish('v1', CONFIG, withoutDigests);
    await load();
    await publish('v2', CONFIG, withoutDigests);
    await load();
    await publish('v1', CONFIG, withoutDigests);
    await load();
    expect(objects.takeRequests()).toContain('get v1.tar.gz');
  });
});

describe('an object that is there and wrong', () => {
  it('an object store that no longer has a bundle which the worker knows by its digest has no release', async () => {
    await publish('v1');
    await load();
    await publish('v2', '{"limits": {"maxDelta": 8}}', {
      policy: 'v1.tar.gz',
      policySHA256: sha256(await aBundle('v1')),
    });
    await objects.delete('v1.tar.gz');
    await expect(load()).rejects.toMatchObject({
      type: 'PolicyInvalid',
      message: expect.stringContaining('v1.tar.gz: the manifest names it, but there is none'),
    });
  });

  it('a manifest or a configuration that is too large is refused, and not out of reach', async () => {
    await publish('v1');
    await objects.put('large.json', new Uint8Array(1024 * 1024 + 1));
    await publish('v1', CONFIG, { config: 'large.json', configSHA256: '0'.repeat(64) });
    await expect((await source.read()).loadConfig()).rejects.toMatchObject({ type: 'ConfigInvalid' });
    await objects.put('latest.json', new Uint8Array(64 * 1024 + 1));
    await expect(source.read()).rejects.toMatchObject({
      type: 'ManifestInvalid',
      message: expect.stringContaining('expected at most 65536 bytes, found more'),
    });
  });
});

describe('a manifest in an object store that is wrong', () => {
  it.each<[string, string, string]>([
    ['empty', '', 'blank'],
    ['half written', '{"policy": "bundle.tar.gz", "conf', 'latest.json:1'],
    ['binary', '\0', 'binary'],
    ['no object', '[]', 'object'],
    ['with a key too many', '{"policy": "p", "config": "c", "version": "1", "polciy": "x"}', 'polciy'],
    ['with a key twice', '{"policy": "p", "policy": "q", "config": "c", "version": "1"}', 'twice'],
    ['with a digest that is none', '{"policy": "p", "config": "c", "version": "1", "policySHA256": "x"}', 'SHA'],
  ])(
    'a manifest in an object store, %s, is ManifestInvalid, and is not fetched again while it is the same',
    async (_, text, said) => {
      await objects.put('latest.json', bytes(text));
      objects.takeRequests();
      for (const request of ['get latest.json', 'get latest.json unless 1']) {
        await expect(source.read()).rejects.toMatchObject({
          type: 'ManifestInvalid',
          message: expect.stringContaining(said),
        });
        await expect(source.read()).rejects.toThrow(URL);
        expect(objects.takeRequests()[0]).toBe(request);
      }
    },
  );

  it('an absent manifest in an object store is PolicyUnavailable: it is unknown what it would name', async () => {
    const error = { type: 'PolicyUnavailable', message: `${URL}: expected a manifest, but there is none` };
    await expect(source.read()).rejects.toMatchObject(error);
    await publish('v1');
    await source.read();
    await objects.delete('latest.json');
    await expect(source.read()).rejects.toMatchObject(error);
  });

  it('an object that is larger than a manifest is not read', async () => {
    await objects.put('latest.json', bytes(' '.repeat(64 * 1024 + 1)));
    await expect(source.read()).rejects.toThrow('expected at most 65536 bytes');
  });
});

describe('a blob in an object store that is wrong', () => {
  it.each<[string, 'loadPolicy' | 'loadConfig', string, string]>([
    ['the bundle', 'loadPolicy', 'v1.tar.gz', 'PolicyInvalid'],
    ['the configuration', 'loadConfig', 'config.json', 'ConfigInvalid'],
  ])(
    'a blob in an object store that is wrong is refused when %s is absent, with a digest or without',
    async (_, part, key, type) => {
      const error = { type, message: `s3://bucket/gate/${key}: the manifest names it, but there is none` };
      await publish('v1');
      await objects.delete(key);
      await expect((await source.read())[part]()).rejects.toMatchObject(error);
      source = sourceOf({ digests: 'optional' });
      await publish('v1', CONFIG, withoutDigests);
      await objects.delete(key);
      await expect((await source.read())[part]()).rejects.toMatchObject(error);
    },
  );

  it.each<[string, string, string]>([
    ['limits.json', '{"limtis": {}}', 's3://bucket/gate/limits.json:1:2: '],
    ['limits.json', '{"limits": {}', 's3://bucket/gate/limits.json:1'],
    ['config.yaml', 'limits: {}\nlimtis: {}\n', 's3://bucket/gate/config.yaml:2'],
    ['config.pkl', 'amends "modulepath:/Release.pkl"\nlimtis {}\n', 's3://bucket/gate/config.pkl:2'],
    ['config.pkl', 'amends "modulepath:/Release.pkl"\nlimits {\n', 's3://bucket/gate/config.pkl'],
    [
      'config.pkl',
      'import "other.pkl"\nlimits = other.x\n',
      's3://bucket/gate/config.pkl:1:8: Refusing to load another',
    ],
    [
      'config.pkl',
      'import "file:///etc/x.pkl"\nlimits = x.y\n',
      's3://bucket/gate/config.pkl:1:1: Refusing to load module',
    ],
    ['config.txt', '{}', 's3://bucket/gate/config.txt: expected a file that ends in'],
    ['limits.json', '', 's3://bucket/gate/limits.json: expected a document'],
  ])('a blob in an object store that is wrong is named by its URL, and its line: %s %j', async (key, text, said) => {
    await objects.put(key, bytes(text));
    await publish('v1', CONFIG, { config: key, configSHA256: sha256(text) });
    const loading = (await source.read()).loadConfig();
    await expect(loading).rejects.toMatchObject({ type: 'ConfigInvalid', message: expect.stringContaining(said) });
    await loading.catch(({ message }: Error) => expect(message).not.toMatch(/repl:|\/tmp|stdin/));
  });

  it('a blob in an object store that is wrong may be a .pkl file, whose own bytes give the digest', async () => {
    const text = 'amends "modulepath:/Release.pkl"\nlimits { maxDelta = 42 }\n';
    await objects.put('config.pkl', bytes(text));
    await publish('v1', CONFIG, { config: 'config.pkl', configSHA256: sha256(text) });
    expect(await load()).toMatchObject({ configRev: sha256(text), limits: { maxDelta: 42 } });
  });

  it('a blob in an object store that is wrong is read no further than such a file goes', async () => {
    await publish('v1');
    await objects.put('config.json', bytes(' '.repeat(1024 * 1024 + 1)));
    await expect((await source.read()).loadConfig()).rejects.toThrow('expected at most 1048576 bytes');
  });
});

describe('an object store that fails', () => {
  const down = new ObjectStoreError('503 SlowDown', 503);

  it('an object store that fails makes each step PolicyUnavailable, naming what could not be read', async () => {
    await publish('v1');
    const named = await source.read();
    objects.failure = down;
    await expect(source.read()).rejects.toMatchObject({
      type: 'PolicyUnavailable',
      message: `${URL} cannot be read: 503 SlowDown`,
    });
    await expect(named.loadPolicy()).rejects.toMatchObject({
      type: 'PolicyUnavailable',
      message: 's3://bucket/gate/v1.tar.gz cannot be read: 503 SlowDown',
    });
    objects.failure = undefined;
    expect(await source.read()).toMatchObject({ fingerprint: named.fingerprint });
  });

  it('an object store that fails is opened again until that succeeds once', async () => {
    await publish('v1');
    let opens = 0;
    source = sourceOf({
      open: async () => {
        opens += 1;
        if (opens === 1) throw down;
        return { store: objects, key: 'latest.json' };
      },
    });
    await expect(source.read()).rejects.toMatchObject({ type: 'PolicyUnavailable' });
    await source.read();
    await source.read();
    expect(opens).toBe(2);
  });

  it('an object store that fails passes on what is no failure of the store', async () => {
    const wrong = new TypeError('not this');
    await expect(sourceOf({ open: () => Promise.reject(wrong) }).read()).rejects.toBe(wrong);
  });

  it('an object store that fails keeps nothing where there is no cache', async () => {
    await publish('v1');
    const named = await source.read();
    expect(named.keep).toBeUndefined();
    expect(await source.readKept?.()).toBeUndefined();
  });
});
