import { Headers, type Response } from 'undici';
import { FailureType, GateError } from '../../kernel/failures';
import type { JsonValue } from '../../kernel/json';
import { JsonTextError, parseJsonText } from '../documents/json-text';
import type { SettingsSecret } from '../documents/schema-types';
import { readSecret, type SecretDeps } from '../files/read-secret';
import type { HttpFetch } from '../http/http-client';
import { proxyFailure } from '../http/proxy-failure';
import { readUpTo } from '../http/read-up-to';
import { isTimedOut } from '../timers/with-signal';
import { redactUrl } from './url';

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_REDIRECTS = 3;

/** What a source is asked for: the subject of every sentence about it. */
export interface Asked {
  /** such as `Fact error_rate` */
  subject: string;
  /** where it is a fact, for the faults about it */
  factId?: string;
}

export interface JsonRequest extends Asked {
  url: string;
  /** templates filled in; a secret is read for each request */
  headers?: Record<string, string | SettingsSecret>;
  bearerToken?: SettingsSecret;
  signal: AbortSignal;
  /** an encrypted secret needs the file of an identity, which sources of a release have not */
  deps: SecretDeps & { identityFile?: string };
  fetch: HttpFetch;
  /** @default 1 MiB */
  maxBytes?: number;
  /** what to say of a status at which the source explains itself; undefined to take it as any other status */
  explain?: (status: number, body: JsonValue | undefined) => string | undefined;
}

export interface JsonAnswer {
  body: JsonValue;
  /**
   * Epoch milliseconds: when the answer was made, by its headers `Age` and `Date`; now where it has neither. An answer from
   * a cache on the way is as old as it is, not as new as its arrival.
   */
  answeredAtMs: number;
}

/**
 * GETs a JSON document. Throws GateError FactSourceUnavailable when the source did not answer, and for every status but
 * 2xx: also a 401 or 404 is mended at the source or with its credentials, so asking again later is right. Throws
 * FactInvalid for 203 and 206, which are no whole answers of the source, and for an answer that is no JSON, is no UTF-8, is
 * empty, is over `maxBytes` or holds an integer that JavaScript would round.
 */
export async function requestJson(request: JsonRequest): Promise<JsonAnswer> {
  const headers = await requestHeaders(request);
  const response = await follow(request, headers);
  const { status } = response;
  if (!response.ok) {
    const reason = request.explain?.(status, await bodyOfRefusal(request, response));
    if (reason !== undefined) throw sourceFailure(FailureType.FactInvalid, request, reason, { status });
    throw sourceFailure(FailureType.FactSourceUnavailable, request, `answered ${status}`, { status });
  }
  if (status === 203 || status === 206) {
    await response.body?.cancel();
    const what = status === 203 ? 'a proxy changed it on the way' : 'it is a part';
    throw sourceFailure(
      FailureType.FactInvalid,
      request,
      `answered ${status}, which is no answer of the source: ${what}`,
    );
  }
  const body = parseJson(request, await readBody(request, response));
  return { body, answeredAtMs: answeredAtMs(response.headers, Date.now()) };
}

/** `Age` says how long an answer lay in caches, `Date` when its origin made it, to the second (RFC 9110, 9111). */
function answeredAtMs(headers: Headers, nowMs: number): number {
  const age = Number(headers.get('age') ?? 0);
  const madeMs = Date.parse(headers.get('date') ?? '');
  const byAge = Number.isFinite(age) && age > 0 ? nowMs - age * 1000 : nowMs;
  return Number.isNaN(madeMs) ? byAge : Math.min(byAge, madeMs + 999);
}

export type SourceFailureType =
  typeof FailureType.FactSourceUnavailable | typeof FailureType.FactInvalid | typeof FailureType.FactStale;

/** An error about a source that names what was asked for and the URL without secrets. */
export function sourceFailure(
  type: SourceFailureType,
  { subject, factId, url }: Asked & { url: string },
  what: string,
  extra: { status?: number; cause?: unknown } = {},
): GateError {
  const where = redactUrl(url);
  const message = `${subject}: ${where} ${what}`;
  const fault = {
    ...{ type, message, where },
    ...(factId === undefined ? {} : { factId }),
    ...(extra.status === undefined ? {} : { status: extra.status }),
  };
  return new GateError(type, message, [fault], { cause: extra.cause });
}

async function requestHeaders(request: JsonRequest): Promise<Headers> {
  const headers = new Headers({ accept: 'application/json', 'cache-control': 'no-cache' });
  const given: Record<string, string | SettingsSecret> = { ...request.headers };
  const deps = { identityFile: undefined, ...request.deps };
  for (const [name, value] of Object.entries(given)) {
    setHeader(
      request,
      headers,
      name,
      typeof value === 'string' ? value : await readSecret(value, deps, FailureType.FactSourceUnavailable),
    );
  }
  if (request.bearerToken !== undefined) {
    setHeader(
      request,
      headers,
      'authorization',
      `Bearer ${await readSecret(request.bearerToken, deps, FailureType.FactSourceUnavailable)}`,
    );
  }
  return headers;
}

function setHeader(request: JsonRequest, headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch {
    // The platform's own message quotes the value, which may be a secret; so it is not kept as the cause either.
    throw sourceFailure(
      FailureType.FactSourceUnavailable,
      request,
      `cannot be asked: header ${name} holds a forbidden character`,
    );
  }
}

async function follow(request: JsonRequest, headers: Headers): Promise<Response> {
  let url = request.url;
  for (let redirects = 0; ; redirects++) {
    let response: Response;
    const ask = () => request.fetch(url, { headers, signal: request.signal, redirect: 'manual' });
    try {
      response = await ask().catch((error: unknown) => {
        if (!isDroppedConnection(error)) throw error;
        return ask();
      });
    } catch (error) {
      throw unreachable(request, error);
    }
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) return response;
    await response.body?.cancel();
    const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
    const refused = next === undefined || redirects === MAX_REDIRECTS || next.origin !== new URL(url).origin;
    if (refused) {
      const what = `answered ${response.status} with a redirect that is not followed (another host, too many, or no URL)`;
      throw sourceFailure(FailureType.FactSourceUnavailable, request, what, { status: response.status });
    }
    url = next.toString();
  }
}

/**
 * Whether the connection ended before an answer began. A server closes one that was idle at any moment, also in the one in which a
 * request is sent on it: that says nothing about the source, and a GET may be asked again.
 */
function isDroppedConnection(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: unknown } };
  return cause?.code === 'UND_ERR_SOCKET' || cause?.code === 'ECONNRESET';
}

async function readBody(request: JsonRequest, response: Response): Promise<Uint8Array> {
  const { maxBytes = MAX_BODY_BYTES } = request;
  const body = await readUpTo(response.body, maxBytes).catch((error: unknown) => {
    throw unreachable(request, error);
  });
  if (body.byteLength > maxBytes)
    throw sourceFailure(FailureType.FactInvalid, request, `answered more than ${maxBytes} bytes`);
  return body;
}

/** What a source says of a refusal, where it says it in JSON. */
async function bodyOfRefusal(request: JsonRequest, response: Response): Promise<JsonValue | undefined> {
  if (request.explain === undefined) {
    await response.body?.cancel();
    return undefined;
  }
  try {
    return parseJsonText(new TextDecoder().decode(await readBody(request, response)));
  } catch {
    return undefined;
  }
}

/** A byte order mark is left out (RFC 8259 lets a reader do so). */
function decode(request: JsonRequest, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw sourceFailure(FailureType.FactInvalid, request, 'answered bytes that are not UTF-8', { cause });
  }
}

function parseJson(request: JsonRequest, bytes: Uint8Array): JsonValue {
  const text = decode(request, bytes);
  if (text.trim() === '') throw sourceFailure(FailureType.FactInvalid, request, 'answered with an empty body');
  try {
    return parseJsonText(text);
  } catch (error) {
    const isJson = error instanceof JsonTextError && error.isJson;
    const what = isJson ? `answered JSON that is refused: ${error.message}` : 'answered something that is not JSON';
    throw sourceFailure(FailureType.FactInvalid, request, what, { cause: error });
  }
}

function unreachable(request: JsonRequest, error: unknown): GateError {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  const reason = isTimedOut(request.signal)
    ? 'no answer in time'
    : request.signal.aborted
      ? 'the request was aborted'
      : (proxyFailure(error) ?? cause?.code ?? cause?.message ?? 'network error');
  return sourceFailure(FailureType.FactSourceUnavailable, request, `could not be reached: ${reason}`, { cause: error });
}
