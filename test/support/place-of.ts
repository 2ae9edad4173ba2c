import type { PlaceOfObjects } from '../../src/contracts/source-of-objects';
import type { ObjectStore } from '../../src/platform/objects/object-store';

/** A store as a place of releases: what is published is all that it holds. */
export function placeOf(store: ObjectStore): PlaceOfObjects {
  return {
    reader: store,
    publish: async (objects) => {
      for (const [key, bytes] of Object.entries(objects)) await store.put(key, bytes);
      for (const key of await store.list('')) if (!(key in objects)) await store.delete(key);
    },
  };
}
