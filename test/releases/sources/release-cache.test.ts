import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseDocument } from '../../../src/platform/documents/loaders/document';
import { readReleaseConfig } from '../../../src/releases/sources/load-release-config';
import { FailureType, GateError } from '../../../src/kernel/failures';
import { ObjectStoreError } from '../../../src/platform/objects/object-store';
import { readBundle } from '../../../src/rego/bundle/bundle';
import { sha256 } from '../../../src/kernel/digest';
import { createReleaseHolder } from '../../../src/releases/release-holder';
import type { Release, ReleaseHolder } from '../../../src/releases/release';
import { createObjectSource, type ObjectSourceOptions } from '../../../src/releases/sources/object-source';
import { cacheFolder, createReleaseCache } from '../../../src/releases/sources/release-cache';
import { MemoryObjects } from '../../fakes/memory-objects';
import type { NamedRelease } from '../../../src/releases/sources/release-source';
import { aBundle } from './a-bundle';
import { systemTimers } from '../../../src/platform/timers/system-timers';

const URL = 's3://bucket/gate/latest.json';
const DOWN = new ObjectStoreError('connect ECONNREFUSED');
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let folder: string;
let objects: MemoryObjects;
let notKept: unknown[];
/** nothing waits for them but these tests */
let keeping: Promise<void>[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gate-release-cache-'));
  objects = new MemoryObjects();
  notKept = [];
  keeping = [];
});
afterEach(async () => {
  await Promise.all(keeping);
  await rm(folder, { recursive: true, force: true });
});

const manifestOf = (version: string) => ({ policy: `${version}.tar.gz`, config: `${version}.json`, version });
const blobFiles = async (): Promise<string[]> => {
  const [place] = await readdir(folder);
  return (await readdir(join(folder, place!, 'blobs'))).sort();
};
const listFile = async (): Promise<string> => join(folder, (await readdir(folder))[0]!, 'releases.json');

describe('the cache of releases', () => {
  const cache = () => createReleaseCache(folder, URL);
  const keep = (version: string, policy = version) =>
    cache().keep({ manifest: manifestOf(version), policy: bytes(policy), config: bytes('{}') });

  it('the cache of releases knows nothing at first', async () => {
    expect(await cache().last()).toBeUndefined();
    expect(await cache().blob(sha256('x'))).toBeUndefined();
  });

  it('the cache of releases gives back what was kept last, from another process too', async () => {
    await keep('v1');
    await keep('v2');
    expect(await cache().last()).toEqual({
      manifest: manifestOf('v2'),
      policySha: sha256('v2'),
      configSha: sha256('{}'),
    });
    expect(await cache().blob(sha256('v1'))).toEqual(bytes('v1'));
  });

  it('the cache of releases keeps the releases of one manifest apart from those of others', async () => {
    await keep('v1');
    expect(await createReleaseCache(folder, `${URL}.other`).last()).toBeUndefined();
  });

  it('the cache of releases keeps a release once that comes back into force', async () => {
    for (const version of ['v1', 'v2', 'v1']) await keep(version);
    expect((await cache().last())?.manifest.version).toBe('v1');
    expect((JSON.parse(await readFile(await listFile(), 'utf8')) as { releases: unknown[] }).releases).toHaveLength(2);
  });

  it('the cache of releases keeps four, and sweeps away what no list names once it is old', async () => {
    for (const version of ['v1', 'v2', 'v3', 'v4', 'v5']) await keep(version);
    expect(await blobFiles()).toHaveLength(6);
    const blobs = join((await listFile()).replace('releases.json', 'blobs'));
    for (const name of await readdir(blobs)) await utimes(join(blobs, name), 1, 1);
    await writeFile(join(blobs, 'left-by-a-killed-process'), 'half');
    await utimes(join(blobs, 'left-by-a-killed-process'), 1, 1);
    await keep('v5');
    expect(await blobFiles()).toEqual(['v2', 'v3', 'v4', 'v5', '{}'].map(sha256).sort());
  });

  it('the cache of releases writes a blob again that was altered', async () => {
    await keep('v1');
    const path = (await listFile()).replace('releases.json', join('blobs', sha256('v1')));
    await truncate(path, 1);
    expect(await cache().blob(sha256('v1'))).toBeUndefined();
    await keep('v1');
    expect(await cache().blob(sha256('v1'))).toEqual(bytes('v1'));
  });

  it('the cache of releases is kept by several workers of one machine at once', async () => {
    const workers = Array.from({ length: 8 }, (_none, worker) => worker);
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(workers.map((worker) => keep(`v${round}-${worker}`)));
    }
    expect(await cache().last()).toMatchObject({ manifest: { version: expect.stringMatching(/^v9-/) } });
  });

  it('the cache of releases keeps what another worker is about to name, however old it is', async () => {
    await keep('v1');
    const [place] = await readdir(folder);
    const blob = join(folder, place!, 'blobs', sha256('v1'));
    await utimes(blob, 0, 0);
    await keep('v2', 'v1');
    expect((await stat(blob)).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
  });

  it('the cache of releases is for the eyes of its user only', async () => {
    await keep('v1');
    const list = await listFile();
    expect([(await stat(list)).mode & 0o777, (await stat(join(list, '..'))).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  it.each<[string, (list: string) => Promise<unknown>, string]>([
    ['half written', (list) => truncate(list, 30), 'is no list of releases'],
    ['of another format', (list) => writeFile(list, '{"format": 2}'), 'in format 1'],
    [
      'of another manifest',
      async (list) => writeFile(list, (await readFile(list, 'utf8')).replace(URL, `${URL}.other`)),
      `of ${URL}`,
    ],
    [
      'with a digest that is a path',
      async (list) => writeFile(list, (await readFile(list, 'utf8')).replace(sha256('v1'), '../../secret')),
      'is no list of releases',
    ],
    [
      'a folder',
      async (list) => {
        await rm(list);
        await mkdir(list);
      },
      'could not be read (EISDIR)',
    ],
  ])('the cache of releases is not used when its list is %s, and written again', async (name, spoil, said) => {
    await keep('v1');
    await spoil(await listFile());
    await expect(cache().last()).rejects.toMatchObject({
      type: 'PolicyUnavailable',
      message: expect.stringContaining(said),
    });
    if (name === 'a folder') await rm(await listFile(), { recursive: true });
    await keep('v2');
    expect((await cache().last())?.manifest.version).toBe('v2');
  });

  it.each([
    ['/var/cache/gate', {}, '/var/cache/gate'],
    ['cache', {}, '/settings/cache'],
    [undefined, { XDG_CACHE_HOME: '/x' }, '/x/planning-engine/releases'],
  ])('the cache of releases lies where the settings say: %s', (configured, env, expected) => {
    expect(cacheFolder(configured, '/settings', env)).toBe(expected);
  });

  it('the cache of releases lies in the home folder when nothing says where', () => {
    expect(cacheFolder(undefined, '/settings', {})).toMatch(/\/\.cache\/planning-engine\/releases$/);
  });
});

describe('a worker whose object store is down', () => {
  let loaded: [Release, boolean][];

  function holderOf(
    change: Partial<ObjectSourceOptions> = {},
    smoke = async (): Promise<void> => undefined,
    deadlineMs = 60_000,
  ): ReleaseHolder {
    const source = createObjectSource({
      url: URL,
      open: async () => ({ store: objects, key: 'latest.json' }),
      digests: 'optional',
      configFolder: folder,
      policies: { verifies: false, read: (archive) => readBundle(archive) },
      parseDocument,
      readReleaseConfig,
      cache: createReleaseCache(folder, URL),
      onNotKept: (error) => notKept.push(error),
      ...change,
    });
    loaded = [];
    const read = async (): Promise<NamedRelease> => {
      const named = await source.read();
      const keep = async (): Promise<void> => void keeping.push(named.keep!());
      return { ...named, keep };
    };
    return createReleaseHolder({
      timers: systemTimers,
      read,
      readKept: source.readKept,
      where: source.where,
      check: async () => [],
      smoke,
      nowMs: () => 5_000,
      deadlineMs,
      onLoaded: (release, fromCache) => loaded.push([release, fromCache]),
    });
  }

  async function publish(version: string, change: Record<string, unknown> = {}): Promise<void> {
    const [bundle, config] = [await aBundle(version), bytes(`{"limits": {"maxDelta": ${version.slice(1)}}}`)];
    await objects.put(`${version}.tar.gz`, bundle);
    await objects.put(`${version}.json`, config);
    const digests = { policySHA256: sha256(bundle), configSHA256: sha256(config) };
    await objects.put('latest.json', bytes(JSON.stringify({ ...manifestOf(version), ...digests, ...change })));
    objects.takeRequests();
  }

  /** A worker has had this release in force and kept it. */
  async function kept(version: string, change: Record<string, unknown> = {}): Promise<void> {
    await publish(version, change);
    await holderOf().refresh();
    await Promise.all(keeping);
    objects.takeRequests();
  }

  it.each([
    ['with digests', {}],
    ['of three keys', { policySHA256: undefined, configSHA256: undefined }],
  ])('a worker whose object store is down starts with the release that it kept, %s, and says so', async (_, change) => {
    await kept('v1', change);
    objects.failure = DOWN;
    const holder = holderOf();
    const release = await holder.refresh();
    expect(release.ref).toEqual({
      policySha: sha256(await aBundle('v1')),
      configRev: sha256('{"limits": {"maxDelta": 1}}'),
      manifestVersion: 'v1',
    });
    expect(loaded).toEqual([[release, true]]);
    expect(holder.status()).toEqual({
      ref: release.ref,
      loadedAtMs: 5_000,
      lastCheckAtMs: 5_000,
      lastError: `${URL} cannot be read: connect ECONNREFUSED`,
      fromCache: true,
      wasmAlone: true,
    });
  });

  it('a worker whose object store is down is confirmed by the first reading that succeeds, without fetching the blobs again', async () => {
    await kept('v1');
    objects.failure = DOWN;
    const holder = holderOf();
    const release = await holder.refresh();
    await expect(holder.confirm(1_000)).rejects.toMatchObject({ type: 'PolicyUnavailable' });
    objects.takeRequests();
    objects.failure = undefined;
    expect(await holder.refresh()).toBe(release);
    // Both copies are read from the disk at once.
    const [manifest, one = '', other = '', ...more] = objects.takeRequests();
    expect([manifest, ...[one, other].sort(), ...more]).toEqual([
      ...['get latest.json', 'has v1.json', 'has v1.tar.gz'],
      'get latest.json unless 3',
    ]);
    expect(holder.status()).toEqual({
      ref: release.ref,
      loadedAtMs: 5_000,
      lastCheckAtMs: 5_000,
      lastSuccessfulCheckAtMs: 5_000,
      wasmAlone: true,
    });
    await holder.refresh();
    expect(objects.takeRequests()).toEqual(['get latest.json unless 3']);
  });

  it('a worker whose object store is down takes the newest one as soon as the store is back', async () => {
    await kept('v1');
    await publish('v2');
    objects.failure = DOWN;
    const holder = holderOf();
    await holder.refresh();
    objects.failure = undefined;
    expect((await holder.refresh()).ref.manifestVersion).toBe('v2');
    expect(holder.status().fromCache).toBeUndefined();
  });

  it('a worker whose object store is down continues with the release in force, and takes none from the disk, while it runs', async () => {
    await kept('v1');
    await publish('v2');
    const holder = holderOf();
    const release = await holder.refresh();
    objects.failure = DOWN;
    expect(await holder.refresh()).toBe(release);
    expect(holder.status().fromCache).toBeUndefined();
    expect(holder.status().lastError).toContain('ECONNREFUSED');
    objects.failure = undefined;
    await holder.refresh();
    expect(holder.status().lastError).toBeUndefined();
  });

  it('a worker whose object store is down takes from the disk what it has when it starts though the manifest can be read', async () => {
    await kept('v1');
    await holderOf().refresh();
    // Both copies are read from the disk at once.
    const [manifest, one = '', other = '', ...more] = objects.takeRequests();
    expect([manifest, ...[one, other].sort(), ...more]).toEqual([
      ...['get latest.json', 'has v1.json', 'has v1.tar.gz'],
      'get latest.json unless 3',
    ]);
  });

  it('a worker whose object store is down starts with the release that it kept when the store hangs', async () => {
    await kept('v1');
    objects.hanging = new Promise(() => undefined);
    const holder = holderOf({}, undefined, 200);
    expect((await holder.refresh()).ref.manifestVersion).toBe('v1');
    expect(holder.status()).toMatchObject({ fromCache: true, lastError: expect.stringContaining('within 200 ms') });
  });

  it('a worker whose object store is down has none when nothing was kept, or what was kept belongs to another manifest', async () => {
    await kept('v1');
    objects.failure = DOWN;
    const other = holderOf({ url: `${URL}.other`, cache: createReleaseCache(folder, `${URL}.other`) });
    await expect(other.refresh()).rejects.toMatchObject({ type: 'PolicyUnavailable' });
    expect(other.status().fromCache).toBeUndefined();
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['the manifest was deleted', () => objects.delete('latest.json'), 'there is none'],
    ['the newest release is broken', () => publish('v2', { policySHA256: 'f'.repeat(64) }), 'expected SHA-256'],
    ['the manifest is broken', () => objects.put('latest.json', bytes('{')), 'JSON'],
  ])(
    'a worker whose object store is down does not start with it when the store answers, and %s',
    async (_, spoil, said) => {
      await kept('v1');
      await spoil();
      const holder = holderOf();
      await expect(holder.refresh()).rejects.toThrow(said);
      expect(holder.status().ref).toBeUndefined();
    },
  );

  it.each<[string, () => Promise<unknown>, string]>([
    ['a blob was cut', async () => truncateBlob(sha256(await aBundle('v1'))), 'is missing or altered'],
    [
      'a blob is missing',
      async () => rm(await blobPath(sha256('{"limits": {"maxDelta": 1}}'))),
      'is missing or altered',
    ],
    ['the list was cut', async () => truncate(await listFile(), 40), 'is no list of releases'],
    [
      'the manifest in the list is none',
      async () =>
        writeFile(await listFile(), (await readFile(await listFile(), 'utf8')).replace('"version"', '"vresion"')),
      'vresion',
    ],
    [
      'the list names another blob than the manifest',
      async () => {
        const other = await aBundle('v9');
        await writeFile(await blobPath(sha256(other)), other);
        const list = JSON.parse(await readFile(await listFile(), 'utf8')) as { releases: { policySha: string }[] };
        list.releases[0]!.policySha = sha256(other);
        await writeFile(await listFile(), JSON.stringify(list));
      },
      'expected SHA-256',
    ],
  ])('a worker whose object store is down has none when %s, and tells both reasons', async (_, spoil, said) => {
    await kept('v1');
    await spoil();
    objects.failure = DOWN;
    const starting = holderOf().refresh();
    await expect(starting).rejects.toThrow('connect ECONNREFUSED');
    await expect(starting).rejects.toThrow(said);
  });
  const blobPath = async (sha: string): Promise<string> =>
    (await listFile()).replace('releases.json', join('blobs', sha));
  const truncateBlob = async (sha: string): Promise<void> => truncate(await blobPath(sha), 100);

  it.each<[string, Partial<ObjectSourceOptions>, (() => Promise<void>) | undefined, string]>([
    [
      'whose signature is no longer accepted',
      {
        policies: {
          verifies: true,
          read: () => Promise.reject(new GateError(FailureType.PolicyInvalid, 'signed by another key')),
        },
      },
      undefined,
      'signed by another key',
    ],
    ['without the digests that are required by now', { digests: 'required' }, undefined, 'expected policySHA256'],
    ['that no longer evaluates', {}, () => Promise.reject(new Error('no answer')), 'no answer'],
  ])('a worker whose object store is down refuses what it kept %s', async (_, change, smoke, said) => {
    await kept('v1', { policySHA256: undefined, configSHA256: undefined });
    objects.failure = DOWN;
    await expect(holderOf(change, smoke).refresh()).rejects.toThrow(said);
  });

  it('a worker whose object store is down keeps nothing that was refused', async () => {
    await publish('v1');
    await expect(holderOf({}, () => Promise.reject(new Error('no answer'))).refresh()).rejects.toThrow('no answer');
    expect(await createReleaseCache(folder, URL).last()).toBeUndefined();
  });

  it.each<[string, () => Promise<string>]>([
    [
      'a file stands in the way of its folder',
      async () => {
        await writeFile(join(folder, 'file'), '');
        return join(folder, 'file');
      },
    ],
    [
      'a file stands in the way of its blobs',
      async () => {
        await mkdir(join(folder, sha256(URL).slice(0, 32)));
        await writeFile(join(folder, sha256(URL).slice(0, 32), 'blobs'), '');
        return folder;
      },
    ],
  ])('a worker whose object store is down runs all the same while the store answers when %s', async (_, spoil) => {
    await publish('v1');
    const holder = holderOf({ cache: createReleaseCache(await spoil(), URL) });
    expect((await holder.refresh()).ref.manifestVersion).toBe('v1');
    await Promise.all(keeping);
    expect(notKept).toHaveLength(1);
    expect(holder.status().lastError).toBeUndefined();
  });

  it('a worker whose object store is down leaves no half written file when the disk is full', async () => {
    await kept('v1');
    const blobs = (await listFile()).replace('releases.json', 'blobs');
    // A folder in the blob's place: it cannot be renamed over.
    const next = await aBundle('v2');
    await mkdir(join(blobs, sha256(next), 'x'), { recursive: true });
    await publish('v2');
    await holderOf().refresh();
    await Promise.all(keeping);
    expect(notKept).toHaveLength(1);
    expect((await readdir(blobs)).every((name) => /^[0-9a-f]{64}$/.test(name))).toBe(true);
    expect((await createReleaseCache(folder, URL).last())?.manifest.version).toBe('v1');
  });
});
