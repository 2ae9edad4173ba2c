import { canonicalJson } from '../../kernel/canonical-json';
import { FailureType, faultsToError } from '../../kernel/failures';
import { isJsonObject, type JsonObject } from '../../kernel/json';
import { parseJsonText } from '../../platform/documents/json-text';
import type { Page, PageRequest } from './rule-service';

const DEFAULT_SIZE = 50;
const MAX_SIZE = 1_000;

/**
 * One page of a list that continues after its last item. The token holds the place and the question, so that one of another
 * question is refused.
 *
 * @param question what the list is of
 * @param read the items after a place, at most as many as asked
 * @param placeOf where an item is in the order
 * @param isPlace whether this is one: a token comes back from outside
 * @throws GateError ConfigInvalid for a size or a token that is wrong
 */
export async function readPage<Item, Place extends JsonObject>(
  { pageSize = DEFAULT_SIZE, pageToken }: PageRequest,
  question: JsonObject,
  read: (after: Place | undefined, limit: number) => Promise<Item[]>,
  placeOf: (item: Item) => Place,
  isPlace: (found: JsonObject) => boolean,
): Promise<Page<Item>> {
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_SIZE) {
    throw wrong('pageSize', `expected a whole number from 1 to ${MAX_SIZE}, got ${String(pageSize)}`);
  }
  const asked = canonicalJson(question);
  const after = pageToken === undefined || pageToken === '' ? undefined : placeIn<Place>(pageToken, asked, isPlace);
  // One more than asked tells whether there is a next page.
  const items = await read(after, pageSize + 1);
  if (items.length <= pageSize) return { items };
  const page = items.slice(0, pageSize);
  const token = JSON.stringify({ asked, after: placeOf(page.at(-1)!) });
  return { items: page, nextPageToken: Buffer.from(token).toString('base64url') };
}

function placeIn<Place extends JsonObject>(
  token: string,
  asked: string,
  isPlace: (found: JsonObject) => boolean,
): Place {
  const read = decoded(token);
  if (isJsonObject(read) && isJsonObject(read.after) && read.asked === asked && isPlace(read.after)) {
    return read.after as Place;
  }
  const why =
    isJsonObject(read) && 'asked' in read && read.asked !== asked ? 'of another question' : 'that no page gave';
  throw wrong('pageToken', `expected the token of the page before, got one ${why}`);
}

function decoded(token: string): unknown {
  try {
    return parseJsonText(Buffer.from(token, 'base64url').toString());
  } catch {
    return undefined;
  }
}

function wrong(where: string, sentence: string) {
  return faultsToError([{ type: FailureType.ConfigInvalid, message: `${where}: ${sentence}`, where }]);
}
