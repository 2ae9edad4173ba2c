import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

/** Whether only this machine can reach `host`: `localhost`, 127.0.0.0/8 or ::1. Names other than localhost are not. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (bare === 'localhost' || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}

/**
 * Whether a Host header names this machine. A web page can have a name of its own resolve to 127.0.0.1 and then ask us from
 * the user's browser (DNS rebinding); such a request carries that name.
 */
export function isLoopbackHostHeader(header: string | undefined): boolean {
  const match = /^(\[[^\]]*\]|[^:]*)(?::[0-9]+)?$/.exec(header ?? '');
  return match?.[1] !== undefined && isLoopback(match[1]);
}

/** Whether an Authorization header bears one of `tokens`; an empty token opens nothing. */
export function bearsToken(header: string | undefined, tokens: readonly string[]): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
  if (given === undefined) return false;
  // Digests have one length, so the time taken tells neither the token's length nor how much of it was right.
  return tokens.filter((token) => token !== '' && timingSafeEqual(digest(given), digest(token))).length > 0;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
