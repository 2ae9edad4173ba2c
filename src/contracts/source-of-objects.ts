import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ObjectStoreError, type ObjectReader } from '../platform/objects/object-store';
import { releasesFromObjects } from '../releases/sources/releases-from-objects';
import { parseSettings } from '../settings/load-settings';
import { objectsOf, type SourceUnderTest } from './release-source';

/** A place of objects under test. */
export interface PlaceOfObjects {
  reader: ObjectReader;
  /** makes these the objects that there are; without `latest.json` there is no manifest, whatever else remains */
  publish(objects: Readonly<Record<string, Uint8Array>>): Promise<void>;
}

/**
 * For `describeReleaseSource`: the source that `releasesFromObjects` makes of a place, with its copy on disk in a folder of
 * its own. It is put out of reach by an `ObjectStoreError` of every request.
 */
export async function sourceOfObjects({ reader, publish }: PlaceOfObjects): Promise<SourceUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'gate-source-'));
  let isWithin = true;
  const checkReach = (): void => {
    if (!isWithin) throw new ObjectStoreError('no one answers');
  };
  const objects: ObjectReader = {
    get: async (key, options) => (checkReach(), reader.get(key, options)),
    getUnlessSame: async (key, etag, options) => (checkReach(), reader.getUnlessSame(key, etag, options)),
    has: async (key) => (checkReach(), reader.has(key)),
  };
  const url = 'objects://contract/latest.json';
  const settings = parseSettings({ release: { cacheFolder: 'cache' } }, { file: 'settings' }, folder);
  return {
    source: releasesFromObjects({ settings, baseDir: folder }, { url, objects, env: {} }),
    publish: (release) => publish(objectsOf(release)),
    spoil: () => publish({ 'latest.json': Buffer.from('{"policy": 1}') }),
    withdraw: () => publish({}),
    reach: async (now) => void (isWithin = now),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
