import { messageOf } from '../../../kernel/message-of';
import { sha256 } from '../../../kernel/digest';
import { FailureType, GateError } from '../../../kernel/failures';
import { PreconditionFailedError, type ObjectStore } from '../../../platform/objects/object-store';
import { dayOf, type PartRef, type PartStore } from '../../part-store';

/** Beside the big facts of records, which are under their days. */
const FOLDER = 'parts/';

/** Parts beside the big facts of records: each an object under its day and digest, `parts/<day>/<sha256>`. */
export function createObjectParts(store: ObjectStore, nowMs: () => number = Date.now): PartStore {
  async function attempt<T>(type: FailureType, doing: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const why = messageOf(error);
      throw new GateError(type, `Cannot ${doing} in ${store.url}: ${why}`, undefined, { cause: error });
    }
  }

  return {
    where: store.url,
    put: (bytes) =>
      attempt(FailureType.AuditWriteFailed, `store ${bytes.length} bytes of facts`, async () => {
        const ref: PartRef = { sha256: sha256(bytes), bytes: bytes.length, day: dayOf(nowMs()) };
        try {
          await store.put(keyOf(ref), bytes, { ifAbsent: true });
        } catch (error) {
          // Its name is its digest: an earlier attempt has put it there.
          if (!(error instanceof PreconditionFailedError)) throw error;
        }
        return ref;
      }),
    get: (ref) =>
      attempt(FailureType.AuditUnavailable, 'read facts that were put aside', async () => {
        return (await store.get(keyOf(ref)))?.bytes;
      }),
    sweep: (beforeMs) =>
      attempt(FailureType.AuditUnavailable, 'delete facts that were put aside', async () => {
        const before = dayOf(beforeMs);
        const keys = (await store.list(FOLDER)).filter((key) => key.slice(FOLDER.length).split('/')[0]! < before);
        for (const key of keys) await store.delete(key);
        return keys.length;
      }),
  };
}

function keyOf({ day, sha256: digest }: PartRef): string {
  return `${FOLDER}${day}/${digest}`;
}
