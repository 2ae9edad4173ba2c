import { describe, expect, it } from '@jest/globals';
import fastify from 'fastify';
import { readJsonBodies } from '../../src/api/json-bodies';

describe('the body of a request', () => {
  it.each<[string, number, unknown]>([
    ['{"a": [1, "ä"]}', 200, { a: [1, 'ä'] }],
    ['{"a": 1, "a": 2}', 400, 'the same key is twice in one object'],
    ['{"a": 9007199254740993}', 400, 'expected a to be a whole number within ±(2^53 − 1), got 9007199254740993'],
    ['{"a": {"__proto__": 1}}', 400, 'expected other keys than the reserved __proto__'],
    ['{"a": tok-123}', 400, expect.stringMatching(/^expected JSON, but it cannot be parsed(?!.*tok-123)/)],
    ['', 400, expect.stringContaining('expected JSON')],
  ])('the body %j is answered with %d', async (payload, status, answer) => {
    const server = fastify();
    readJsonBodies(server);
    server.post('/', async (request) => request.body);
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const response = await fetch(url, { method: 'POST', body: payload, headers });
    const body: unknown = await response.json();
    expect([response.status, status === 200 ? body : (body as { message: string }).message]).toEqual([status, answer]);
    await server.close();
  });
});
