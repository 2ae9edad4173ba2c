import { DelegateBackoff, handleType, retry } from 'cockatiel';
import { parseDuration } from '../../kernel/duration';
import { EXPECTED_OF_HTTP_URL, readHttpUrl } from '../../kernel/http-url';
import type { HttpFetch } from '../../platform/http/http-client';
import { networkCode } from '../../platform/http/network-code';
import { withSignal } from '../../platform/timers/with-signal';
import type { AlertReceiverConfig } from '../../settings/settings';
import type { SettingsSecret } from '../../platform/documents/schema-types';

/** What a receiver needs besides its configuration. */
export interface ReceiverDeps {
  /** name in metrics and errors; never an address, because a webhook's address is a credential */
  name: string;
  readSecret(ref: SettingsSecret): Promise<string> | string;
  fetch: HttpFetch;
  /** link put into the message */
  uiUrl?: string;
  /** attempts in all; @default 3 */
  maxAttempts?: number;
  /** wait after the first failed attempt, doubled after each further one; @default 250 */
  firstBackoffMs?: number;
}

/**
 * However long a receiver asks us to wait: three attempts of 5 s and two waits end within the activity's 30 s, and the
 * activity's own retries continue from there.
 */
const LONGEST_WAIT_MS = 3_000;

class TransientError extends Error {
  constructor(
    message: string,
    readonly retryAfterMs: number | undefined,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/**
 * Posts `body` as JSON; tries again after a network failure, a time-out, 408, 425, 429 and 5xx, honouring Retry-After.
 * The secret is read again for each message, so a rotated one needs no restart. Errors never hold the URL.
 */
export async function postWebhook(config: AlertReceiverConfig, deps: ReceiverDeps, body: unknown): Promise<void> {
  const url = typeof config.url === 'string' ? config.url : (await deps.readSecret(config.url)).trim();
  const read = readHttpUrl(url);
  if (typeof read === 'string') {
    throw new Error(`Expected the URL of alert receiver ${deps.name} ${EXPECTED_OF_HTTP_URL[read]}`);
  }
  await postJson(deps.fetch, url, body, { ...deps, timeoutMs: parseDuration(config.timeout) });
}

export interface PostOptions extends Pick<ReceiverDeps, 'maxAttempts' | 'firstBackoffMs'> {
  /** of one attempt */
  timeoutMs: number;
  /** beside the content's type */
  headers?: Readonly<Record<string, string>>;
}

/**
 * Posts JSON, again after failures that may pass.
 *
 * @throws Error without the URL
 */
export async function postJson(
  fetch: HttpFetch,
  url: string,
  body: unknown,
  { timeoutMs, headers = {}, maxAttempts = 3, firstBackoffMs = 250 }: PostOptions,
): Promise<void> {
  const payload = JSON.stringify(body);
  const policy = retry(handleType(TransientError), {
    maxAttempts: maxAttempts - 1,
    backoff: new DelegateBackoff(({ attempt, result }) => {
      const asked = 'error' in result && result.error instanceof TransientError ? result.error.retryAfterMs : undefined;
      return Math.min(asked ?? firstBackoffMs * 2 ** (attempt - 1), LONGEST_WAIT_MS);
    }),
  });
  await policy.execute(() => postOnce(fetch, url, payload, headers, timeoutMs));
}

async function postOnce(
  fetch: HttpFetch,
  url: string,
  payload: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<void> {
  let response: Awaited<ReturnType<HttpFetch>>;
  try {
    response = await withSignal({ timeoutMs }, async (signal) => {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: payload,
        // A redirect would carry the message to an address that no one configured.
        redirect: 'manual',
        signal,
      });
      await answer.body?.cancel();
      return answer;
    });
  } catch (error) {
    throw new TransientError(describeNetworkFailure(error, timeoutMs), undefined);
  }
  if (response.ok) return;
  const message = `answered ${response.status}`;
  if (response.status >= 500 || [408, 425, 429].includes(response.status)) {
    throw new TransientError(message, retryAfterMs(response.headers.get('retry-after'), Date.now()));
  }
  throw new Error(message);
}

/** fetch's own messages may hold the URL, so only the code is kept. */
function describeNetworkFailure(error: unknown, timeoutMs: number): string {
  // By shape: within a vm context fetch's errors are no instances of this realm's Error.
  const { name } = error as { name?: string };
  if (name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  return `not reached: ${networkCode(error)}`;
}

/** Retry-After in seconds or as an HTTP date (RFC 9110, section 10.2.3); undefined when absent or unreadable. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^[0-9]+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
