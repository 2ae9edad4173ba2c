import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  ObjectStoreError,
  PreconditionFailedError,
  type ObjectStore,
} from '../../../src/platform/objects/object-store';
import { sha256 } from '../../../src/kernel/digest';
import { NotConfirmedError } from '../../../src/releases/publishing/point-manifest';
import { carryOut, planPromote, planPublish, type ReleaseFile } from '../../../src/releases/publishing/publish';
import { manifestBytes, readCurrent, type ManifestPlace } from '../../../src/releases/publishing/published-release';
import { releasesInForce } from '../../../src/releases/publishing/in-force';
import { probeStore } from '../../../src/releases/publishing/probe-store';
import { settleNames } from '../../../src/releases/publishing/settle-names';
import { readHistory } from '../../../src/releases/publishing/release-history';
import { planRollback } from '../../../src/releases/publishing/rollback';
import { MemoryObjects } from '../../fakes/memory-objects';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const file = (content: string, extension: string): ReleaseFile => ({ bytes: text(content), extension });
const policy = (content: string): ReleaseFile => file(content, 'tar.gz');
const config = (content: string): ReleaseFile => file(content, 'json');

describe('publishing', () => {
  let objects: MemoryObjects;
  let place: ManifestPlace;
  let acts = 0;
  const act = (by = 'ada') => ({ by, at: new Date(Date.UTC(2026, 10, 1) + (acts += 1)).toISOString() });
  const unreadable: string[] = [];
  const history = (at = place) => readHistory(at, (key) => unreadable.push(key));
  const versions = async (at = place): Promise<string[]> =>
    (await history(at)).map(({ action, manifest }) => `${action} ${manifest.version}`);
  beforeEach(() => {
    objects = new MemoryObjects('s3://gate/r/');
    place = { store: objects, key: 'latest.json' };
    unreadable.length = 0;
  });

  async function publish(
    version: string,
    parts: { policy?: ReleaseFile; config?: ReleaseFile },
    by = 'ada',
    at: ManifestPlace = place,
  ): Promise<boolean> {
    const current = await readCurrent(at);
    const done = act(by);
    const planned = await planPublish(at, current, await history(at), { ...done, version, ...parts });
    if (planned) await carryOut(at, current, planned, done);
    return planned !== undefined;
  }
  async function rollback(version?: string): Promise<boolean> {
    const current = (await readCurrent(place))!;
    const done = act('ann');
    const planned = await planRollback(place, current, await history(), version, done);
    if (planned) await carryOut(place, current, planned, done);
    return planned !== undefined;
  }
  /** what was in force, newest first */
  const took = async (at = place): Promise<string[]> =>
    releasesInForce(await readCurrent(at), await history(at)).map(
      ({ manifest, entry }) => `${entry?.action ?? 'by hand'} ${manifest.version}`,
    );
  const inForce = async () => (await readCurrent(place))?.manifest;

  it('publishing writes the bundle, the configuration, what was done, and last the manifest', async () => {
    objects.takeRequests();
    await publish('v1', { policy: policy('p1'), config: config('c1') });
    const puts = objects.takeRequests().filter((request) => request.startsWith('put'));
    expect(puts).toEqual([
      'put policy-v1.tar.gz',
      'put config-v1.json',
      expect.stringMatching(/^put latest\.history\/20261101T000000\.\d{3}Z-v1\.json$/),
      'put latest.json',
    ]);
    expect(await inForce()).toEqual({
      policy: 'policy-v1.tar.gz',
      config: 'config-v1.json',
      version: 'v1',
      policySHA256: sha256('p1'),
      configSHA256: sha256('c1'),
      publishedBy: 'ada',
      publishedAt: expect.stringMatching(/^2026-11-01T/),
    });
  });

  it('publishing leaves what is not given as the manifest names it', async () => {
    await publish('v1', { policy: policy('p1'), config: config('c1') });
    await publish('v2', { config: config('c2') });
    expect(await inForce()).toMatchObject({ policy: 'policy-v1.tar.gz', config: 'config-v2.json', version: 'v2' });
    await publish('v3', { policy: policy('p3') });
    expect(await inForce()).toMatchObject({
      policy: 'policy-v3.tar.gz',
      config: 'config-v2.json',
      configSHA256: sha256('c2'),
    });
  });

  it('publishing takes the digests of what exists from the files, where a manifest has none', async () => {
    await objects.put('p.tar.gz', text('p'));
    await objects.put('c.pkl', text('c'));
    await objects.put('latest.json', text('{"policy":"p.tar.gz","config":"c.pkl","version":"hand"}'));
    await publish('v2', { config: config('c2') });
    expect(await inForce()).toMatchObject({ policy: 'p.tar.gz', policySHA256: sha256('p') });
  });

  it('publishing changes nothing when exactly this release is in force', async () => {
    await publish('v1', { policy: policy('p1'), config: config('c1') });
    const before = await objects.list('');
    expect(await publish('v1', { policy: policy('p1'), config: config('c1') })).toBe(false);
    expect(await objects.list('')).toEqual(before);
  });

  it.each<[string, string, { policy?: ReleaseFile; config?: ReleaseFile }, string]>([
    ['a version that held something else', 'v1', { config: config('other') }, 'names one release for ever'],
    ['a version that is no name', 'v 3', { config: config('c3') }, 'Expected the version to match'],
    ['a version that leaves the folder', '../v3', { config: config('c3') }, 'Expected the version to match'],
  ])('publishing refuses %s', async (_what, version, parts, why) => {
    await publish('v1', { policy: policy('p1'), config: config('c1') });
    await publish('v2', { config: config('c2') });
    await expect(publish(version, parts)).rejects.toThrow(why);
    expect((await inForce())?.version).toBe('v2');
  });

  it('publishing refuses to leave out what no manifest names yet', async () => {
    await expect(publish('v1', { config: config('c1') })).rejects.toThrow('Expected --policy');
    await expect(publish('v1', { policy: policy('p1') })).rejects.toThrow('Expected --config');
    expect(await objects.list('')).toEqual([]);
  });

  it.each<[string, (objects: MemoryObjects) => Promise<unknown>, string]>([
    ['is gone', (store) => store.delete('policy-v1.tar.gz'), 'which is not there'],
    ['was altered', (store) => store.put('policy-v1.tar.gz', text('altered')), 'expected SHA-256'],
    [
      'is a folder outside',
      (store) => store.put('latest.json', text('{"policy":"../policy","config":"c","version":"x"}')),
      'below s3://gate/r/',
    ],
    ['is named by a manifest that is no JSON', (store) => store.put('latest.json', text('{')), 'expected JSON'],
    ['is named by an unknown manifest', (store) => store.put('latest.json', text('{"x":1}')), 'latest.json'],
  ])('publishing refuses to keep a policy that %s', async (_what, spoil, why) => {
    await publish('v1', { policy: policy('p1'), config: config('c1') });
    await spoil(objects);
    await expect(publish('v2', { config: config('c2') })).rejects.toThrow(why);
  });

  it('publishing continues after a publisher that died anywhere on its way', async () => {
    await publish('v1', { policy: policy('p1'), config: config('c1') });
    for (const dies of ['put policy-v2.tar.gz', 'put config-v2.json', 'put latest.history/', 'put latest.json']) {
      const dying = dyingAt(objects, dies);
      await expect(
        publish('v2', { policy: policy('p2'), config: config('c2') }, 'ada', { ...place, store: dying }),
      ).rejects.toThrow();
      expect((await inForce())?.version).toBe('v1');
    }
    expect(await versions()).toEqual(['publish v2', 'publish v1']);
    expect(await took()).toEqual(['publish v1']);
    expect(await publish('v2', { policy: policy('p2'), config: config('c2') })).toBe(true);
    expect(await took()).toEqual(['publish v2', 'publish v1']);
    // The act that died is no release to point back to.
    await publish('v3', { config: config('c3') });
    expect(await rollback()).toBe(true);
    expect(await took()).toEqual(['rollback v2', 'publish v3', 'publish v2', 'publish v1']);
  });

  it('publishing does not point back to a release that never was in force', async () => {
    await publish('v1', { policy: policy('p1'), config: config('c1') });
    const dying = { ...place, store: dyingAt(objects, 'put latest.json') };
    await expect(publish('v2', { config: config('c2') }, 'ada', dying)).rejects.toThrow();
    await publish('v3', { config: config('c3') });
    await rollback();
    expect((await inForce())?.version).toBe('v1');
  });

  it('publishing points back to the manifest that somebody had written by hand before the first release', async () => {
    await objects.put('p.tar.gz', text('p'));
    await objects.put('c.pkl', text('c'));
    const hand = { policy: 'p.tar.gz', config: 'c.pkl', version: 'hand' };
    await objects.put('latest.json', manifestBytes(hand));
    await publish('v1', { config: config('c1') });
    expect(await took()).toEqual(['publish v1', 'by hand hand']);
    await rollback();
    expect(await inForce()).toMatchObject({ ...hand, policySHA256: sha256('p'), configSHA256: sha256('c') });
  });

  it('publishing finds what was in force although the clock of one publisher is behind', async () => {
    await publish('v1', { policy: policy('p1'), config: config('c1') });
    const current = await readCurrent(place);
    const past = { by: 'late', at: '2020-01-01T00:00:00.000Z' };
    const planned = await planPublish(place, current, await history(), {
      ...past,
      version: 'v2',
      config: config('c'),
    });
    await carryOut(place, current, planned!, past);
    expect(await took()).toEqual(['publish v2', 'publish v1']);
    await rollback();
    expect((await inForce())?.version).toBe('v1');
  });

  it('publishing lets one of two publishers win, and tells the other who did', async () => {
    await publish('v1', { policy: policy('p1'), config: config('c1') });
    const current = await readCurrent(place);
    const [one, two] = [act('ada'), act('bob')];
    const plans = await Promise.all(
      [one, two].map(async (done, index) =>
        planPublish(place, current, await history(), { ...done, version: `v${index + 2}`, config: config(done.by) }),
      ),
    );
    await carryOut(place, current, plans[0]!, one);
    await expect(carryOut(place, current, plans[1]!, two)).rejects.toMatchObject({
      type: 'RevisionConflict',
      message: expect.stringContaining('it names v2, published by ada'),
    });
    expect(await versions()).toEqual(['publish v2', 'publish v1']);
  });

  it('publishing refuses files under a name that is taken by other content', async () => {
    await objects.put('policy-v1.tar.gz', text('somebody else’s'));
    await expect(publish('v1', { policy: policy('p1'), config: config('c1') })).rejects.toThrow('other content');
    expect(await inForce()).toBeUndefined();
  });

  it('publishing knows its own manifest again when the answer to its write was lost', async () => {
    const lossy = failing(objects, 'put latest.json', async (put) => {
      await put();
      throw new PreconditionFailedError('latest.json');
    });
    await publish('v1', { policy: policy('p1'), config: config('c1') }, 'ada', { ...place, store: lossy });
    expect(await versions()).toEqual(['publish v1']);
  });

  it('publishing says that nothing is confirmed when the store goes away at the last write', async () => {
    let gone = false;
    const away = failing(
      objects,
      'put latest.json',
      () => {
        gone = true;
        return Promise.reject(new ObjectStoreError('timeout'));
      },
      () => (gone ? Promise.reject(new ObjectStoreError('away')) : undefined),
    );
    await expect(
      publish('v1', { policy: policy('p1'), config: config('c1') }, 'ada', { ...place, store: away }),
    ).rejects.toBeInstanceOf(NotConfirmedError);
  });

  it('publishing keeps its entry while the write may still arrive: a release in force must be in the history', async () => {
    let late: (() => Promise<unknown>) | undefined;
    const slow = failing(objects, 'put latest.json', (put) => {
      late = put;
      return Promise.reject(new ObjectStoreError('timeout'));
    });
    await expect(
      publish('v1', { policy: policy('p1'), config: config('c1') }, 'ada', { ...place, store: slow }),
    ).rejects.toBeInstanceOf(NotConfirmedError);
    expect(await took()).toEqual([]);
    await late?.();
    expect(await took()).toEqual(['publish v1']);
  });

  it('publishing keeps its entry when somebody else replaced its release before the lost answer was asked for again', async () => {
    await publish('v1', { policy: policy('p1'), config: config('c1') });
    const overtaken = failing(objects, 'put latest.json', async (put) => {
      await put();
      await publish('v3', { config: config('c3') }, 'bob');
      throw new PreconditionFailedError('latest.json');
    });
    await expect(publish('v2', { config: config('c2') }, 'ada', { ...place, store: overtaken })).rejects.toMatchObject({
      type: 'RevisionConflict',
      message: expect.stringMatching(/it names v3, published by bob.*It may have named v2 before that/),
    });
    expect(await took()).toEqual(['publish v3', 'publish v2', 'publish v1']);
  });

  it('publishing takes its entry back when it lost, though its release had been in force long before', async () => {
    await publish('v1', { policy: policy('p1'), config: config('c1') });
    await publish('v2', { config: config('c2') });
    const current = await readCurrent(place);
    const planned = await planRollback(place, current!, await history(), 'v1', act('ann'));
    await publish('v3', { config: config('c3') }, 'bob');
    await expect(carryOut(place, current, planned!, act('ann'))).rejects.toMatchObject({ type: 'RevisionConflict' });
    expect(await versions()).toEqual(['publish v3', 'publish v2', 'publish v1']);
  });

  it('publishing knows a manifest again that somebody wrote again with its keys in another order', async () => {
    await publish('v1', { policy: policy('p1'), config: config('c1') });
    const manifest = (await inForce())!;
    const turned = Object.fromEntries(Object.entries(manifest).reverse());
    await objects.put('latest.json', text(JSON.stringify(turned)));
    expect(await took()).toEqual(['publish v1']);
  });

  it('publishing does not take the answer to its own repeated write for a conflict', async () => {
    const twice = failing(objects, 'put ', async (put) => {
      await put();
      return put();
    });
    await publish('v1', { policy: policy('p1'), config: config('c1') }, 'ada', { ...place, store: twice });
    expect(await took()).toEqual(['publish v1']);
  });

  it('publishing tells a name that is just being written from one that is taken', async () => {
    const busy = failing(objects, 'put policy', () => Promise.reject(new PreconditionFailedError('policy-v1.tar.gz')));
    await expect(
      publish('v1', { policy: policy('p1'), config: config('c1') }, 'ada', { ...place, store: busy }),
    ).rejects.toThrow('policy-v1.tar.gz is being written by somebody else at this moment');
  });

  it('a version whose publish failed is published again, with other content under a name of its digest', async () => {
    await objects.put('config-v1.json', text('of a publish that failed'));
    const plan = (at: ManifestPlace) =>
      planPublish(at, undefined, [], { ...act(), version: 'v1', policy: policy('p1'), config: config('c1') });
    const settled = await settleNames(place, (await plan(place))!);
    const name = `config-v1-${sha256(text('c1')).slice(0, 12)}.json`;
    expect(settled).toMatchObject({
      manifest: { config: name, policy: 'policy-v1.tar.gz' },
      files: [{ key: 'policy-v1.tar.gz' }, { key: name }],
    });
    await carryOut(place, undefined, settled, act());
    expect((await inForce())?.config).toBe(name);
    expect(new TextDecoder().decode((await objects.get('config-v1.json'))?.bytes)).toBe('of a publish that failed');

    // A manifest beside it shares the names of files: there the version stands for what the first one named.
    const beside = { ...place, key: 'other.json' };
    await expect(settleNames(beside, (await plan(beside))!)).rejects.toThrow(
      'config-v1.json is there already with other content',
    );
    await objects.put('config-v1.json', text('c1'));
    expect((await settleNames(beside, (await plan(beside))!)).files.map(({ key }) => key)).toEqual([
      'policy-v1.tar.gz',
      'config-v1.json',
    ]);
  });

  it.each<[string, (put: () => Promise<{ etag: string }>) => Promise<{ etag: string }>, string | undefined]>([
    ['keeps conditions', (put) => put(), undefined],
    ['refuses the scratch key', () => Promise.reject(new ObjectStoreError('no', 403)), 'may not be written (403)'],
  ])('a probe of a store that %s keeps no one from publishing', async (_what, answer, warning) => {
    const found = await probeStore({ ...place, store: failing(objects, 'put .gate-probe-', answer) });
    expect(found).toEqual(warning === undefined ? undefined : expect.stringContaining(warning));
    expect(await objects.list('')).toEqual([]);
  });

  it('a probe refuses a store that ignores conditions, and deletes what it made', async () => {
    const ignoring: ObjectStore = {
      ...failing(objects, 'put ', (put) => put()),
      put: (key, bytes) => objects.put(key, bytes),
    };
    await expect(probeStore({ ...place, store: ignoring })).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message: expect.stringContaining('to refuse a write whose condition (If-Match) is false'),
    });
    expect(await objects.list('')).toEqual([]);
  });

  it('publishing refuses a version that exists without digests to compare', async () => {
    await objects.put('latest.json', manifestBytes({ policy: 'p', config: 'c', version: 'v1' }));
    await expect(publish('v1', { policy: policy('p1'), config: config('c1') })).rejects.toThrow(
      'named v1 before (written by hand)',
    );
  });

  it('publishing takes its entry back when the store refuses the manifest', async () => {
    const refusing = failing(objects, 'put latest.json', () => Promise.reject(new ObjectStoreError('denied', 403)));
    await expect(
      publish('v1', { policy: policy('p1'), config: config('c1') }, 'ada', { ...place, store: refusing }),
    ).rejects.toThrow('denied');
    expect(await versions()).toEqual([]);
  });

  describe('rolling back', () => {
    beforeEach(async () => {
      await publish('v1', { policy: policy('p1'), config: config('c1') });
      await publish('v2', { config: config('c2') });
      await publish('v3', { policy: policy('p3') });
    });

    it('rolling back points to the release before by a new manifest of its own time', async () => {
      const [third, second] = await history();
      await rollback();
      const now = (await inForce())!;
      expect(now).toEqual({ ...second!.manifest, publishedBy: 'ann', publishedAt: now.publishedAt });
      expect(now.publishedAt! > third!.manifest.publishedAt!).toBe(true);
      expect(await versions()).toEqual(['rollback v2', 'publish v3', 'publish v2', 'publish v1']);
    });

    it('rolling back points to a release by its name, and back again', async () => {
      await rollback('v1');
      expect((await inForce())?.version).toBe('v1');
      expect((await took())[0]).toBe('rollback v1');
      await rollback('v3');
      expect((await inForce())?.version).toBe('v3');
      expect(await rollback('v3')).toBe(false);
    });

    it('rolling back twice does not roll forward: the second one has to say where to', async () => {
      await rollback();
      const refused =
        /names v2 by the roll back of ann at .*, which left v3. Go further back with --version v1, or back to v3/;
      await expect(rollback()).rejects.toMatchObject({
        type: 'ConfigInvalid',
        message: expect.stringMatching(refused),
      });
      expect((await inForce())?.version).toBe('v2');
      await rollback('v1');
      await expect(rollback()).rejects.toThrow('which left v2. Go back to v2 with --version v2; gate policy history');
      await publish('v4', { config: config('c4') });
      await rollback();
      expect((await inForce())?.version).toBe('v1');
    });

    it('rolling back leaves a broken manifest that somebody put there by hand', async () => {
      const broken = { policy: 'x', config: 'y', version: 'v9' };
      await objects.put('latest.json', manifestBytes(broken));
      await rollback();
      expect((await inForce())?.version).toBe('v3');
    });

    it('rolling back refuses an unknown version, and one whose files are gone', async () => {
      await expect(rollback('v7')).rejects.toThrow('it has named only v3, v2, v1');
      await objects.delete('config-v1.json');
      await expect(rollback('v1')).rejects.toThrow('config-v1.json, which is not there');
    });

    it('rolling back has nothing to point back to at the first release', async () => {
      for (const key of await objects.list('latest.history/')) await objects.delete(key);
      await expect(rollback()).rejects.toThrow('it has named only v3');
    });

    it('rolling back passes over entries of the history that cannot be read', async () => {
      for (const [name, content] of [
        ['z', 'x'],
        ['y', '[]'],
        ['x', '{"action":"publish"}'],
      ]) {
        await objects.put(`latest.history/${name}.json`, text(content ?? ''));
      }
      expect(await versions()).toHaveLength(3);
      expect(unreadable).toHaveLength(3);
    });
  });

  describe('promoting', () => {
    let production: ManifestPlace;
    beforeEach(async () => {
      production = { store: new MemoryObjects('s3://prod/r/'), key: 'production.json' };
      await publish('v1', { policy: policy('p1'), config: file('c1', 'pkl') });
      await publish('v2', { policy: policy('p2') });
    });
    async function promote(): Promise<boolean> {
      const current = await readCurrent(production);
      const promoted = (await readCurrent(place))!;
      const done = act('ann');
      const planned = await planPromote(place, promoted, production, current, await history(production), done);
      if (planned) await carryOut(production, current, planned, done);
      return planned !== undefined;
    }

    it('promoting copies the release whole, under its version, in a manifest of who promoted it', async () => {
      await promote();
      expect((await readCurrent(production))?.manifest).toEqual({
        ...(await inForce()),
        policy: 'policy-v2.tar.gz',
        config: 'config-v2.pkl',
        publishedBy: 'ann',
        publishedAt: expect.any(String),
      });
      expect((await production.store.get('config-v2.pkl'))?.bytes).toEqual(text('c1'));
      expect(await history(production)).toMatchObject([
        { action: 'promote', by: 'ann', from: 's3://gate/r/latest.json' },
      ]);
      expect(await promote()).toBe(false);
    });

    it('promoting works between two manifests of one folder, which keep histories of their own', async () => {
      production = { store: objects, key: 'production.json' };
      await promote();
      const manifest = (await readCurrent(production))!.manifest;
      expect(manifest).toMatchObject({ policy: 'policy-v2.tar.gz', config: 'config-v2.pkl', version: 'v2' });
      expect((await objects.get(manifest.config))?.bytes).toEqual(text('c1'));
      expect([await took(production), await took()]).toEqual([['promote v2'], ['publish v2', 'publish v1']]);
    });

    it('promoting points back instead of promoting what was in force before', async () => {
      await promote();
      await publish('v3', { policy: policy('p3') });
      await promote();
      const current = (await readCurrent(production))!;
      const second = (await history(production)).find((entry) => entry.manifest.version === 'v2');
      await rollback('v2');
      await expect(promote()).rejects.toThrow('gate policy rollback --version v2 points back to it');
      expect([current.manifest.version, second?.from]).toEqual(['v3', 's3://gate/r/latest.json']);
    });

    it('promoting does not copy what is not what the manifest says', async () => {
      await objects.put('policy-v2.tar.gz', text('altered'));
      await expect(promote()).rejects.toThrow('expected SHA-256');
      expect(await production.store.list('')).toEqual([]);
    });

    it('promoting does not give a version another content than it had', async () => {
      await publish('v2', { policy: policy('p'), config: config('c') }, 'bob', production);
      await expect(promote()).rejects.toThrow('names one release for ever');
    });
  });
});

/** The store as it is for a process that is killed in the middle of one request. */
function dyingAt(objects: ObjectStore, request: string): ObjectStore {
  let dead = false;
  const die = (): Promise<never> => {
    dead = true;
    return Promise.reject(new Error('killed'));
  };
  return failing(objects, request, die, () => (dead ? Promise.reject(new Error('killed')) : undefined));
}

/** `objects`, where the put that `request` begins is done by `fail`, and everything else first asks `before`. */
function failing(
  objects: ObjectStore,
  request: string,
  fail: (put: () => Promise<{ etag: string }>) => Promise<{ etag: string }>,
  before: () => Promise<never> | undefined = () => undefined,
): ObjectStore {
  return {
    url: objects.url,
    get: async (...args) => (await before()) ?? objects.get(...args),
    getUnlessSame: async (...args) => (await before()) ?? objects.getUnlessSame(...args),
    has: async (...args) => (await before()) ?? objects.has(...args),
    list: async (...args) => (await before()) ?? objects.list(...args),
    delete: async (...args) => (await before()) ?? objects.delete(...args),
    put: async (...args) => {
      await before();
      if (`put ${args[0]}`.startsWith(request)) return fail(() => objects.put(...args));
      return objects.put(...args);
    },
  };
}
