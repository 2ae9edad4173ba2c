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
  /** what comes next is a new list, since events are gone: an object that is not told again was deleted */
  | { type: 'RELISTED' }
  /** the connection was lost, and is tried again */
  | { type: 'LOST'; why: string };

/** Between two attempts. */
const AGAIN_MS = 1_000;

/**
 * The objects that there are, then what happens to them, until `signal` is aborted. After a lost connection it continues where it
 * was; where the server has forgotten that, it begins with a new list.
 *
 * @throws as `PlanRequests.ask` does: at the first connection, and when the server refuses later
 */
export async function* followObjects(
  requests: PlanRequests,
  place: ObjectPlace,
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  let last: string | undefined;
  let wasConnected = false;
  let isLost = false;
  while (!signal.aborted) {
    try {
      const path = withQuery(pathOf({ ...place, name: undefined }), {
        watch: 'true',
        allowWatchBookmarks: 'true',
        sendInitialEvents: 'true',
        ...(place.name === undefined ? {} : { fieldSelector: `metadata.name=${place.name}` }),
        ...(last === undefined ? {} : { resourceVersion: last }),
      });
      const chunks = await requests.stream(path, signal);
      wasConnected = true;
      isLost = false;
      for await (const { type, object } of eventsOf(chunks)) {
        if (type === 'ERROR') throw new PlanFailure(object);
        const { metadata } = object;
        const revision = isJsonObject(metadata) ? metadata.resourceVersion : undefined;
        if (typeof revision === 'string') last = revision;
        if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') {
          yield { type, object: object as unknown as PlanObject };
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof PlanFailure && error.body.reason === 'Expired') {
        last = undefined;
        yield { type: 'RELISTED' };
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
