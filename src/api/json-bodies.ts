import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isJsonObject, type JsonValue } from '../kernel/json';
import { JsonTextError, parseJsonText } from '../platform/documents/json-text';

/** Has `server` read bodies as every other JSON text is read, and answer 400 with the faults of others. */
export function readJsonBodies(server: FastifyInstance): void {
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      const { 'content-encoding': encoding = 'identity' } = request.headers;
      if (encoding !== 'identity') throw refused(415, `expected a body without Content-Encoding, got ${encoding}`);
      try {
        return parseBody(decodeBody(body));
      } catch (error) {
        if (error instanceof JsonTextError) throw refused(400, error.message);
        throw error;
      }
    },
  );
}

const refused = (statusCode: number, message: string): Error => Object.assign(new Error(message), { statusCode });

/**
 * The text of a body; a byte order mark is left out. Bytes that are not UTF-8 are refused: with a replacement character in their
 * place, two bodies could be one.
 *
 * @throws JsonTextError
 */
export function decodeBody(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new JsonTextError(false, [{ sentence: 'expected a body in UTF-8' }]);
  }
}

/**
 * The value of a body, read as every other JSON text.
 *
 * @throws JsonTextError, for a reserved key too
 */
export function parseBody(body: string): JsonValue {
  return refuseReservedKey(parseJsonText(body));
}

/** As fastify's own parser does: code that copies members one by one would set the copy's prototype. */
function refuseReservedKey(body: JsonValue): JsonValue {
  const left: JsonValue[] = [body];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if (isJsonObject(value) && Object.hasOwn(value, '__proto__')) {
      throw new JsonTextError(true, [{ sentence: 'expected other keys than the reserved __proto__' }]);
    }
    for (const child of Object.values(value)) left.push(child);
  }
  return body;
}
