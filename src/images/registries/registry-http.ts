import type { IncomingHttpHeaders } from 'node:http';
import {
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  DelegateBackoff,
  handleWhen,
  isBrokenCircuitError,
  retry,
} from 'cockatiel';
import { request, type Dispatcher } from 'undici';
import { parseJsonText } from '../../platform/documents/json-text';
import { proxyFailure } from '../../platform/http/proxy-failure';
import { readUpTo } from '../../platform/http/read-up-to';
import { apiHostOf } from '../image-reference';
import type { FindCredentials } from './credentials';
import { Pace } from './pace';
import type { RequestBounds } from './registry';
import { RegistryAuth } from './registry-auth';
import { RegistryError, type RegistryFailure } from './registry-error';

export interface RegistryHttpOptions {
  /** as references name it */
  registry: string;
  /** without TLS @default false */
  plainHttp?: boolean;
  /** a function is asked for each request; what it throws is the error of the request */
  dispatcher: Dispatcher | (() => Promise<Dispatcher>);
  findCredentials: FindCredentials;
  /** requests at once, until their answers are read; uploads are counted apart from the others @default 8 */
  concurrency?: number;
  /** each attempt counts @default no limit */
  requestsPerSecond?: number;
  /** of blobs, sent and received together @default no limit */
  bytesPerSecond?: number;
  /** how long the head of an answer, and each part of its body, may take, milliseconds @default 30000 */
  timeoutMs?: number;
  /** in all, of a request that the registry could not answer @default 5 */
  attempts?: number;
  /** wait after the first failed attempt, doubled after each further one, milliseconds @default 500 */
  firstBackoffMs?: number;
  /** failures in a row after which the registry is left alone for `restMs` @default 10 */
  breakAfter?: number;
  /** @default 15000 */
  restMs?: number;
  /** called when the registry is left alone, and when it is asked again */
  onCircuit?(isOpen: boolean): void;
  now?: () => number;
  /** in [0, 1), for the waits between attempts @default Math.random */
  random?: () => number;
}

export interface RegistryRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** below the registry's root with its query, or the whole address that the registry gave as Location */
  path: string;
  /** `repository:team/app:pull` */
  scopes: readonly string[];
  headers?: Record<string, string>;
  /** opened again for each attempt */
  body?: () => AsyncIterable<Uint8Array> | Uint8Array;
  /** statuses that the caller understands; any other is thrown as an error */
  expected: readonly number[];
  /** the subject of the request, for error messages */
  what: string;
  /** it cannot be repeated by itself: the caller repeats what leads to it, by `repeated` @default false */
  once?: boolean;
}

export interface RegistryAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Dispatcher.ResponseData['body'];
  /** where the answer came from, after redirects: what Location is relative to */
  url: string;
}

const MOST_REDIRECTS = 5;
/** Of logins for one request: a token that has ended, and what is asked for in its place. */
const MOST_REFUSALS = 2;
const LONGEST_WAIT_MS = 60_000;
const MOST_TOKEN_BYTES = 64 * 1024;
const MOST_ERROR_BYTES = 16 * 1024;
/**
 * Of one answer, while its reader is busy: not more than one read of a connection, as several would be copied into one. What
 * comes meanwhile is kept by the kernel.
 */
const MOST_BUFFERED_BYTES = 16 * 1024;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * Requests to one registry: authentication, redirects, limits, retries, and a circuit breaker for each registry, so that one registry
 * that is down does not delay the others. Authorization is sent to the registry's own host only.
 */
export class RegistryHttp {
  private readonly origin: string;
  private readonly auth: RegistryAuth;
  private readonly attempts;
  private readonly breaker;
  /**
   * An upload waits for the blob that it sends, which may come from the same registry: if both took from one budget, uploads alone
   * could use it up and wait for ever.
   */
  private readonly slots;
  /** failures of another registry, whose blob was being sent to this one */
  private readonly foreign = new WeakSet<RegistryError>();
  private readonly requestPace: Pace | undefined;
  private readonly bytePace: Pace | undefined;
  private bounds: RequestBounds = {};

  constructor(private readonly options: RegistryHttpOptions) {
    const { registry, plainHttp = false, findCredentials, now = Date.now } = options;
    this.origin = `${plainHttp ? 'http' : 'https'}://${apiHostOf(registry)}`;
    this.auth = new RegistryAuth({
      registry,
      plainHttp,
      findCredentials,
      now,
      ask: (url, { headers, form }) => this.askTokenServer(url, headers, form),
    });
    const transient = handleWhen((error) => error instanceof RegistryError && error.failure === 'unavailable');
    const { attempts = 5, firstBackoffMs = 500, breakAfter = 10, restMs = 15_000, random = Math.random } = options;
    const waits = new DelegateBackoff(({ attempt, result }: { attempt: number; result: object }) => {
      const asked = 'error' in result && result.error instanceof RegistryError ? result.error.retryAfterMs : undefined;
      const doubled = firstBackoffMs * 2 ** (attempt - 1);
      return Math.min(asked ?? doubled / 2 + (random() * doubled) / 2, LONGEST_WAIT_MS);
    });
    this.attempts = retry(transient, { maxAttempts: attempts - 1, backoff: waits });
    const own = handleWhen(
      (error) => error instanceof RegistryError && error.failure === 'unavailable' && !this.foreign.has(error),
    );
    this.breaker = circuitBreaker(own, { halfOpenAfter: restMs, breaker: new ConsecutiveBreaker(breakAfter) });
    this.breaker.onBreak(() => options.onCircuit?.(true));
    this.breaker.onReset(() => options.onCircuit?.(false));
    const { concurrency = 8, requestsPerSecond, bytesPerSecond } = options;
    this.slots = { uploads: bulkhead(concurrency, Infinity), others: bulkhead(concurrency, Infinity) };
    this.requestPace = requestsPerSecond === undefined ? undefined : new Pace(requestsPerSecond);
    this.bytePace = bytesPerSecond === undefined ? undefined : new Pace(bytesPerSecond);
  }

  /**
   * The answer, whose body the caller reads or drops (`body.dump()`).
   *
   * @throws RegistryError
   */
  async ask(asked: RegistryRequest): Promise<RegistryAnswer> {
    try {
      const once = () => this.breaker.execute(() => this.inSlot(asked, () => this.authorized(asked)));
      return await (asked.once ? once() : this.repeated(once));
    } catch (error) {
      if (!isBrokenCircuitError(error)) throw error;
      const message = `${this.options.registry} was not asked for ${asked.what}: it failed too often, and is left alone for a while`;
      throw new RegistryError('unavailable', message, { cause: error });
    }
  }

  /** Does something again as long as the registry is unavailable, with waits, up to the attempts that are set. */
  repeated<T>(task: () => Promise<T>): Promise<T> {
    const { signal, once = false } = this.bounds;
    return once ? task() : this.attempts.execute(task, signal);
  }

  /** The same registry, with its limits, tokens and circuit breaker, for requests that end with a signal. */
  within(bounds: RequestBounds): RegistryHttp {
    return Object.assign(Object.create(this) as RegistryHttp, { bounds });
  }

  /** The parts of a blob, no faster than the registry's bytes per second. */
  paced(parts: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    return this.bytePace === undefined ? parts : atPace(parts, this.bytePace);
  }

  /** Holds a place among the requests at once until the answer's body is read or dropped. */
  private inSlot({ body }: RegistryRequest, task: () => Promise<RegistryAnswer>): Promise<RegistryAnswer> {
    const slots = body === undefined ? this.slots.others : this.slots.uploads;
    return new Promise((resolve, reject) => {
      const held = slots.execute(async () => {
        const answer = await task();
        resolve(answer);
        if (!answer.body.closed) await new Promise((closed) => answer.body.once('close', closed));
      });
      held.catch(reject);
    });
  }

  private async authorized(asked: RegistryRequest): Promise<RegistryAnswer> {
    for (let refusals = 0; ;) {
      const authorization = await this.auth.header(asked.scopes);
      const answer = await this.followed(asked, authorization);
      if (answer.status !== 401) return this.understood(asked, answer);
      await answer.body.dump();
      const challenges = [answer.headers['www-authenticate'] ?? []].flat().join(', ');
      const again = await this.auth.refused(challenges, asked.scopes, authorization);
      // The first request to a registry finds out what it asks for.
      if (authorization !== undefined) refusals += 1;
      if (refusals === MOST_REFUSALS || !again) {
        const message = `${this.options.registry} refused the login for ${asked.what}`;
        throw new RegistryError('denied', message, { status: 401 });
      }
    }
  }

  private async followed(asked: RegistryRequest, authorization: string | undefined): Promise<RegistryAnswer> {
    let url = new URL(asked.path, this.origin);
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      // A store behind the registry has a signature in the address; it must not see the registry's token.
      const own: Record<string, string> =
        url.origin === this.origin && authorization !== undefined ? { authorization } : {};
      const answer = await this.send(url, asked, { ...asked.headers, ...own });
      const { location } = answer.headers;
      if (!REDIRECTS.includes(answer.status) || typeof location !== 'string') return { ...answer, url: url.href };
      await answer.body.dump();
      url = this.redirected(location, url, asked);
    }
    throw new RegistryError('invalid', `${this.options.registry} sent ${asked.what} elsewhere too often`);
  }

  private redirected(location: string, from: URL, asked: RegistryRequest): URL {
    const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    const isSafe = to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:');
    if (to !== undefined && isSafe) return to;
    throw new RegistryError('invalid', `${this.options.registry} sent ${asked.what} to an address that is not https`);
  }

  private async send(url: URL, { method, body, what }: RegistryRequest, headers: Record<string, string>) {
    const { timeoutMs = 30_000, registry } = this.options;
    const { signal } = this.bounds;
    const limits = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
    if (url.origin === this.origin) await this.requestPace?.take(1);
    const dispatcher = await this.dispatcher();
    try {
      // undici takes iterables too, which its types leave out.
      const sent = body?.() as Uint8Array | undefined;
      // Else undici closes the connection after each HEAD, which is most of what a sync asks.
      const kept = { reset: false, signal: signal ?? null };
      const buffered = { highWaterMark: MOST_BUFFERED_BYTES };
      const answer = await request(url, { dispatcher, method, headers, body: sent, ...limits, ...kept, ...buffered });
      return { status: answer.statusCode, headers: answer.headers, body: answer.body };
    } catch (error) {
      // Who asked has lost interest: that says nothing of the registry.
      if (signal?.aborted === true) throw signal.reason;
      if (error instanceof RegistryError) {
        this.foreign.add(error);
        throw error;
      }
      const { code } = error as { code?: string };
      const why = proxyFailure(error) ?? code ?? 'the connection broke off';
      const message = `${registry} was not reached for ${what} (${why})`;
      throw new RegistryError('unavailable', message, { cause: error });
    }
  }

  private async dispatcher(): Promise<Dispatcher> {
    const { dispatcher, registry } = this.options;
    if (typeof dispatcher !== 'function') return dispatcher;
    try {
      return await dispatcher();
    } catch (error) {
      throw new RegistryError('refused', `${registry}: ${(error as Error).message}`, { cause: error });
    }
  }

  private async understood(asked: RegistryRequest, answer: RegistryAnswer): Promise<RegistryAnswer> {
    const { status } = answer;
    if (asked.expected.includes(status)) return answer;
    const said = await this.saidOf(answer);
    const message = `${this.options.registry} answered ${status} to ${asked.what}${said === '' ? '' : `: ${said}`}`;
    const failure = failureOf(asked.method, status, said);
    const retryAfterMs = retryAfterOf(answer.headers['retry-after'], (this.options.now ?? Date.now)());
    throw new RegistryError(failure, message, { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }

  /** The registry's own words, by the specification's form of errors; empty where there are none. */
  private async saidOf({ body }: RegistryAnswer): Promise<string> {
    try {
      const text = (await readWhole(body, MOST_ERROR_BYTES)).toString();
      const { errors } = parseJsonText(text) as { errors?: { code?: unknown; message?: unknown }[] };
      return (errors ?? [])
        .map(({ code, message }) => [code, message].filter((part) => typeof part === 'string').join(' '))
        .join('; ');
    } catch {
      return '';
    }
  }

  private async askTokenServer(url: string, headers: Record<string, string>, form?: string) {
    const asked = { method: form === undefined ? 'GET' : 'POST', what: 'a token' } as const;
    const answer = await this.send(
      new URL(url),
      {
        ...asked,
        path: url,
        scopes: [],
        expected: [],
        ...(form === undefined ? {} : { body: () => Buffer.from(form) }),
      },
      headers,
    );
    return { status: answer.status, body: (await readWhole(answer.body, MOST_TOKEN_BYTES)).toString() };
  }
}

async function* atPace(parts: AsyncIterable<Uint8Array>, pace: Pace): AsyncIterable<Uint8Array> {
  for await (const part of parts) {
    await pace.take(part.length);
    yield part;
  }
}

/** Of a manifest that asking again does not change; docker-registry 2.8 says some of them with status 500. */
const FINAL = /\b(?:MANIFEST_BLOB_UNKNOWN|MANIFEST_INVALID|DIGEST_INVALID|SIZE_INVALID|NAME_INVALID|UNSUPPORTED)\b/;

function failureOf(method: RegistryRequest['method'], status: number, said: string): RegistryFailure {
  if (status >= 500 && FINAL.test(said)) return 'refused';
  if (status === 408 || status === 429 || status >= 500) return 'unavailable';
  if (status === 403) return 'denied';
  // What is written names content or a repository that the registry lacks: nothing that was asked for is missing.
  return status === 404 && (method === 'GET' || method === 'HEAD') ? 'missing' : 'refused';
}

/** @throws RegistryError `invalid` for more than `most` bytes, `unavailable` for a body that breaks off */
export async function readWhole(body: AsyncIterable<Uint8Array>, most: number): Promise<Buffer> {
  const read = await readUpTo(body, most).catch((error: unknown) => {
    throw new RegistryError('unavailable', 'the answer broke off', { cause: error });
  });
  if (read.byteLength > most) throw new RegistryError('invalid', `expected at most ${most} bytes, got more`);
  return read;
}

/** `Retry-After` as seconds or as a date; undefined if it is neither. */
function retryAfterOf(header: string | string[] | undefined, nowMs: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  if (/^[0-9]{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
