import { describe, expect, it } from '@jest/globals';
import { readHttpUrl } from '../../src/kernel/http-url';

describe('an address of an HTTP server', () => {
  it.each([
    ['http://host', 'http://host/'],
    ['HTTPS://Host:8443/a?b=c', 'https://host:8443/a?b=c'],
    ['http://host/{stage}', 'http://host/%7Bstage%7D'],
    ['http://[::1]:80/a@b', 'http://[::1]/a@b'],
  ])('%s is read as %s', (text, href) => {
    expect(readHttpUrl(text)).toEqual(new URL(href));
  });

  it.each([
    ...['', 'host', '//host/a', '/a', 'ftp://host', 'file:///a', 'javascript:alert(1)', 'http://', 'http://a b'],
    // The URL parser by itself takes these for http://host/.
    ...['http:host', 'http:/host', ' http://host', '\thttp://host', 'ht\ntp://host'],
  ])('%j is refused', (text) => {
    expect(readHttpUrl(text)).toBe('no-http-url');
  });

  it.each(['http://user@host', 'http://user:pw@host', 'http://:pw@host', 'https://token:@host'])(
    '%s is refused for its credentials',
    (text) => {
      expect(readHttpUrl(text)).toBe('credentials');
    },
  );
});
