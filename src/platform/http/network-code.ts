import { proxyFailure } from './proxy-failure';

/**
 * The code of what ended a request of fetch, such as `ECONNREFUSED`; `network failure` where it has none; in words where the proxy was not reached. Messages of fetch's
 * errors are not told: they may have the address, with its query.
 */
export function networkCode(error: unknown): string {
  const { code } = causeOf(error);
  const proxy = proxyFailure(error);
  if (proxy !== undefined) return proxy;
  return typeof code === 'string' ? code : 'network failure';
}

/** By shape and not by `instanceof`: within a vm context (jest, workflow sandboxes) fetch's errors are another realm's. */
export function causeOf(error: unknown): Record<string, unknown> {
  const cause = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null ? (cause as Record<string, unknown>) : {};
}
