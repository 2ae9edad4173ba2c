import type { HttpFetch } from '../../platform/http/http-client';
import { proxyFailure } from '../../platform/http/proxy-failure';
import { withSignal } from '../../platform/timers/with-signal';
import { gzipSync } from 'node:zlib';
import type { AuditLogger } from '../audit-log';
import type { AuditRecord, AuditSink } from '../audit-record';
import { toOpaEvent } from '../to-opa-event';
import type { Spool, SpooledItem } from './spool';

export interface DecisionLogUploadOptions {
  /** the whole URL, such as `https://host/logs` */
  url: string;
  /** read for each upload, so that a rotated one is taken up */
  bearerToken?(): Promise<string>;
  fetch: HttpFetch;
  spool: Spool;
  /** of one upload, compressed; a single larger event goes alone */
  maxUploadBytes: number;
  timeoutMs: number;
  /** 0 to 1: workers whose server comes back do not all ask at once */
  random(): number;
  metrics: { written(sink: string): void; failed(sink: string): void; waiting(sink: string, bytes: number): void };
  logger: AuditLogger;
  /** @default 500 ms, doubling to 30 s */
  retry?: { firstMs: number; lastMs: number };
}

export interface DecisionLogUpload extends AuditSink {
  /** what waits stays on disk for the next start */
  close(): Promise<void>;
}

const NAME = 'upload';
const MOST_EVENTS = 500;
/** JSON of decisions shrinks to a tenth or so */
const RAW_PER_COMPRESSED = 10;
const MOST_RAW_BYTES = 16 * 1024 * 1024;
/** What a server says of the content: a smaller upload may pass, and one of a single event shows which it refuses. */
const REFUSES_CONTENT = [400, 413, 422];

/**
 * Uploads decisions as OPA does (gzipped JSON arrays of events by POST,
 * https://www.openpolicyagent.org/docs/management-decision-logs), in their order, each at least once, and drops none: what
 * the server does not take waits on disk and is tried again, for as long as it takes. `write` resolves when the event is on
 * disk, and fails when there is no room for it.
 */
export function createDecisionLogUpload(options: DecisionLogUploadOptions): DecisionLogUpload {
  const { spool, metrics, logger, url } = options;
  const { firstMs, lastMs } = options.retry ?? { firstMs: 500, lastMs: 30_000 };
  const stop = new AbortController();
  let wakeUp = (): void => undefined;
  /** an event came: one between a look at the spool and the pause must not be slept over */
  let arrived = false;
  let closed = false;

  /** in the upload that was tried last; where it is one, the oldest file is what the server refuses */
  let events = 0;
  /** halved while the server refuses what is sent, doubled again with each upload that it takes */
  let mostEvents = MOST_EVENTS;

  async function work(): Promise<void> {
    let failures = 0;
    while (!closed) {
      metrics.waiting(NAME, spool.bytes);
      try {
        arrived = false;
        const sent = await uploadOldest();
        failures = 0;
        if (sent === 0 && !arrived && !closed) await pause(undefined);
      } catch (error) {
        if (closed) return;
        const retryInMs = Math.round(Math.min(firstMs * 2 ** failures, lastMs) * (0.5 + options.random() / 2));
        failures = Math.min(failures + 1, 30);
        metrics.failed(NAME);
        const what = 'Decisions could not be uploaded; they wait on disk, and are tried again';
        const waits = { waitingBytes: spool.bytes, oldest: spool.oldestFile(), events };
        logger.warn({ sink: NAME, url, error: messageOf(error), ...waits, retryInMs }, what);
        await pause(retryInMs);
      }
    }
  }

  async function uploadOldest(): Promise<number> {
    const rawBytes = Math.min(options.maxUploadBytes * RAW_PER_COMPRESSED, MOST_RAW_BYTES);
    const items = await spool.oldest(mostEvents, rawBytes);
    if (items.length === 0) return 0;
    const { taken, body } = compressed(items, options.maxUploadBytes);
    events = taken.length;
    const status = await post(body);
    if (REFUSES_CONTENT.includes(status)) mostEvents = Math.max(1, Math.floor(taken.length / 2));
    if (status >= 300 && status <= 399) throw new Error(`the server answered ${status}, and no redirect is followed`);
    if (status < 200 || status > 299) throw new Error(`the server answered ${status}`);
    mostEvents = Math.min(mostEvents * 2, MOST_EVENTS);
    await spool.remove(taken);
    for (const _event of taken) metrics.written(NAME);
    return taken.length;
  }

  async function post(body: Uint8Array): Promise<number> {
    const token = await options.bearerToken?.();
    return withSignal({ timeoutMs: options.timeoutMs, signals: [stop.signal] }, async (signal) => {
      const answer = await options.fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-encoding': 'gzip',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body,
        // Followed, a POST would become a GET without its events, and the page that answers it with 200 would lose them.
        redirect: 'manual',
        signal,
      });
      await answer.arrayBuffer();
      return answer.status;
    });
  }

  function pause(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      wakeUp = () => {
        // Something new is no reason to press a server that is down; the end of this worker is.
        if (ms !== undefined && !closed) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  const working = work();
  return {
    name: NAME,
    write: async (record: AuditRecord) => {
      const event = toOpaEvent(record);
      if (event === undefined) return;
      await spool.append(JSON.stringify(event));
      arrived = true;
      wakeUp();
    },
    close: async () => {
      closed = true;
      stop.abort();
      wakeUp();
      await working;
      await spool.close();
    },
  };
}

/** As many of the oldest as fit; at least one. */
function compressed(
  items: readonly SpooledItem[],
  maxBytes: number,
): { taken: readonly SpooledItem[]; body: Uint8Array } {
  let taken = items;
  for (;;) {
    const body = new Uint8Array(gzipSync(`[${taken.map(({ text }) => text).join(',')}]`));
    if (body.length <= maxBytes || taken.length === 1) return { taken, body };
    taken = taken.slice(0, Math.max(1, Math.floor(taken.length / 2)));
  }
}

function messageOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string }; message?: string };
  return proxyFailure(error) ?? cause?.code ?? message ?? String(error);
}
