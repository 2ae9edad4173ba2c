import type { Response } from 'undici';
import { isJsonObject, type JsonObject } from '../../kernel/json';
import { shortText } from '../../kernel/short-text';
import { parseTime } from '../../kernel/time';
import { parseJsonText } from '../../platform/documents/json-text';
import type { HttpFetch } from '../../platform/http/http-client';
import { networkCode } from '../../platform/http/network-code';
import { readUpTo } from '../../platform/http/read-up-to';
import { isTimedOut, withSignal } from '../../platform/timers/with-signal';
import { ManagerError } from './manager-error';
import { OperationState, type ManagerCall, type MoveOperation, type ShardManager } from './shard-manager';

/** How the shard manager is reached. */
export interface HttpShardManagerOptions {
  /** such as `https://shards.internal`; the paths below `/v1` are added to it */
  url: string;
  fetch: HttpFetch;
  /** read for each request, so that a rotated one is taken up; undefined where none is configured */
  readToken(): Promise<string | undefined>;
  /** of one request */
  timeoutMs: number;
}

/** A state document of 1,000,000 shards is about 120 MB. */
const MAX_STATE_BYTES = 256 * 1024 * 1024;
const MAX_ANSWER_BYTES = 1024 * 1024;
const RETRYABLE = [408, 425, 429];

/** The shard manager over HTTP (docs/shard-manager.openapi.yaml). */
export function createHttpShardManager(options: HttpShardManagerOptions): ShardManager {
  const base = options.url.replace(/\/+$/, '');
  const ask = (request: Omit<ManagerRequest, 'url'> & { path: string }): Promise<JsonObject> =>
    send(options, { ...request, url: `${base}/v1/${request.path}` });
  const change = (method: string, path: string, call: ManagerCall, body?: JsonObject): Promise<JsonObject> =>
    ask({ method, path, call, signal: call.signal, ...(body === undefined ? {} : { body }) });
  const replica = (shard: string, node: string): string => `shards/${segment(shard)}/replicas/${segment(node)}`;

  return {
    state: (signal) => ask({ method: 'GET', path: 'state', signal, maxBytes: MAX_STATE_BYTES }),
    place: async ({ shard, node }, call) => toReplicaAnswer(await change('PUT', replica(shard, node), call)),
    remove: async ({ shard, node }, call, force) =>
      toReplicaAnswer(await change('DELETE', `${replica(shard, node)}${force ? '?force=true' : ''}`, call)),
    startMove: async ({ shard, from, to }, call, withinMs) => {
      const body = { from, to, deadline_seconds: Math.max(1, Math.ceil(withinMs / 1000)) };
      return toOperation(await change('POST', `shards/${segment(shard)}/moves`, call, body));
    },
    operation: async (id, signal) =>
      toOperation(await ask({ method: 'GET', path: `operations/${segment(id)}`, signal })),
    cancel: async (id, signal) =>
      toOperation(await ask({ method: 'DELETE', path: `operations/${segment(id)}`, signal })),
  };
}

/** @throws ManagerError for what would change the path, and so what is asked: nothing, a step to another place, half a character */
function segment(id: string): string {
  if (id !== '' && id !== '.' && id !== '..' && !/\p{Cs}/u.test(id)) return encodeURIComponent(id);
  const message = `Expected an id in valid Unicode, neither empty nor . nor .., got ${JSON.stringify(id)}`;
  throw new ManagerError(message, { retryable: false, mayHaveBeenSent: false, where: 'shard manager' });
}

interface ManagerRequest {
  method: string;
  url: string;
  signal: AbortSignal;
  /** on requests that change something */
  call?: ManagerCall;
  body?: JsonObject;
  maxBytes?: number;
}

async function send(options: HttpShardManagerOptions, request: ManagerRequest): Promise<JsonObject> {
  const { method, url, call, body, signal, maxBytes = MAX_ANSWER_BYTES } = request;
  const name = `${method} ${url}`;
  const token = await options.readToken();
  const headers: Record<string, string> = {
    accept: 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(call === undefined ? {} : { 'idempotency-key': call.key }),
    ...(call?.onVersion === undefined ? {} : { 'if-match': `"${call.onVersion}"` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const text = body === undefined ? undefined : JSON.stringify(body);
  return withSignal({ timeoutMs: options.timeoutMs, signals: [signal] }, async (either) => {
    let response: Response;
    let content: Uint8Array | undefined;
    try {
      const init = { method, headers, signal: either, redirect: 'manual' as const };
      response = await options.fetch(url, text === undefined ? init : { ...init, body: text });
      content = await contentOf(response, maxBytes);
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      const what = isTimedOut(either)
        ? `gave no answer within ${options.timeoutMs} ms`
        : `got no answer (${networkCode(cause)})`;
      throw new ManagerError(`${name} ${what}`, { retryable: true, mayHaveBeenSent: true, where: url });
    }
    const answer = content === undefined ? undefined : toObject(content);
    if (response.status >= 200 && response.status <= 299) {
      if (answer !== undefined) return answer;
      const what = content === undefined ? `more than ${maxBytes} bytes` : 'no JSON object';
      throw new ManagerError(`${name} answered ${what}`, { retryable: false, mayHaveBeenSent: true, where: url });
    }
    throw refused(name, url, response.status, answer);
  });
}

function refused(name: string, where: string, status: number, answer: JsonObject | undefined): ManagerError {
  const { code, message } = answer ?? {};
  const why = typeof message === 'string' ? `: ${shortText(message, 300)}` : '';
  const retryable = status >= 500 || RETRYABLE.includes(status);
  return new ManagerError(`${name} answered ${status}${why}`, {
    retryable,
    mayHaveBeenSent: retryable,
    status,
    where,
    ...(typeof code === 'string' ? { code: shortText(code, 64) } : {}),
  });
}

/** undefined where it is longer than may be */
async function contentOf(response: Response, maxBytes: number): Promise<Uint8Array | undefined> {
  const content = await readUpTo(response.body, maxBytes);
  return content.byteLength > maxBytes ? undefined : content;
}

function toObject(content: Uint8Array): JsonObject | undefined {
  try {
    const value = parseJsonText(new TextDecoder('utf-8', { fatal: true }).decode(content));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function toReplicaAnswer({ changed, version }: JsonObject): { changed: boolean; version: string } {
  if (typeof changed === 'boolean' && typeof version === 'string') return { changed, version };
  throw misshapen('an answer with changed and version', { changed, version });
}

function toOperation(answer: JsonObject): MoveOperation {
  const { id, shard, from, to, state, error, deadline_at: deadline } = answer;
  const known = Object.values(OperationState).find((one) => one === state);
  const isWhole = [id, shard, from, to].every((text) => typeof text === 'string');
  if (!isWhole || known === undefined) throw misshapen('an operation with id, shard, from, to and state', answer);
  const deadlineMs = typeof deadline === 'string' ? parseTime(deadline) : undefined;
  return {
    id: id as string,
    shard: shard as string,
    from: from as string,
    to: to as string,
    state: known,
    ...(typeof error === 'string' ? { error: shortText(error, 300) } : {}),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
}

function misshapen(expected: string, found: unknown): ManagerError {
  const message = `Expected of the shard manager ${expected}, got ${shortText(JSON.stringify(found), 200)}`;
  return new ManagerError(message, { retryable: false, mayHaveBeenSent: true, where: 'shard manager' });
}
