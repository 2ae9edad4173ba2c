import { sha256 } from '../../../kernel/digest';
import { FailureType, GateError } from '../../../kernel/failures';
import { PreconditionFailedError, type ObjectStore } from '../../../platform/objects/object-store';
import {
  MAX_ITEM_BYTES,
  itemBytes,
  moveParts,
  nameOf,
  partRefs,
  putBack,
  refAttribute,
  toRefAttribute,
  type Item,
  type LostPart,
  type MovedPart,
  type PartRef,
} from './item';

/** How many objects are fetched at once. */
const FETCHES = 8;

/**
 * The item as it may be put: one that is too big leaves its facts (and whatever else it must) in objects beside it, each
 * under its day and digest, `<day>/<sha256>.json`, so that a life cycle of the bucket ends them with the records. The
 * objects are there when this resolves; the item comes after.
 *
 * @throws GateError AuditWriteFailed when it is too big and no place is configured, or nothing is left to take out;
 *   ObjectStoreError
 */
export async function storeBigParts(item: Item, store: ObjectStore | undefined): Promise<Item> {
  const bytes = itemBytes(item);
  if (bytes <= MAX_ITEM_BYTES) return item;
  const found = `it takes ${bytes} bytes, and DynamoDB takes no more than 400 KB`;
  if (store === undefined) {
    throw refused(item, `${found}; set audit.store.bigFacts to a bucket of S3 for the facts of such records`);
  }
  const { item: rest, moved } = moveParts(item);
  for (const part of moved) {
    const content = Buffer.from(part.json);
    const digest = sha256(content);
    const key = `${item.day?.S}/${digest}.json`;
    try {
      await store.put(key, content, { ifAbsent: true });
    } catch (error) {
      // An earlier attempt has put it there; its name is its digest.
      if (!(error instanceof PreconditionFailedError)) throw error;
    }
    rest[refAttribute(part.field)] = toRefAttribute({
      uri: `${store.url}${key}`,
      sha256: digest,
      bytes: content.length,
    });
  }
  if (itemBytes(rest) > MAX_ITEM_BYTES) throw refused(item, `${found}, even without its facts and reasons`);
  return rest;
}

/**
 * Items with their parts put back, in the same order.
 *
 * @throws GateError AuditUnavailable when a part is gone or is not what was put there; ObjectStoreError
 */
export async function fetchBigParts(items: readonly Item[], store: ObjectStore | undefined): Promise<Item[]> {
  const whole: Item[] = [];
  for (let at = 0; at < items.length; at += FETCHES) {
    whole.push(...(await Promise.all(items.slice(at, at + FETCHES).map((item) => fetchParts(item, store)))));
  }
  return whole;
}

/**
 * Items with the parts that are still there put back, in the same order, and what became of the others. A store that cannot
 * be asked is another matter: nothing is known of any part then.
 *
 * @throws ObjectStoreError
 */
export async function fetchWhatIsLeft(
  items: readonly Item[],
  store: ObjectStore | undefined,
): Promise<{ item: Item; lost: LostPart[] }[]> {
  const found: { item: Item; lost: LostPart[] }[] = [];
  for (let at = 0; at < items.length; at += FETCHES) {
    found.push(...(await Promise.all(items.slice(at, at + FETCHES).map((item) => fetchLeft(item, store)))));
  }
  return found;
}

async function fetchLeft(item: Item, store: ObjectStore | undefined): Promise<{ item: Item; lost: LostPart[] }> {
  const parts: MovedPart[] = [];
  const lost: LostPart[] = [];
  for (const { field, ref } of partRefs(item)) {
    try {
      parts.push({ field, json: await fetchPart(item, field, ref, store) });
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      lost.push({ field, why: error.message.replace('Cannot read the audit log: ', '') });
    }
  }
  return { item: parts.length === 0 ? item : putBack(item, parts), lost };
}

async function fetchParts(item: Item, store: ObjectStore | undefined): Promise<Item> {
  const refs = partRefs(item);
  if (refs.length === 0) return item;
  const parts: MovedPart[] = [];
  for (const { field, ref } of refs) parts.push({ field, json: await fetchPart(item, field, ref, store) });
  return putBack(item, parts);
}

async function fetchPart(item: Item, field: string, ref: PartRef, store: ObjectStore | undefined): Promise<string> {
  const what = `the ${field} of ${nameOf(item)} are in ${ref.uri}`;
  if (store === undefined || !ref.uri.startsWith(store.url)) {
    throw unreadable(`${what}, but audit.store.bigFacts names ${store?.url ?? 'no place'}`);
  }
  const found = await store.get(ref.uri.slice(store.url.length));
  if (found === undefined) throw unreadable(`${what}, and this object is gone`);
  const digest = sha256(found.bytes);
  if (digest !== ref.sha256) {
    throw unreadable(`${what}, and this object was altered: expected SHA-256 ${ref.sha256}, found ${digest}`);
  }
  return Buffer.from(found.bytes).toString('utf8');
}

function refused(item: Item, why: string): GateError {
  const message = `Cannot record ${item.kind?.S} ${item.decisionID?.S}: ${why}`;
  return new GateError(FailureType.AuditWriteFailed, message);
}

function unreadable(why: string): GateError {
  return new GateError(FailureType.AuditUnavailable, `Cannot read the audit log: ${why}`);
}
