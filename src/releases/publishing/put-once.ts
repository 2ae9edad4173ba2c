import { FailureType, GateError } from '../../kernel/failures';
import { PreconditionFailedError, type ObjectStore } from '../../platform/objects/object-store';
import { sha256 } from '../../kernel/digest';
import { MAX_POLICY_BYTES } from './published-release';

/**
 * Writes an object that never changes once it is there. The same bytes are there already when an earlier try died, or when
 * the answer to the write was lost and the client repeated it.
 *
 * @throws GateError RevisionConflict when the name is taken by other content, or just being written; ObjectStoreError
 */
export async function putOnce(store: ObjectStore, key: string, bytes: Uint8Array): Promise<void> {
  try {
    await store.put(key, bytes, { ifAbsent: true });
  } catch (error) {
    if (!(error instanceof PreconditionFailedError)) throw error;
    if (await isThere(store, key, bytes)) return;
    // S3 answers so too while another write of the name is under way: what comes of that is not known yet.
    const message = `${store.url}${key} is being written by somebody else at this moment; try again`;
    throw new GateError(FailureType.RevisionConflict, message, undefined, { cause: error });
  }
}

/** Whether a name has other content. @throws ObjectStoreError */
export async function isTaken(store: ObjectStore, key: string, bytes: Uint8Array): Promise<boolean> {
  const there = await store.get(key, { maxBytes: MAX_POLICY_BYTES });
  return there !== undefined && sha256(there.bytes) !== sha256(bytes);
}

async function isThere(store: ObjectStore, key: string, bytes: Uint8Array): Promise<boolean> {
  const there = await store.get(key, { maxBytes: MAX_POLICY_BYTES });
  if (!there) return false;
  if (sha256(there.bytes) !== sha256(bytes)) throw takenError(store, key);
  return true;
}

/** That a file of a version cannot be replaced. */
export function takenError(store: ObjectStore, key: string): GateError {
  const message = `${store.url}${key} is there already with other content; a version's files never change: publish under another version`;
  return new GateError(FailureType.RevisionConflict, message);
}
