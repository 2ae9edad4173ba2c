import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { createRecyclingConnector } from '../../../src/platform/http/recycled-reads';

const MIB = 2 ** 20;
const pem = (name: string): string => readFileSync(join(__dirname, '..', '..', 'fixtures', 'tls', name), 'utf8');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const ends: (() => Promise<unknown>)[] = [];
afterEach(() => Promise.all(ends.splice(0).map((end) => end())));

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

function connections(): Agent {
  const agent = new Agent({ connect: createRecyclingConnector({ ca: pem('ca.pem') }) });
  ends.unshift(() => agent.destroy());
  return agent;
}

/** Gives its content to a GET, and the digest of what it gets to a PUT. */
function start(content: Uint8Array, overTls: boolean): Promise<number> {
  const listener: RequestListener = (asked, answer) => {
    if (asked.method === 'GET') return void answer.setHeader('content-length', content.length).end(content);
    const hash = createHash('sha256');
    asked.on('data', (part: Buffer) => hash.update(part)).on('end', () => answer.end(hash.digest('hex')));
  };
  return listen(
    overTls
      ? createTlsServer({ cert: pem('server.pem'), key: pem('server.key.pem') }, listener)
      : createServer(listener),
  );
}

/** From a server to itself. @returns the digest of what arrived */
async function transfer(dispatcher: Agent, url: string, onPart?: (part: Uint8Array) => void): Promise<string> {
  const from = await request(url, { dispatcher, highWaterMark: 1 });
  async function* parts(): AsyncIterable<Uint8Array> {
    for await (const part of from.body as AsyncIterable<Uint8Array>) {
      onPart?.(part);
      yield part;
    }
  }
  const headers = { 'content-length': from.headers['content-length'] as string };
  // undici takes iterables too, which its types leave out.
  const to = await request(url, { dispatcher, method: 'PUT', headers, body: parts() as unknown as Uint8Array });
  return to.body.text();
}

describe.each([
  { what: 'plain connections', overTls: false },
  { what: 'connections over TLS', overTls: true },
])('$what that recycle what they read into', ({ overTls }) => {
  const urlOf = (port: number): string => `${overTls ? 'https' : 'http'}://localhost:${port}/`;

  it('transfer bodies without a change, several at once', async () => {
    const content = randomBytes(16 * MIB);
    const [url, dispatcher] = [urlOf(await start(content, overTls)), connections()];
    const memory = new Set<ArrayBufferLike>();
    const transfers = [1, 2, 3].map(() => transfer(dispatcher, url, (part) => void memory.add(part.buffer)));
    expect(await Promise.all(transfers)).toEqual(Array(3).fill(sha256(content)));
    const allocated = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (!overTls) expect(allocated).toBeLessThan(content.length);
  });

  it('leave what was read and not written as it is', async () => {
    const content = randomBytes(4 * MIB);
    const [url, dispatcher] = [urlOf(await start(content, overTls)), connections()];
    const kept: Uint8Array[] = [];
    const { body } = await request(url, { dispatcher });
    for await (const part of body as AsyncIterable<Uint8Array>) kept.push(part);
    const other = urlOf(await start(randomBytes(16 * MIB), overTls));
    await Promise.all([1, 2, 3].map(() => transfer(dispatcher, other)));
    expect(sha256(Buffer.concat(kept))).toBe(sha256(content));
  });
});
