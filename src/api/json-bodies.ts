import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isJsonObject, type JsonValue } from '../kernel/json';
import { JsonTextError, parseJsonText } from '../platform/documents/json-text';

/** Has `server` read bodies as every other JSON text is read, and answer 400 with the faults of others. */
export function readJsonBodies(server: FastifyInstance): void {
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: FastifyRequest, body: string) => {
      try {
        return parseBody(body);
      } catch (error) {
        if (error instanceof JsonTextError) throw Object.assign(new Error(error.message), { statusCode: 400 });
        throw error;
      }
    },
  );
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
