import type { IncomingMessage } from 'node:http';
import type { JsonValue } from '../kernel/json';
import { parseJsonText } from '../platform/documents/json-text';

/**
 * The JSON that a stand-in was sent.
 *
 * @returns `empty` for a body without a byte; undefined for one that is no JSON, or longer than `maxBytes`
 */
export async function readJsonBody(
  request: IncomingMessage,
  maxBytes: number,
  empty?: JsonValue,
): Promise<JsonValue | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk as Buffer);
  }
  if (size === 0) return empty;
  try {
    return parseJsonText(Buffer.concat(chunks).toString());
  } catch {
    return undefined;
  }
}
