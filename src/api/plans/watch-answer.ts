import { once } from 'node:events';
import type { JsonObject } from '../../kernel/json';
import { stamped } from '../../plans/serving/write-object';
import type { Kind } from '../../plans/kinds/kinds';
import type { PlanService } from '../../plans/service/plan-service';
import type { WatchStep } from '../../plans/service/watch-objects';
import { toTable } from '../../plans/serving/table';
import {
  HEARTBEAT,
  toBookmark,
  toExpired,
  toServerSent,
  type Filter,
  type WatchEvent,
} from '../../plans/serving/watch-events';
import { EventsExpiredError } from '../../plans/store/plan-store';
import type { NodeServerResponse } from '../rpc/node-request';
import { toServed } from './answers';

export interface WatchAnswer {
  service: PlanService;
  kind: Kind;
  filter: Filter;
  /** events behind this revision; absent: from now on */
  from?: string;
  response: NodeServerResponse;
  stopping: AbortSignal;
  /** told what ended the stream, unless that was expected */
  onUnexpected(error: unknown): void;
}

export interface LineOptions {
  nowMs(): number;
  table: boolean;
  include: 'None' | 'Metadata' | 'Object';
  bookmarks: boolean;
  /** sends a bookmark that says that all objects there were have been told */
  initialEnd: boolean;
  /** the stream ends then, whatever happens; absent: never */
  timeoutMs?: number;
}

/** Between two signs of life on a stream. */
const SILENT_MS = 15_000;

/** A watch as PlanSpec's clients read it: Server-Sent Events. */
export async function answerServerSent(watch: WatchAnswer): Promise<void> {
  await stream(watch, {
    type: 'text/event-stream',
    first: HEARTBEAT,
    expired: (oldest) => `data: ${JSON.stringify(toExpired(oldest))}\n\n`,
    toText: (step) => {
      if (step.step === 'event') return toServerSent(served(step.event));
      return step.step === 'idle' ? HEARTBEAT : '';
    },
  });
}

/** A watch as Kubernetes' clients read it: one JSON a line; without a revision it begins with the objects that there are. */
export async function answerLines(watch: WatchAnswer, options: LineOptions): Promise<void> {
  const { kind } = watch.kind;
  const { table, include, nowMs } = options;
  const bookmark = (revision: string, isEnd = false): string => {
    const { type, object } = toBookmark(kind, revision) as { type: string; object: JsonObject };
    const metadata = {
      ...(object.metadata as JsonObject),
      ...(isEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    };
    const body = table ? toTable([], { kind, nowMs: nowMs(), metadata }) : { ...object, metadata };
    return `${JSON.stringify({ type, object: body })}\n`;
  };
  await stream(watch, {
    type: 'application/json',
    list: true,
    first: '',
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    expired: (oldest) => `${JSON.stringify(toExpired(oldest))}\n`,
    toText: (step) => {
      if (step.step === 'listed') return options.initialEnd ? bookmark(step.revision, true) : '';
      if (step.step === 'idle') return options.bookmarks ? bookmark(step.revision) : '';
      const { type, revision } = step.event;
      const object = stamped(step.event.object, revision);
      const body = table
        ? toTable([object], { kind, nowMs: nowMs(), include, metadata: { resourceVersion: revision } })
        : toServed(object);
      return `${JSON.stringify({ type, object: body })}\n`;
    },
  });
}

function served(event: WatchEvent): WatchEvent {
  return { ...event, object: toServed(event.object) as never };
}

interface Format {
  type: string;
  /** begins with the objects that there are, where no revision is given */
  list?: boolean;
  /** sent at once, so that the client knows that it watches */
  first: string;
  timeoutMs?: number;
  expired(oldest: string): string;
  toText(step: WatchStep): string;
}

async function stream({ service, kind, filter, from, response, stopping, onUnexpected }: WatchAnswer, format: Format) {
  // Before the first byte, so that it is an answer of its own.
  if (from !== undefined) await service.requireEvents(from);
  const ending = new AbortController();
  const end = (): void => ending.abort();
  response.once('close', end);
  stopping.addEventListener('abort', end);
  if (stopping.aborted) end();
  const late = format.timeoutMs === undefined ? undefined : setTimeout(end, format.timeoutMs);
  const steps = service.watch(
    {
      kind: kind.kind,
      filter,
      idleMs: SILENT_MS,
      ...(from === undefined ? {} : { from }),
      ...(format.list === undefined ? {} : { list: format.list }),
    },
    ending.signal,
  );
  try {
    response.writeHead(200, { 'content-type': format.type, 'cache-control': 'no-cache, private' });
    // HTTP/2 has sent them already.
    if ('flushHeaders' in response) response.flushHeaders();
    await write(response, format.first, ending.signal);
    for await (const step of steps) await write(response, format.toText(step), ending.signal);
  } catch (error) {
    if (error instanceof EventsExpiredError) await write(response, format.expired(error.oldest), ending.signal);
    else if (!ending.signal.aborted) onUnexpected(error);
  } finally {
    clearTimeout(late);
    stopping.removeEventListener('abort', end);
    response.off('close', end);
    response.end();
  }
}

/** Waits for a client that reads slowly; one that is gone has aborted the signal. */
async function write(response: NodeServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (text === '' || signal.aborted) return;
  const stream = response as unknown as NodeJS.WritableStream;
  if (stream.write(text)) return;
  await once(response, 'drain', { signal }).catch(() => undefined);
}
