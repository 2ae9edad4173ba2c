import { BuiltinError } from './builtin';
import { parseAddress } from './ip-address';
import { decodeUtf8 } from './utf8';

/** The parts of Go's `url.URL` that a policy sees; an absent part is an empty text. */
export interface GoUrl {
  scheme: string;
  /** with the port, where it has one */
  host: string;
  path: string;
  /** the path as it was written, where that is not how Go would write it */
  rawPath: string;
  rawQuery: string;
  fragment: string;
  /** the fragment as it was written, where that is not how Go would write it */
  rawFragment: string;
  /** what follows a scheme without a slash, as in `mailto:a@b` */
  opaque: string;
  /** the name and password before the host, as they were written */
  userInfo?: string;
  /** an empty query: `/path?` */
  forceQuery: boolean;
  /** a scheme with a path and no host: `file:/path` */
  omitHost: boolean;
}

const PATH_CHARS = /[A-Za-z0-9\-._~$&+,/:;=@]/;
const FRAGMENT_CHARS = /[A-Za-z0-9\-._~$&+,/:;=?@!()*]/;
const USER_CHARS = /[A-Za-z0-9\-._~$&+,;=]/;
const HOST_CHARS = /[A-Za-z0-9\-._~!"$&'()*+,:;<=>[\]]/;
const USER_INFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;

/**
 * Go's `url.Parse` (Go 1.26), its reading of odd addresses included.
 *
 * @throws BuiltinError where Go refuses the text
 */
export function parseUrl(text: string): GoUrl {
  const [before, fragment] = cut(text, '#');
  const url = parseWithoutFragment(before);
  const unescaped = unescape(fragment);
  return { ...url, fragment: unescaped, rawFragment: fragment === escapeFragment(unescaped) ? '' : fragment };
}

function parseWithoutFragment(text: string): Omit<GoUrl, 'fragment' | 'rawFragment'> {
  // eslint-disable-next-line no-control-regex -- these are meant
  if (/[\x00-\x1f\x7f]/.test(text)) throw new BuiltinError('net/url: invalid control character in URL');
  const empty = { scheme: '', host: '', path: '', rawPath: '', rawQuery: '', opaque: '' };
  const url: Omit<GoUrl, 'fragment' | 'rawFragment'> = { ...empty, forceQuery: false, omitHost: false };
  if (text === '*') return { ...url, path: '*' };
  const scheme = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(text);
  if (text.startsWith(':')) throw new BuiltinError('missing protocol scheme');
  url.scheme = scheme?.[1]!.toLowerCase() ?? '';
  const [beforeQuery, rawQuery] = cut(text.slice(scheme?.[0].length ?? 0), '?');
  let rest = beforeQuery;
  url.rawQuery = rawQuery;
  url.forceQuery = rawQuery === '' && text.endsWith('?');
  if (!rest.startsWith('/')) {
    // what has a scheme and no slash is opaque: mailto:a@b
    if (url.scheme !== '') return { ...url, opaque: rest };
    if (rest.split('/')[0]!.includes(':')) {
      throw new BuiltinError('first path segment in URL cannot contain colon');
    }
  }
  if (rest.startsWith('//') && (url.scheme !== '' || !rest.startsWith('///'))) {
    const authority = /^[^/]*/.exec(rest.slice(2))![0];
    rest = rest.slice(2 + authority.length);
    const at = authority.lastIndexOf('@');
    url.host = hostOf(url.scheme, authority);
    if (at >= 0) url.userInfo = authority.slice(0, at);
  } else if (url.scheme !== '' && rest.startsWith('/')) {
    url.omitHost = true;
  }
  const path = unescape(rest);
  return { ...url, path, rawPath: rest === escapePath(path) ? '' : rest };
}

function cut(text: string, separator: string): [before: string, after: string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function hostOf(scheme: string, authority: string): string {
  const at = authority.lastIndexOf('@');
  const host = parseHost(scheme, authority.slice(at + 1));
  if (at >= 0) {
    const userInfo = authority.slice(0, at);
    if (!USER_INFO.test(userInfo)) throw new BuiltinError('net/url: invalid userinfo');
    unescape(userInfo);
  }
  return host;
}

function parseHost(scheme: string, host: string): string {
  const open = host.lastIndexOf('[');
  if (open > 0) throw new BuiltinError('invalid IP-literal');
  if (open === 0) return parseIpLiteral(host);
  const [first, last] = [host.indexOf(':'), host.lastIndexOf(':')];
  if (first >= 0) checkPort(host.slice(scheme === 'http' || scheme === 'https' ? first : last));
  return unescapeHost(host);
}

/** An address of IPv6 in brackets, with a zone (`%25en0`) or without. */
function parseIpLiteral(host: string): string {
  const close = host.lastIndexOf(']');
  if (close < 0) throw new BuiltinError("missing ']' in host");
  const port = host.slice(close + 1);
  checkPort(port);
  const name = host.slice(1, close);
  const zoneAt = name.indexOf('%25');
  const unescaped =
    zoneAt < 0 ? unescapeHost(name) : unescapeHost(name.slice(0, zoneAt)) + unescapeZone(name.slice(zoneAt));
  const [address, zone] = cut(unescaped, '%');
  const isZoneEmpty = unescaped.includes('%') && zone === '';
  if (parseAddress(address)?.version !== 6 || isZoneEmpty) throw new BuiltinError('invalid host');
  return `[${unescaped}]${port}`;
}

function checkPort(port: string): void {
  if (!/^(?::[0-9]*)?$/.test(port)) throw new BuiltinError(`invalid port ${JSON.stringify(port)} after host`);
}

/** In a host only bytes beyond ASCII may be escaped, and the percent sign. */
function unescapeHost(text: string): string {
  for (const [escape] of text.matchAll(/%[0-7][0-9a-fA-F]/g)) {
    if (escape !== '%25') throw new BuiltinError(`invalid URL escape ${JSON.stringify(escape)}`);
  }
  return unescape(checkHostChars(text));
}

function unescapeZone(text: string): string {
  for (const [escape] of text.matchAll(/%[0-9a-fA-F]{2}/g)) {
    const char = String.fromCharCode(parseInt(escape.slice(1), 16));
    if (char !== '%' && char !== ' ' && !HOST_CHARS.test(char)) {
      throw new BuiltinError(`invalid URL escape ${JSON.stringify(escape)}`);
    }
  }
  return unescape(checkHostChars(text));
}

function checkHostChars(text: string): string {
  for (const char of text) {
    if (char < '\x80' && char !== '%' && !HOST_CHARS.test(char)) {
      throw new BuiltinError(`invalid character ${JSON.stringify(char)} in host name`);
    }
  }
  return text;
}

function unescape(text: string): string {
  const bad = /%(?![0-9a-fA-F]{2})/.exec(text);
  if (bad) throw new BuiltinError(`invalid URL escape ${JSON.stringify(text.slice(bad.index, bad.index + 3))}`);
  if (!text.includes('%')) return text;
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const unescaped = bytes.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return decodeUtf8(Buffer.from(unescaped, 'latin1'));
}

/** How Go would write a path. */
const escapePath = (path: string) => escape(path, PATH_CHARS);
const escapeFragment = (fragment: string) => escape(fragment, FRAGMENT_CHARS);

function escape(text: string, unescaped: RegExp): string {
  return Array.from(Buffer.from(text, 'utf8'), (byte) => {
    const char = String.fromCharCode(byte);
    return byte < 0x80 && unescaped.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

/** Go's `URL.EscapedPath`: as it was written, where that is a valid way to write the path. */
export function escapedPath({ path, rawPath }: GoUrl): string {
  if (rawPath !== '' && /^[A-Za-z0-9\-._~$&+,/:;=@!'()*[\]%]*$/.test(rawPath)) return rawPath;
  return path === '*' ? path : escapePath(path);
}

/** Go's `URL.Hostname` and `URL.Port`. */
export function splitHost(host: string): { hostname: string; port: string } {
  const [, before = host, port = ''] = /^(.*):([0-9]*)$/s.exec(host) ?? [];
  return { hostname: before.startsWith('[') && before.endsWith(']') ? before.slice(1, -1) : before, port };
}

/** Go's `URL.String`. */
export function formatUrl(url: GoUrl): string {
  const parts: string[] = [];
  if (url.scheme !== '') parts.push(`${url.scheme}:`);
  if (url.opaque !== '') parts.push(url.opaque);
  else {
    const hasUser = url.userInfo !== undefined;
    if (url.scheme !== '' || url.host !== '' || hasUser) {
      if (url.omitHost && url.host === '' && !hasUser) {
        // a path alone
      } else {
        if (url.host !== '' || url.path !== '' || hasUser) parts.push('//');
        if (hasUser) parts.push(`${formatUserInfo(url.userInfo!)}@`);
        parts.push(escape(url.host, HOST_CHARS));
      }
    }
    const path = escapedPath(url);
    if (path !== '' && !path.startsWith('/') && url.host !== '') parts.push('/');
    if (parts.length === 0 && path.split('/')[0]!.includes(':')) parts.push('./');
    parts.push(path);
  }
  if (url.forceQuery || url.rawQuery !== '') parts.push(`?${url.rawQuery}`);
  if (url.fragment !== '') parts.push(`#${escapedFragment(url)}`);
  return parts.join('');
}

function formatUserInfo(userInfo: string): string {
  const [name, password] = cut(userInfo, ':').map((part) => escape(unescape(part), USER_CHARS));
  return userInfo.includes(':') ? `${name}:${password}` : name!;
}

/** Go's `URL.EscapedFragment`. */
function escapedFragment({ fragment, rawFragment }: GoUrl): string {
  if (rawFragment !== '' && /^[A-Za-z0-9\-._~$&+,/:;=?@!'()*[\]%]*$/.test(rawFragment)) return rawFragment;
  return escapeFragment(fragment);
}
