import type { buildConnector } from 'undici';

/** Errors of connections to a proxy, by the proxy's address. */
const failed = new WeakMap<Error, string>();

/** Connections to a proxy whose errors tell that it is the proxy that was not reached. */
export function tellingProxy(connect: buildConnector.connector, proxy: URL): buildConnector.connector {
  return (asked, callback) =>
    connect(asked, (...result) => {
      // Without a user and a password.
      if (result[0] !== null) failed.set(result[0], proxy.origin);
      callback(...result);
    });
}

/** What a proxy answers to CONNECT, in undici's words. */
const REFUSED = /^Proxy response \((\d{3})\)/;

/**
 * What is to be said of a request that its proxy ended, after a name of the server: `the proxy http://proxy.example:3128 was not reached
 * (ECONNREFUSED)`. undefined for any other failure.
 */
export function proxyFailure(error: unknown): string | undefined {
  for (const one of [error, (error as { cause?: unknown } | null)?.cause]) {
    if (typeof one !== 'object' || one === null) continue;
    const proxy = failed.get(one as Error);
    const { code, message } = one as { code?: unknown; message?: unknown };
    if (proxy !== undefined)
      return `the proxy ${proxy} was not reached (${typeof code === 'string' ? code : 'no code'})`;
    const [, status] = REFUSED.exec(String(message)) ?? [];
    if (status !== undefined) return `the proxy answered ${status}`;
  }
  return undefined;
}
