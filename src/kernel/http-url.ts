/** Why a text is no address of an HTTP server: another scheme or no URL, a user or password in it, or a port of others. */
export type HttpUrlFault = 'no-http-url' | 'credentials' | 'refused-port';

/** What was expected of a URL that has a fault, as the end of a sentence: `Expected X ${…}`. */
export const EXPECTED_OF_HTTP_URL: Readonly<Record<HttpUrlFault, string>> = {
  'no-http-url': 'to be an http:// or https:// URL',
  credentials: 'to hold no user and no password',
  'refused-port': 'to name a port that HTTP clients take (this one belongs to another protocol)',
};

/** The ports that `fetch` refuses because they belong to other protocols ("bad port" in the Fetch standard, 2024). */
const REFUSED_PORTS = new Set(
  [
    ...[1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109],
    ...[110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530],
    ...[531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190],
    ...[5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080],
  ].map(String),
);

/**
 * The URL that `text` is when it begins with `http://` or `https://`, holds no user and no password (those would be shown
 * and stored wherever the URL is, and `fetch` refuses them) and names no port that `fetch` refuses. A caller does not repeat
 * a refused text, which may hold a password.
 */
export function readHttpUrl(text: string): URL | HttpUrlFault {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return 'no-http-url';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'credentials';
  return REFUSED_PORTS.has(url.port) ? 'refused-port' : url;
}

/** Whether what is sent there can be read on the way: plain http that leaves this machine. */
export function isInTheClear(url: string): boolean {
  if (!/^http:\/\//i.test(url) || !URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return hostname !== 'localhost' && hostname !== '[::1]' && !/^127(\.\d+){3}$/.test(hostname);
}
