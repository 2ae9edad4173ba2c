import { parse } from 'lossless-json';
import type { SecretRef } from '../../../platform/documents/schema-types';
import { FailureType, GateError } from '../../../kernel/failures';
import type { JsonValue } from '../../../kernel/json';
import { isSafeNumber } from '../../../kernel/numbers';
import type { ProviderDeps } from '../provider-kind';
import { readSecret } from '../../../platform/files/read-secret';
import { redactUrl } from './url';

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_REDIRECTS = 3;

export interface JsonRequest {
  factId: string;
  url: string;
  headers?: Record<string, string | SecretRef>;
  bearerToken?: SecretRef;
  signal: AbortSignal;
  deps: Pick<ProviderDeps, 'env' | 'configFolder'>;
}

/**
 * GETs a JSON document. Throws GateError FactSourceUnavailable when the source did not answer, and for every status but
 * 2xx: also a 401 or 404 is mended at the source or with its credentials, so asking again later is right. Throws
 * FactInvalid for an answer that is no JSON, is empty, is over 1 MiB or holds an integer that JavaScript would round.
 */
export async function requestJson(request: JsonRequest): Promise<JsonValue> {
  const headers = await requestHeaders(request);
  const response = await follow(request, headers);
  if (!response.ok) {
    await response.body?.cancel();
    throw failure(FailureType.FactSourceUnavailable, request, `answered ${response.status}`, {
      status: response.status,
    });
  }
  return parseJson(request, await readBody(request, response));
}

/** An error about a fact's source that names the fact and the URL without secrets. */
export function failure(
  type: typeof FailureType.FactSourceUnavailable | typeof FailureType.FactInvalid,
  { factId, url }: { factId: string; url: string },
  what: string,
  extra: { status?: number; cause?: unknown } = {},
): GateError {
  const where = redactUrl(url);
  const message = `Fact ${factId}: ${where} ${what}`;
  const status = extra.status === undefined ? {} : { status: extra.status };
  return new GateError(type, message, [{ type, message, factId, where, ...status }], { cause: extra.cause });
}

async function requestHeaders(request: JsonRequest): Promise<Headers> {
  const headers = new Headers({ accept: 'application/json' });
  const given: Record<string, string | SecretRef> = { ...request.headers };
  for (const [name, value] of Object.entries(given)) {
    setHeader(
      request,
      headers,
      name,
      typeof value === 'string' ? value : await readSecret(value, request.deps, FailureType.FactSourceUnavailable),
    );
  }
  if (request.bearerToken !== undefined) {
    setHeader(
      request,
      headers,
      'authorization',
      `Bearer ${await readSecret(request.bearerToken, request.deps, FailureType.FactSourceUnavailable)}`,
    );
  }
  return headers;
}

function setHeader(request: JsonRequest, headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch {
    // The platform's own message quotes the value, which may be a secret; so it is not kept as the cause either.
    throw failure(
      FailureType.FactSourceUnavailable,
      request,
      `cannot be asked: header ${name} holds a forbidden character`,
    );
  }
}

async function follow(request: JsonRequest, headers: Headers): Promise<Response> {
  const withCredentials = request.headers !== undefined || request.bearerToken !== undefined;
  let url = request.url;
  for (let redirects = 0; ; redirects++) {
    let response: Response;
    try {
      response = await fetch(url, { headers, signal: request.signal, redirect: 'manual' });
    } catch (error) {
      throw unreachable(request, error);
    }
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) return response;
    await response.body?.cancel();
    const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
    const refused =
      next === undefined || redirects === MAX_REDIRECTS || (withCredentials && next.origin !== new URL(url).origin);
    if (refused) {
      const what = `answered ${response.status} with a redirect that is not followed (another host, too many, or no URL)`;
      throw failure(FailureType.FactSourceUnavailable, request, what, { status: response.status });
    }
    url = next.toString();
  }
}

async function readBody(request: JsonRequest, response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > MAX_BODY_BYTES) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw unreachable(request, error);
  }
  if (bytes > MAX_BODY_BYTES)
    throw failure(FailureType.FactInvalid, request, `answered more than ${MAX_BODY_BYTES} bytes`);
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(request: JsonRequest, text: string): JsonValue {
  if (text.trim() === '') throw failure(FailureType.FactInvalid, request, 'answered with an empty body');
  try {
    return parse(text, undefined, (digits) => {
      const number = Number(digits);
      if (!isSafeNumber(number)) throw new RangeError('a number of 2^53 or more');
      return number;
    }) as JsonValue;
  } catch (error) {
    const what = error instanceof RangeError ? `answered ${error.message}` : 'answered something that is not JSON';
    throw failure(FailureType.FactInvalid, request, what, { cause: error });
  }
}

function unreachable(request: JsonRequest, error: unknown): GateError {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  const reason = request.signal.aborted
    ? 'the request was aborted'
    : (cause?.code ?? cause?.message ?? 'network error');
  return failure(FailureType.FactSourceUnavailable, request, `could not be reached: ${reason}`, { cause: error });
}
