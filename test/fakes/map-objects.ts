import { ObjectStoreError, PreconditionFailedError, type ObjectStore } from '../../src/objects/object-store';

export interface MapObjects extends ObjectStore {
  /** what stands where; a test may alter it */
  readonly objects: Map<string, Uint8Array>;
  /** while set, every call fails so */
  failWith?: ObjectStoreError;
}

/** Objects in memory. */
export function createMapObjects(url = 's3://facts/audit/'): MapObjects {
  const objects = new Map<string, Uint8Array>();
  let puts = 0;
  const tags = new Map<string, string>();
  const read = (key: string) => {
    if (store.failWith !== undefined) throw store.failWith;
    const bytes = objects.get(key);
    return bytes && { bytes, etag: tags.get(key) ?? '' };
  };
  const store: MapObjects = {
    url,
    objects,
    get: async (key) => read(key),
    getUnlessSame: async (key, etag) => {
      const found = read(key);
      return found?.etag === etag ? 'unchanged' : found;
    },
    put: async (key, bytes, condition) => {
      const found = read(key);
      if (condition !== undefined && 'ifAbsent' in condition && found !== undefined)
        throw new PreconditionFailedError(key);
      if (condition !== undefined && 'ifMatch' in condition && found?.etag !== condition.ifMatch)
        throw new PreconditionFailedError(key);
      puts += 1;
      objects.set(key, bytes);
      tags.set(key, `"${puts}"`);
      return { etag: `"${puts}"` };
    },
    delete: async (key) => void objects.delete(key),
    list: async (prefix) => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(),
  };
  return store;
}
