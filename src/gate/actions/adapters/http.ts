import { DEFAULT_DURATIONS, parseDuration } from '../../../kernel/duration';
import { isTimedOut, withSignal } from '../../../platform/timers/with-signal';
import type { ActionContext, ActionResult, HttpAction, HttpRequestSpec } from '../action';
import { ActionError } from '../action-error';
import { displayUrl, displayUrlTemplate, toHttpRequest, type HttpRequest } from '../http-request';
import type { ActionType, RunOptions } from '../registry';

const DEFAULT_KEY_HEADER = 'Idempotency-Key';

/** Sends one request, under an idempotency key so that a retry is no second act. */
export const httpAction: ActionType<HttpAction> = {
  type: 'http',
  check(spec, context) {
    const { faults } = toHttpRequest(withKeyHeader(spec, spec, 'key'), context, 'action');
    if (spec.compensation === undefined) return faults;
    const undo = withKeyHeader(spec.compensation, spec, 'key');
    return [...faults, ...toHttpRequest(undo, context, 'action.compensation').faults];
  },
  run: (spec, context, options) => send(spec, spec, context, 'action', options),
  async compensate(spec, context, options) {
    if (spec.compensation === undefined) return { summary: 'no compensation is defined' };
    return send(spec.compensation, spec, context, 'action.compensation', options);
  },
};

async function send(
  spec: HttpRequestSpec,
  action: HttpAction,
  context: ActionContext,
  where: string,
  { idempotencyKey, signal, hidesValues = false }: RunOptions,
): Promise<ActionResult> {
  const { request, faults } = toHttpRequest(withKeyHeader(spec, action, idempotencyKey), context, where);
  if (request === undefined) {
    const message = faults.map((fault) => fault.message).join('; ');
    throw new ActionError(message, { retryable: false, mayHaveBeenSent: false, faults });
  }
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
  const response = await fetchOnce(request, place, action.timeout ?? DEFAULT_DURATIONS.actionTimeout, signal);
  const { status } = response;
  if (spec.expect === undefined ? response.ok : status === spec.expect) {
    return { status, summary: `${name} answered ${status}` };
  }
  throw new ActionError(`Expected ${name} to answer ${spec.expect ?? '2xx'}, got ${status}`, {
    retryable: status >= 500 || [408, 425, 429].includes(status),
    mayHaveBeenSent: true,
    where: place,
    status,
  });
}

async function fetchOnce(request: HttpRequest, place: string, timeout: string, signal: AbortSignal): Promise<Response> {
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
      // The answer's body is not used; left unread it would hold the connection.
      await response.body?.cancel();
      return response;
    } catch (error) {
      throw new ActionError(`${request.method} ${place} ${whatHappened(error, timeout, signal, either)}`, {
        retryable: true,
        mayHaveBeenSent: !isCertainlyUnsent(error),
        where: place,
        // fetch's own errors may hold the URL with its query; the code is all that is worth keeping.
        cause: codeOf(error),
      });
    }
  });
}

function whatHappened(error: unknown, timeout: string, signal: AbortSignal, either: AbortSignal): string {
  if (isTimedOut(either)) return `gave no answer within ${timeout}; it may have been carried out`;
  if (signal.aborted) return 'was stopped; it may have been carried out';
  if (isCertainlyUnsent(error)) return `could not be sent: ${codeOf(error)}`;
  return `was cut off: ${codeOf(error)}; it may have been carried out`;
}

/**
 * Whether a failure of fetch happened before a connection stood. Only what undici can have raised while it looked up the
 * name or connected counts; everything else, known or not, counts as sent.
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
  return cause.syscall === 'connect' || cause.syscall === 'getaddrinfo' || cause.code === 'UND_ERR_CONNECT_TIMEOUT';
}

function codeOf(error: unknown): string {
  const { code } = causeOf(error);
  return typeof code === 'string' ? code : 'network failure';
}

/** By shape and not by `instanceof`: within a vm context (jest, workflow sandboxes) fetch's errors are another realm's. */
function causeOf(error: unknown): Record<string, unknown> {
  const cause = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null ? (cause as Record<string, unknown>) : {};
}

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
