/** Why a text is no address of an HTTP server: another scheme or no URL at all, or a user or password in it. */
export type HttpUrlFault = 'no-http-url' | 'credentials';

/**
 * The URL that `text` is when it begins with `http://` or `https://` and holds no user and no password: those would be shown
 * and stored wherever the URL is, and `fetch` refuses them. A caller does not repeat a refused text, which may hold a password.
 */
export function readHttpUrl(text: string): URL | HttpUrlFault {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return 'no-http-url';
  const url = new URL(text);
  return url.username === '' && url.password === '' ? url : 'credentials';
}
