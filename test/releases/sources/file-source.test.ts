import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtemp, mkdir, rename, rm, symlink, truncate, utimes, writeFile, cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseSettings } from '../../../src/settings/load-settings';
import { openReleaseSource as openFrom } from '../../../src/releases/sources/open-release-source';
import { createReleaseHolder } from '../../../src/releases/release-holder';
import type { JsonValue } from '../../../src/kernel/json';
import type { ReleaseHolder } from '../../../src/releases/release';
import { describeReleaseSource, objectsOf } from '../../../src/contracts/release-source';
import { jestFramework } from '../../support/jest-framework';
import { aBundle } from './a-bundle';
import { loadPolicy } from '../../../src/releases/sources/load-policy';
import type { ReleaseSource } from '../../../src/releases/sources/release-source';
import { systemTimers } from '../../../src/platform/timers/system-timers';

const openReleaseSource = (manifest: string, release: Record<string, JsonValue> = {}): ReleaseSource => {
  const settings = parseSettings({ release: { manifest, ...release } }, { file: 'settings' }, folder);
  return openFrom({ settings, baseDir: folder }, { env: {} });
};

let folder: string;
let manifestPath: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'planning-engine-source-'));
  manifestPath = join(folder, 'latest.json');
  await writeManifest();
  await writeFile(join(folder, 'bundle.tar.gz'), await aBundle('first'));
  await writeFile(join(folder, 'config.json'), '{"limits": {"maxDelta": 7}}');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const good = { policy: 'bundle.tar.gz', config: 'config.json', version: 'v1' };
const writeManifest = (change: object = {}): Promise<void> =>
  writeFile(manifestPath, JSON.stringify({ ...good, ...change }));

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const fingerprint = async (): Promise<string> => (await openReleaseSource(manifestPath).read()).fingerprint;

function holderOf(manifest: string): ReleaseHolder {
  const source = openReleaseSource(manifest);
  return createReleaseHolder({
    timers: systemTimers,
    read: source.read,
    where: source.where,
    check: async () => [],
    smoke: async () => undefined,
    nowMs: () => 0,
  });
}

describeReleaseSource(jestFramework, 'a folder', async () => {
  const own = await mkdtemp(join(tmpdir(), 'planning-engine-source-'));
  const manifest = join(own, 'latest.json');
  const settings = parseSettings({ release: { manifest } }, { file: 'settings' }, own);
  return {
    source: openFrom({ settings, baseDir: own }, { env: {} }),
    publish: async (release) => {
      for (const [name, bytes] of Object.entries(objectsOf(release))) {
        await writeFile(join(own, `${name}.new`), bytes);
        await rename(join(own, `${name}.new`), join(own, name));
      }
    },
    spoil: () => writeFile(manifest, '{"policy": 1}'),
    withdraw: () => rm(manifest),
    close: () => rm(own, { recursive: true, force: true }),
  };
});

describe('a release named by a manifest file', () => {
  it.each([
    ['a path', () => manifestPath],
    ['a file:// URL', () => pathToFileURL(manifestPath).href],
  ])('a release named by a manifest file is found by %s', async (_, manifest) => {
    const source = openReleaseSource(manifest());
    expect(source.where).toBe(manifestPath);
    expect((await source.read()).manifest).toEqual(good);
  });

  it('a release named by a manifest file has the digests of the bytes that were loaded', async () => {
    const named = await openReleaseSource(manifestPath).read();
    const [policy, loaded] = await Promise.all([named.loadPolicy(), named.loadConfig()]);
    expect(policy.sha).toBe(sha256(await aBundle('first')));
    expect(loaded.configRev).toBe(sha256('{"limits": {"maxDelta": 7}}'));
    expect(loaded.configDocument.limits).toMatchObject({ maxDelta: 7 });
  });

  it('a release named by a manifest file may keep policy and configuration in other folders, relative to the manifest or absolute', async () => {
    await mkdir(join(folder, 'elsewhere'));
    await writeFile(join(folder, 'elsewhere', 'config.json'), '{}');
    await writeManifest({ policy: join(folder, 'bundle.tar.gz'), config: 'elsewhere/config.json' });
    const source = openReleaseSource(manifestPath);
    const named = await source.read();
    expect((await named.loadPolicy()).sha).toBe(sha256(await aBundle('first')));
    expect((await named.loadConfig()).configRev).toBe(sha256('{}'));
    expect(source.configFolder).toBe(join(folder, 'elsewhere'));
  });

  it('a release named by a manifest file may be the folder of a policy, which has the digest of the bundle that it builds', async () => {
    const policyFolder = join(folder, 'policy');
    await cp(resolve(__dirname, '../../../policy'), policyFolder, { recursive: true });
    const [once, again] = await Promise.all([loadPolicy(policyFolder), loadPolicy(policyFolder)]);
    expect(once.sha).toMatch(/^[0-9a-f]{64}$/);
    expect(again.sha).toBe(once.sha);
  });
});

describe('a manifest that is wrong', () => {
  it.each<[string, string, string]>([
    ['empty', '', 'empty'],
    ['half written', '{"policy": "bundle.tar.gz", "conf', 'latest.json:1'],
    ['no object', '[]', 'object'],
    ['without a policy', '{"config": "c", "version": "1"}', 'policy'],
    ['with an empty version', '{"policy": "p", "config": "c", "version": ""}', 'version'],
    ['with a number for a version', '{"policy": "p", "config": "c", "version": 3}', 'version'],
    ['with a key too many', '{"policy": "p", "config": "c", "version": "1", "polciy": "x"}', 'polciy'],
    ['with a key twice', '{"policy": "p", "policy": "q", "config": "c", "version": "1"}', 'twice'],
  ])('a manifest that is wrong, %s, is ManifestInvalid', async (_, text, said) => {
    await writeFile(manifestPath, text);
    const reading = openReleaseSource(manifestPath).read();
    await expect(reading).rejects.toMatchObject({ type: 'ManifestInvalid', message: expect.stringContaining(said) });
    await expect(reading).rejects.toThrow(manifestPath);
    await reading.catch(({ faults }: { faults: { type: string }[] }) => {
      expect(faults.every(({ type }) => type === 'ManifestInvalid')).toBe(true);
    });
  });

  it('an absent manifest is PolicyUnavailable: it is unknown what it would name', async () => {
    await rm(manifestPath);
    await expect(openReleaseSource(manifestPath).read()).rejects.toMatchObject({
      type: 'PolicyUnavailable',
      message: `${manifestPath}: expected a file, but there is none`,
    });
  });

  it('a manifest that is wrong tells all faults at once', async () => {
    await writeFile(manifestPath, '{"policy": "", "config": 3}');
    await expect(openReleaseSource(manifestPath).read()).rejects.toMatchObject({ faults: { length: 3 } });
  });

  it.each(['https://example.com/latest.json', 'file:%zz', 'file://host/share/latest.json'])(
    'a manifest that is wrong cannot be read from %s',
    async (manifest) => {
      await expect(openReleaseSource(manifest).read()).rejects.toMatchObject({
        type: 'ConfigInvalid',
        message: `release.manifest: expected a path or a file:// URL, got "${manifest}"`,
      });
    },
  );
});

describe('digests in the manifest', () => {
  const digests = async () => ({
    policySHA256: sha256(await aBundle('first')),
    configSHA256: sha256('{"limits": {"maxDelta": 7}}'),
  });
  const other = 'f'.repeat(64);

  it('digests in the manifest that fit are taken', async () => {
    await writeManifest(await digests());
    const named = await openReleaseSource(manifestPath, { digests: 'required' }).read();
    expect((await named.loadPolicy()).sha).toBe((await digests()).policySHA256);
    expect((await named.loadConfig()).configRev).toBe((await digests()).configSHA256);
  });

  it('digests in the manifest of other bytes are refused, with what was expected and what was found', async () => {
    await writeManifest({ policySHA256: other, configSHA256: other });
    const named = await openReleaseSource(manifestPath).read();
    const { policySHA256, configSHA256 } = await digests();
    await expect(named.loadPolicy()).rejects.toMatchObject({
      type: 'PolicyInvalid',
      message: `${join(folder, 'bundle.tar.gz')}: expected SHA-256 ${other} as the manifest says, found ${policySHA256}`,
    });
    await expect(named.loadConfig()).rejects.toMatchObject({
      type: 'ManifestInvalid',
      message: `${join(folder, 'config.json')}: expected SHA-256 ${other} as the manifest says, found ${configSHA256}`,
    });
  });

  it('digests in the manifest are asked for where the settings require them, both at once', async () => {
    const reading = openReleaseSource(manifestPath, { digests: 'required' }).read();
    await expect(reading).rejects.toMatchObject({ type: 'ManifestInvalid', faults: { length: 2 } });
    await expect(reading).rejects.toThrow(`${manifestPath}: expected policySHA256, found none`);
  });
});

describe('a policy that cannot be loaded', () => {
  it('a policy that cannot be loaded is a folder where bundles must be signed', async () => {
    await mkdir(join(folder, 'policy'));
    const verifies = { verifies: true, read: () => Promise.reject(new Error('it is never read')) };
    await expect(loadPolicy(join(folder, 'policy'), verifies)).rejects.toMatchObject({
      type: 'PolicyInvalid',
      message: expect.stringContaining('is a folder, which cannot be signed (release.verificationKey is set)'),
    });
  });

  it.each<[string, (path: string) => Promise<unknown>, string, string]>([
    ['missing', (path) => rm(path), 'PolicyInvalid', 'could not be read (ENOENT)'],
    ['empty', (path) => writeFile(path, ''), 'PolicyInvalid', 'gzip'],
    ['text', (path) => writeFile(path, 'package gate'), 'PolicyInvalid', 'gzip'],
    [
      'half of a bundle',
      async (path) => writeFile(path, (await aBundle('x')).slice(0, 100)),
      'PolicyInvalid',
      'archive',
    ],
    [
      'a device',
      async (path) => {
        await rm(path);
        await symlink('/dev/zero', path);
      },
      'PolicyInvalid',
      'is a device or a pipe',
    ],
    ['of no end', (path) => truncate(path, 64 * 2 ** 20 + 1), 'PolicyInvalid', '67108865 bytes, more than 67108864'],
    ['behind a name that is too long', (path) => rm(path), 'PolicyUnavailable', 'could not be read (ENAMETOOLONG)'],
  ])('%s', async (name, spoil, type, said) => {
    const path = join(folder, 'bundle.tar.gz');
    await spoil(path);
    const asked = name.startsWith('behind') ? join(folder, 'n'.repeat(300)) : path;
    await expect(loadPolicy(asked)).rejects.toMatchObject({ type, message: expect.stringContaining(said) });
  });
});

describe('the fingerprint', () => {
  it('the fingerprint stays while nothing changes', async () => {
    expect(await fingerprint()).toBe(await fingerprint());
  });

  it.each<[string, () => Promise<unknown>]>([
    ['the manifest names another version', () => writeManifest({ version: 'v2' })],
    ['the configuration is rewritten', () => writeFile(join(folder, 'config.json'), '{"limits": {"maxDelta": 8}}')],
    ['the policy disappears', () => rm(join(folder, 'bundle.tar.gz'))],
    [
      'a file of the same size and time is renamed over it',
      async () => {
        const [path, other] = [join(folder, 'config.json'), join(folder, 'other.json')];
        await writeFile(other, '{"limits": {"maxDelta": 9}}');
        await Promise.all([path, other].map((each) => utimes(each, 1, 1)));
        const before = await fingerprint();
        await rename(other, path);
        expect(await fingerprint()).not.toBe(before);
      },
    ],
  ])('the fingerprint changes when %s', async (_, change) => {
    const before = await fingerprint();
    await change();
    expect(await fingerprint()).not.toBe(before);
  });

  it.each<[string, (policy: string) => Promise<unknown>]>([
    ['changes', (policy) => writeFile(join(policy, 'deep', 'a.rego'), 'package gate # longer')],
    ['is added', (policy) => writeFile(join(policy, 'deep', 'b.rego'), 'package gate')],
    ['is removed', (policy) => rm(join(policy, 'deep', 'a.rego'))],
    ['moves', (policy) => rename(join(policy, 'deep', 'a.rego'), join(policy, 'a.rego'))],
  ])('the fingerprint changes when a file of the policy folder %s', async (_, change) => {
    const policy = join(folder, 'policy');
    await mkdir(join(policy, 'deep'), { recursive: true });
    await writeFile(join(policy, 'deep', 'a.rego'), 'package gate');
    await writeManifest({ policy: 'policy' });
    const before = await fingerprint();
    await change(policy);
    expect(await fingerprint()).not.toBe(before);
  });
});

describe('a file source and its holder', () => {
  it('a file source with its holder swaps, refuses, recovers and takes a manifest that was renamed over the old one', async () => {
    const holder = holderOf(manifestPath);
    const first = await holder.refresh();
    await writeFile(join(folder, 'config.json'), '{"limits": {"maxDelta": "many"}}');
    await writeManifest({ version: 'v2' });
    const kept = await holder.refresh();
    await writeFile(join(folder, 'config.json'), '{"limtis": {}}');
    expect(await holder.refresh()).toBe(kept);
    expect(holder.status().lastError).toContain('limtis');

    await writeFile(join(folder, 'config-3.json'), '{"limits": {"maxDelta": 3}}');
    const next = join(folder, 'next.json');
    await writeFile(next, JSON.stringify({ ...good, config: 'config-3.json', version: 'v3' }));
    await rename(next, manifestPath);
    expect((await holder.refresh()).ref).toEqual({
      policySha: first.ref.policySha,
      configRev: sha256('{"limits": {"maxDelta": 3}}'),
      manifestVersion: 'v3',
    });
    expect(holder.status().lastError).toBeUndefined();
  });

  it('a file source with its holder keeps the release in force when the manifest disappears', async () => {
    const holder = holderOf(manifestPath);
    const release = await holder.refresh();
    await rm(manifestPath);
    expect(await holder.refresh()).toBe(release);
    expect(holder.status().lastError).toContain(manifestPath);
  });
});

describe('watching the manifest', () => {
  it('the watch of the manifest nudges when another file is renamed over it', async () => {
    const source = openReleaseSource(manifestPath);
    let stop: (() => void) | undefined;
    const nudged = new Promise<void>((resolve) => (stop = source.watch?.(resolve)));
    await writeFile(join(folder, 'next.json'), JSON.stringify({ ...good, version: 'v2' }));
    await rename(join(folder, 'next.json'), manifestPath);
    await nudged;
    stop?.();
  });

  it('the watch of the manifest of a folder that does not exist does nothing, and can be stopped', () => {
    const stop = openReleaseSource(join(folder, 'none', 'latest.json')).watch?.(() => undefined);
    expect(() => stop?.()).not.toThrow();
  });
});
