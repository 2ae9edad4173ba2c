import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import type { ExternalLook } from './external-look';

/** The node that a callback is for. */
export interface CallbackOf {
  node: string;
  /** from 1 */
  attempt: number;
}

/** What its Execution has of a node that waits for a callback. Of the token there is only its SHA-256. */
export interface Callback {
  attempt: number;
  tokenHash: string;
  answer?: CallbackAnswer;
}

/** What was called back; once it is there it stays. */
export type CallbackAnswer = Extract<ExternalLook, { state: 'succeeded' | 'failed' }>;

/** Where it is, under the node's `extensions`. */
const CALLBACK = 'callback';

/** The callback that a node's extensions have; undefined where there is none. */
export function callbackIn(extensions: JsonValue | undefined): Callback | undefined {
  const found = isJsonObject(extensions) ? extensions[CALLBACK] : undefined;
  return isJsonObject(found) && typeof found.tokenHash === 'string' ? (found as unknown as Callback) : undefined;
}

export function withCallback(extensions: JsonValue | undefined, callback: Callback): JsonObject {
  return { ...(isJsonObject(extensions) ? extensions : {}), [CALLBACK]: callback as unknown as JsonObject };
}
