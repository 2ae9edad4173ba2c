import { DEFAULT_DURATIONS, parseDuration } from '../../../kernel/duration';
import type { GateError } from '../../../kernel/failures';
import type { JsonValue } from '../../../kernel/json';
import type { HttpFetch } from '../../../platform/http/http-client';
import { causeOf, networkCode } from '../../../platform/http/network-code';
import { readUpTo } from '../../../platform/http/read-up-to';
import { isTimedOut, withSignal } from '../../../platform/timers/with-signal';
import type { ActionContext, ActionResult, HttpAction, HttpRequestSpec } from '../action';
import { ActionError } from '../action-error';
import type { ActionDeps, ActionKind, RunOptions } from '../action-kind';
import { OUTPUT_LIMITS, readOutputs } from '../../../platform/documents/named-outputs';
import { displayUrl, displayUrlTemplate, toHttpRequest, type HttpRequest, type Secrets } from '../http-request';
import { secretsIn } from '../template';

const DEFAULT_KEY_HEADER = 'Idempotency-Key';
/** A gateway gave up waiting: what is behind it may still act. */
const TIME_OUTS = [408, 504];

/** Sends one request, under an idempotency key so that a retry is no second act. */
export const httpAction: ActionKind<HttpAction> = {
  type: 'http',
  check(spec, context) {
    const { faults } = toHttpRequest(withKeyHeader(spec, spec, 'key'), context, 'action', anySecret);
    if (spec.compensation === undefined) return faults;
    const undo = withKeyHeader(spec.compensation, spec, 'key');
    return [...faults, ...toHttpRequest(undo, context, 'action.compensation', anySecret).faults];
  },
  create: (deps) => ({
    run: (spec, context, options) => send(deps, spec, spec, context, 'action', options),
    async compensate(spec, context, options) {
      if (spec.compensation === undefined) return { summary: 'no compensation is defined' };
      return send(deps, spec.compensation, spec, context, 'action.compensation', options);
    },
  }),
};

/** Before a deployment starts it is not known here which secrets its worker has. */
const anySecret: Secrets = () => 'secret';

async function send(
  deps: ActionDeps,
  spec: HttpRequestSpec,
  action: HttpAction,
  context: ActionContext,
  where: string,
  { idempotencyKey, signal, hidesValues = false, outputs = [] }: RunOptions,
): Promise<ActionResult> {
  const request = await prepare(deps, withKeyHeader(spec, action, idempotencyKey), context, where);
  const place = hidesValues ? displayUrlTemplate(spec.url) : displayUrl(request.url);
  const name = `${request.method} ${place}`;
  if (signal.aborted) {
    throw new ActionError(`${name} was stopped before it was sent`, {
      retryable: true,
      mayHaveBeenSent: false,
      where: place,
      cause: signal.reason,
    });
  }
  const retriesTimeOuts = action.retryOnTimeout ?? true;
  const timeout = action.timeout ?? DEFAULT_DURATIONS.actionTimeout;
  const readsBody = outputs.length > 0;
  const answer = await fetchOnce(deps.fetch, request, { place, timeout, signal, retriesTimeOuts, readsBody });
  const { status } = answer;
  if (spec.expect === undefined ? status >= 200 && status <= 299 : status === spec.expect) {
    const summary = `${name} answered ${status}`;
    if (answer.body === undefined) return { status, summary };
    const read = readOutputs(answer.body);
    if (!('fault' in read)) return { status, summary, outputs: read.values };
    const wanted = `Expected ${name} to answer a JSON object with ${outputs.join(', ')} (outputs), but it ${read.fault}`;
    throw new ActionError(wanted, { retryable: false, mayHaveBeenSent: true, where: place, status });
  }
  throw new ActionError(`Expected ${name} to answer ${spec.expect ?? '2xx'}, got ${status}`, {
    retryable: (status >= 500 || [408, 425, 429].includes(status)) && (retriesTimeOuts || !TIME_OUTS.includes(status)),
    mayHaveBeenSent: true,
    where: place,
    status,
  });
}

/** @throws ActionError, with nothing sent, for a template that cannot be filled in or a secret that is not for this host */
async function prepare(
  deps: ActionDeps,
  spec: HttpRequestSpec,
  context: ActionContext,
  where: string,
): Promise<HttpRequest> {
  const unsent = { retryable: false, mayHaveBeenSent: false };
  const secrets = new Map<string, string>();
  const names = new Set(secretsIn({ headers: spec.headers ?? {}, body: spec.body ?? null } as JsonValue));
  // Which secrets may be read depends on the host, and so on the request without them.
  const url = names.size === 0 ? undefined : toHttpRequest(spec, context, where, anySecret).request?.url;
  if (url !== undefined) {
    for (const name of names) {
      try {
        secrets.set(name, await deps.readSecret(name, url));
      } catch (error) {
        const { message, faults } = error as GateError;
        throw new ActionError(message, { ...unsent, faults: [...faults] });
      }
    }
  }
  const { request, faults } = toHttpRequest(spec, context, where, (name) => secrets.get(name));
  if (request !== undefined) return request;
  throw new ActionError(faults.map(({ message }) => message).join('; '), { ...unsent, faults });
}

async function fetchOnce(
  fetch: HttpFetch,
  request: HttpRequest,
  options: { place: string; timeout: string; signal: AbortSignal; retriesTimeOuts: boolean; readsBody: boolean },
): Promise<{ status: number; body?: Uint8Array }> {
  const { place, timeout, signal, retriesTimeOuts, readsBody } = options;
  return withSignal({ timeoutMs: parseDuration(timeout), signals: [signal] }, async (either) => {
    try {
      const response = await fetch(request.url, {
        method: request.method,
        headers: request.headers,
        body: request.body,
        // Followed, a redirect would repeat the act at an address that no one configured, and a refused connection there
        // would look as if nothing had been sent.
        redirect: 'manual',
        signal: either,
      });
      const { status } = response;
      if (readsBody && status >= 200 && status <= 299)
        return { status, body: await readUpTo(response.body, OUTPUT_LIMITS.answerBytes) };
      // The answer's body is not used; left unread it would hold the connection.
      await response.body?.cancel();
      return { status };
    } catch (error) {
      const mayHaveBeenSent = !isCertainlyUnsent(error);
      throw new ActionError(`${request.method} ${place} ${whatHappened(error, timeout, signal, either)}`, {
        retryable: retriesTimeOuts || !mayHaveBeenSent,
        mayHaveBeenSent,
        where: place,
        // fetch's own errors may hold the URL with its query; the code is all that is worth keeping.
        cause: networkCode(error),
      });
    }
  });
}

function whatHappened(error: unknown, timeout: string, signal: AbortSignal, either: AbortSignal): string {
  if (isTimedOut(either)) return `gave no answer within ${timeout}; it may have been carried out`;
  if (signal.aborted) return 'was stopped; it may have been carried out';
  if (isCertainlyUnsent(error)) return `could not be sent: ${networkCode(error)}`;
  return `was cut off: ${networkCode(error)}; it may have been carried out`;
}

/**
 * Whether a failure of fetch happened before a request could leave: what undici raises while it looks up the name or
 * connects, and a certificate that was refused here. Everything else, known or not, counts as sent.
 */
export function isCertainlyUnsent(error: unknown): boolean {
  const cause = causeOf(error);
  // A host with several addresses: every one of them was tried and failed.
  if (Array.isArray(cause.errors) && cause.errors.length > 0) {
    return cause.errors.every((each: unknown) => isConnectFailure(each as Record<string, unknown>));
  }
  return isConnectFailure(cause);
}

function isConnectFailure(cause: Record<string, unknown>): boolean {
  return cause.syscall === 'connect' || cause.syscall === 'getaddrinfo' || UNSENT_CODES.has(String(cause.code));
}

/** A connect time-out, and a certificate of the server that does not hold ("X509 certificate error codes" in Node's docs). */
const UNSENT_CODES = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** The key's header wins over one of the same name in the spec, however it is spelled. */
function withKeyHeader(spec: HttpRequestSpec, action: HttpAction, key: string): HttpRequestSpec {
  const name = action.idempotencyKeyHeader ?? DEFAULT_KEY_HEADER;
  const own = Object.entries(spec.headers ?? {}).filter(([header]) => header.toLowerCase() !== name.toLowerCase());
  const json = spec.body !== undefined && !own.some(([header]) => header.toLowerCase() === 'content-type');
  return {
    ...spec,
    headers: { ...(json && { 'content-type': 'application/json' }), ...Object.fromEntries(own), [name]: key },
  };
}
