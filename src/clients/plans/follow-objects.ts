import { setTimeout as sleep } from 'node:timers/promises';
import { FailureType, GateError } from '../../kernel/failures';
import { isJsonObject, type JsonObject } from '../../kernel/json';
import type { PlanObject } from '../../plans/object';
import { PlanFailure } from '../../plans/service/plan-failure';
import type { ObjectPlace } from './plan-client';
import { pathOf, readObject, withQuery, type PlanRequests } from './plan-requests';

/** What happens to objects that are followed. */
export type Followed =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: PlanObject }
  /** all objects that there were have been told */
  | { type: 'LISTED' }
  /** the connection was lost, and is tried again */
  | { type: 'LOST'; why: string };

/** Between two attempts. */
const AGAIN_MS = 1_000;

/**
 * The objects that there are, then what happens to them, until `signal` is aborted. After a lost connection it continues where it
 * was. Where the server has forgotten that, the objects are listed again, and what is different from before is told.
 *
 * @throws as `PlanRequests.ask` does: at the first connection, and when the server refuses later
 */
export async function* followObjects(
  requests: PlanRequests,
  place: ObjectPlace,
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  const known = new Map<string, PlanObject>();
  let last: string | undefined;
  let wasConnected = false;
  let isLost = false;
  while (!signal.aborted) {
    try {
      const chunks = await requests.stream(watchPath(place, last), signal);
      wasConnected = true;
      isLost = false;
      // Objects of a list come in the order of their places: none of their revisions says what has been told.
      let unseen = last === undefined ? new Set(known.keys()) : undefined;
      for await (const { type, object } of eventsOf(chunks)) {
        if (type === 'ERROR') throw new PlanFailure(object);
        if (type === 'BOOKMARK') {
          last = revisionOf(object) ?? last;
          if (unseen === undefined) continue;
          for (const key of unseen) yield { type: 'DELETED', object: take(known, key)! };
          unseen = undefined;
          yield { type: 'LISTED' };
        } else if (isChange(type)) {
          const told = object as unknown as PlanObject;
          const key = keyOf(told);
          const before = take(known, key);
          if (type !== 'DELETED') known.set(key, told);
          if (unseen === undefined) {
            last = revisionOf(object) ?? last;
            yield { type, object: told };
          } else {
            unseen.delete(key);
            if (before?.metadata.resourceVersion === told.metadata.resourceVersion) continue;
            yield { type: before === undefined ? 'ADDED' : 'MODIFIED', object: told };
          }
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof PlanFailure && error.body.reason === 'Expired') {
        last = undefined;
        continue;
      }
      if (!wasConnected || !isPassing(error)) throw error;
      if (!isLost) yield { type: 'LOST', why: (error as Error).message };
      isLost = true;
    }
    // A stream that ended by itself is resumed too.
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}

function watchPath(place: ObjectPlace, last: string | undefined): string {
  return withQuery(pathOf({ ...place, name: undefined }), {
    watch: 'true',
    allowWatchBookmarks: 'true',
    sendInitialEvents: 'true',
    ...(place.name === undefined ? {} : { fieldSelector: `metadata.name=${place.name}` }),
    ...(last === undefined ? {} : { resourceVersion: last }),
  });
}

function isChange(type: string): type is 'ADDED' | 'MODIFIED' | 'DELETED' {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED';
}

function take(known: Map<string, PlanObject>, key: string): PlanObject | undefined {
  const found = known.get(key);
  known.delete(key);
  return found;
}

function keyOf({ metadata }: PlanObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function revisionOf({ metadata }: JsonObject): string | undefined {
  const revision = isJsonObject(metadata) ? metadata.resourceVersion : undefined;
  return typeof revision === 'string' ? revision : undefined;
}

/** A refusal stays one; all else, a stream that broke off among them, may be better soon. */
function isPassing(error: unknown): boolean {
  if (error instanceof GateError)
    return error.type === FailureType.StoreUnavailable || error.type === FailureType.QuotaExceeded;
  return !(error instanceof PlanFailure);
}

/** One JSON a line. */
async function* eventsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<{ type: string; object: JsonObject }> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split('\n');
    text = lines.pop()!;
    for (const line of lines) {
      const event = readObject(line);
      if (typeof event?.type !== 'string' || !isJsonObject(event.object)) continue;
      yield { type: event.type, object: event.object };
    }
  }
}
