import { randomUUID } from 'node:crypto';
import { FailureType, GateError } from '../../kernel/failures';
import { ObjectStoreError, PreconditionFailedError } from '../../platform/objects/object-store';
import type { ManifestPlace } from './published-release';

/** What no object has as its tag. */
const NO_TAG = '"00000000000000000000000000000000"';

/**
 * One write on a condition that is false, under a key of its own: a store that carries it out ignores conditions, and of two
 * publishers both would win. What such a store made is deleted.
 *
 * @returns why the store could not be tried; undefined when it keeps conditions
 * @throws GateError ConfigInvalid for a store that ignores them; ObjectStoreError where it cannot be written at all
 */
export async function probeStore({ store }: ManifestPlace): Promise<string | undefined> {
  // Folders are written by this program itself.
  if (!store.url.startsWith('s3:')) return undefined;
  const key = `.gate-probe-${randomUUID()}`;
  try {
    await store.put(key, new TextEncoder().encode('a probe of conditional writes\n'), { ifMatch: NO_TAG });
  } catch (error) {
    if (error instanceof PreconditionFailedError) return undefined;
    if (!(error instanceof ObjectStoreError) || error.status !== 403) throw error;
    return `whether ${store.url} keeps conditions of writes is not known: ${store.url}${key} may not be written (403)`;
  }
  const left = await store.delete(key).then(
    () => '',
    () => `; ${store.url}${key} could not be deleted`,
  );
  const message = `Expected ${store.url} to refuse a write whose condition (If-Match) is false, but it was carried out: of two publishers both would win${left}`;
  throw new GateError(FailureType.ConfigInvalid, message);
}
