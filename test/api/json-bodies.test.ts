import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fastify from 'fastify';
import { readJsonBodies } from '../../src/api/json-bodies';

describe('the body of a request', () => {
  async function post(payload: string | Uint8Array, encoding: Record<string, string> = {}): Promise<[number, unknown]> {
    const server = fastify();
    readJsonBodies(server);
    server.post('/', async (request) => request.body);
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    const headers = { 'content-type': 'application/json; charset=utf-8', ...encoding };
    const response = await fetch(url, { method: 'POST', body: payload, headers });
    const body: unknown = await response.json();
    await server.close();
    return [response.status, response.status === 200 ? body : (body as { message: string }).message];
  }

  it.each<[string, number, unknown]>([
    ['\ufeff{"a": 1}', 200, { a: 1 }],
    ['{"a": [1, "ä"]}', 200, { a: [1, 'ä'] }],
    ['{"a": 1, "a": 2}', 400, 'the same key is twice in one object'],
    ['{"a": 9007199254740993}', 400, 'expected a to be a whole number within ±(2^53 − 1), got 9007199254740993'],
    ['{"a": {"__proto__": 1}}', 400, 'expected other keys than the reserved __proto__'],
    ['{"a": tok-123}', 400, expect.stringMatching(/^expected JSON, but it cannot be parsed(?!.*tok-123)/)],
    ['', 400, expect.stringContaining('expected JSON')],
  ])('the body %j is answered with %d', async (payload, status, answer) => {
    expect(await post(payload)).toEqual([status, answer]);
  });

  it.each(['latin1', 'utf16le'] as const)('a body in %s is refused, and nothing of it is guessed', async (encoding) => {
    expect(await post(Buffer.from('{"a": "ä"}', encoding))).toEqual([400, 'expected a body in UTF-8']);
  });

  it('a compressed body is refused with the name of its encoding', async () => {
    const refused = [415, 'expected a body without Content-Encoding, got gzip'];
    expect(await post(gzipSync('{}'), { 'content-encoding': 'gzip' })).toEqual(refused);
  });
});
