import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { requestJson, type JsonRequest } from '../../../src/platform/sources/request-json';
import { createHttpFetch } from '../../../src/platform/http/http-client';
import { redactUrl } from '../../../src/platform/sources/url';
import { startScriptedSource, type ScriptedSource } from '../../support/scripted-source';

const MIB = 1024 * 1024;
let source: ScriptedSource;
let other: ScriptedSource;
let folder: string;
beforeEach(async () => {
  [source, other] = await Promise.all([startScriptedSource(), startScriptedSource()]);
  folder = mkdtempSync(join(tmpdir(), 'request-'));
});
afterEach(async () => {
  await Promise.all([source.close(), other.close()]);
  rmSync(folder, { recursive: true });
});

async function ask(over: Partial<JsonRequest> = {}, env: Record<string, string> = {}) {
  const deps = { env, configFolder: folder };
  const signal = new AbortController().signal;
  return requestJson({
    subject: 'Fact level',
    factId: 'level',
    url: source.url,
    signal,
    deps,
    fetch: createHttpFetch({ env, folder }),
    ...over,
  });
}
/** redirects `/n` to `/n-1` and answers `/0` */
const countingDown = (target: () => string) => {
  source.script = (request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end('7');
    else response.writeHead(302, { location: `${target()}/${left - 1}` }).end();
  };
};

describe('redirects', () => {
  it.each([1, 3])('a request follows status %d', async (count) => {
    countingDown(() => '');
    expect((await ask({ url: `${source.url}/${count}` })).body).toBe(7);
    expect(source.requests).toHaveLength(count + 1);
  });
  it('a request follows no fourth redirect', async () => {
    countingDown(() => '');
    await expect(ask({ url: `${source.url}/4` })).rejects.toMatchObject({ type: 'FactSourceUnavailable' });
    expect(source.requests).toHaveLength(4);
  });
  it('a request follows no redirect to another host, which could answer for the source', async () => {
    countingDown(() => other.url);
    await expect(ask({ url: `${source.url}/1` })).rejects.toMatchObject({ type: 'FactSourceUnavailable' });
    expect(other.requests).toEqual([]);
  });
  it.each<[string, Partial<JsonRequest>]>([
    ['a header', { headers: { 'x-key': 'k' } }],
    ['a bearer token', { bearerToken: { env: 'TOKEN' } }],
  ])('a redirect never carries %s to another host', async (_, credential) => {
    countingDown(() => other.url);
    const asked = ask({ url: `${source.url}/1`, ...credential }, { TOKEN: 't' });
    await expect(asked).rejects.toMatchObject({ type: 'FactSourceUnavailable', faults: [{ status: 302 }] });
    expect(other.requests).toEqual([]);
  });
  it('a redirect on the same host carries the credential', async () => {
    countingDown(() => '');
    await ask({ url: `${source.url}/1`, bearerToken: { env: 'TOKEN' } }, { TOKEN: 't' });
    expect(source.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer t', 'Bearer t']);
  });
  it('a redirect to an invalid URL is refused', async () => {
    source.script = (_, response) => void response.writeHead(301, { location: 'http://' }).end();
    await expect(ask()).rejects.toMatchObject({ type: 'FactSourceUnavailable' });
  });
});

describe('bodies', () => {
  it.each([
    ['exactly 1 MiB', MIB, true],
    ['one byte more', MIB + 1, false],
  ])('%s', async (_, bytes, good) => {
    source.script = (__, response) => void response.end(`"${'x'.repeat(bytes - 2)}"`);
    if (good) expect((await ask()).body).toHaveLength(MIB - 2);
    else await expect(ask()).rejects.toMatchObject({ type: 'FactInvalid' });
  });
  it.each(['', '  ', '{', 'NaN', '9007199254740993', '{"a":[1e400]}'])("'%s' is FactInvalid", async (body) => {
    source.script = (_, response) => void response.end(body);
    await expect(ask()).rejects.toMatchObject({ type: 'FactInvalid' });
  });
  it('a byte order mark before the JSON is accepted', async () => {
    source.script = (_, response) => void response.end('\uFEFF7');
    expect((await ask()).body).toBe(7);
  });
  it('bytes that are not UTF-8 are FactInvalid', async () => {
    source.script = (_, response) => void response.end(Buffer.from([0x22, 0xff, 0x22]));
    await expect(ask()).rejects.toMatchObject({ type: 'FactInvalid', message: expect.stringContaining('UTF-8') });
  });
  it.each([203, 206])('status %d is FactInvalid: it is no whole answer of the source', async (status) => {
    source.script = (_, response) => void response.writeHead(status).end('7');
    await expect(ask()).rejects.toMatchObject({ type: 'FactInvalid', message: expect.stringContaining(`${status}`) });
  });
  it('a connection that ends before an answer begins is asked over once more, and no oftener', async () => {
    source.script = (request, response) =>
      void (source.requests.length === 1 ? request.socket.destroy() : response.end('7'));
    expect((await ask()).body).toBe(7);
    source.script = (request) => void request.socket.destroy();
    await expect(ask()).rejects.toMatchObject({ type: 'FactSourceUnavailable' });
    expect(source.requests).toHaveLength(4);
  });
  it('a body cut off is FactSourceUnavailable', async () => {
    source.script = (_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{', () => response.destroy());
    };
    await expect(ask()).rejects.toMatchObject({ type: 'FactSourceUnavailable' });
  });
});

describe('the time of an answer', () => {
  const answeredAgo = async (headers: Record<string, string>) => {
    source.script = (_, response) =>
      void response.writeHead(200, { date: new Date().toUTCString(), ...headers }).end('7');
    const { answeredAtMs } = await ask();
    return Date.now() - answeredAtMs;
  };
  it('is now for one that comes from the source itself', async () => {
    const before = Date.now();
    source.script = (_, response) => void response.end('7');
    const { answeredAtMs } = await ask();
    expect(answeredAtMs).toBeGreaterThanOrEqual(before - 1);
    expect(answeredAtMs).toBeLessThanOrEqual(Date.now());
  });
  it('goes back by the Age that a cache on the way says', async () => {
    expect(await answeredAgo({ age: '120' })).toBeGreaterThanOrEqual(120_000);
  });
  it('is the Date of the origin where that is older', async () => {
    const date = new Date(Date.now() - 300_000).toUTCString();
    expect(await answeredAgo({ date, age: '5' })).toBeGreaterThanOrEqual(299_000);
  });
  it('takes no Date of the future, and nothing that is no date', async () => {
    expect(await answeredAgo({ date: new Date(Date.now() + 3_600_000).toUTCString() })).toBeGreaterThanOrEqual(0);
    expect(await answeredAgo({ date: 'yesterday', age: 'old' })).toBeGreaterThanOrEqual(0);
  });
  it('is asked of the source and not of a cache', async () => {
    await ask();
    expect(source.requests[0]?.headers['cache-control']).toBe('no-cache');
  });
});

describe('secrets', () => {
  it('secrets come from a file beside the configuration, read again for each request', async () => {
    for (const secret of ['one', 'two']) {
      writeFileSync(join(folder, 'token'), `${secret}\n`);
      await ask({ headers: { 'x-key': { file: 'token' } } });
    }
    expect(source.requests.map(({ headers }) => headers['x-key'])).toEqual(['one', 'two']);
  });
  it.each([
    ['an absent file', { file: 'absent' }, 'absent, but it could not be read (ENOENT)'],
    ['an empty file', { file: 'empty' }, 'empty, but it is empty'],
    ['an absent variable', { env: 'NONE' }, 'NONE, but it is not set'],
    ['a blank variable', { env: 'BLANK' }, 'BLANK, but it is not set'],
  ])('a secret that is %s is named, and no request is sent', async (_, bearerToken, message) => {
    writeFileSync(join(folder, 'empty'), '\n');
    const expected = { type: 'FactSourceUnavailable', message: expect.stringContaining(message) };
    await expect(ask({ bearerToken }, { BLANK: ' ' })).rejects.toMatchObject(expected);
    expect(source.requests).toEqual([]);
  });
  it('secrets with a forbidden character are refused without being shown', async () => {
    const error = await ask({ headers: { 'x-key': { env: 'KEY' } } }, { KEY: 'hun\nter2' }).catch((e: Error) => e);
    expect(error).toMatchObject({ type: 'FactSourceUnavailable', message: expect.stringContaining('x-key') });
    expect(JSON.stringify(error) + String(error)).not.toMatch(/hun|ter2/);
  });
  it.each([
    ['http://u:p@h/a?token=t&b=1', 'http://h/a?token=***&b=1'],
    ['http://h/{stage}', 'http://h/{stage}'],
    ['nowhere', '(not a URL)'],
  ])('secrets are taken out of %s', (url, shown) => expect(redactUrl(url)).toBe(shown));
});
