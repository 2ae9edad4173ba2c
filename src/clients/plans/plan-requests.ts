import { ACTOR_HEADER } from '../../api/plans/self-review';
import { userName } from '../../platform/files/user-name';
import { Agent, request, type Dispatcher } from 'undici';
import { CONNECTION_FAULTS } from '../../kernel/connection-faults';
import { CommonFailure, FailureType, GateError, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { messageOf } from '../../kernel/message-of';
import { API_VERSION } from '../../plans/object';
import { parseJsonText } from '../../platform/documents/json-text';
import { PlanFailure } from '../../plans/service/plan-failure';
import type { FAILURE_CODES } from '../../plans/serving/status-object';
import type { ServerAddress } from '../server-address';
import type { ObjectPlace } from './plan-client';

export interface PlanRequest {
  method: string;
  /** behind `root` */
  path: string;
  /** @default '/apis/planspec.io/v1alpha1' */
  root?: string;
  body?: JsonValue;
}

export interface PlanAnswer {
  body: JsonObject;
  /** texts of the header `Warning` */
  warnings: readonly string[];
}

/** Requests to the API of goals and plans: addresses, tokens, and what a refusal means. */
export interface PlanRequests {
  baseUrl: string;
  /** @throws GateError or PlanFailure, as `PlanClient` says */
  ask(request: PlanRequest): Promise<PlanAnswer>;
  /** Texts of an answer that does not end by itself. @throws as `ask`; what is thrown on the way says that the stream was lost */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

const ROOT = `/apis/${API_VERSION}`;
/** Of one answer, and of a server's sign of life on a stream: it sends one each 15 s. */
const TIMEOUT_MS = 60_000;
/** Of a refusal: far more than a server says. */
const MOST_TEXT = 100_000;

export function createPlanRequests({ baseUrl, token, currentToken }: ServerAddress): PlanRequests {
  const dispatcher = new Agent({ headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS, connect: { timeout: 10_000 } });
  let shown = token;
  const user = userName();
  const actor = user === undefined ? {} : { [ACTOR_HEADER]: encodeURIComponent(user) };

  function sendOnce(
    { method, path, root = ROOT, body }: PlanRequest,
    signal?: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const authorization = shown === undefined ? {} : { authorization: `Bearer ${shown}` };
    return request(`${baseUrl}${root}${path}`, {
      method: method as Dispatcher.HttpMethod,
      headers: { ...authorization, ...actor, accept: 'application/json', ...(body === undefined ? {} : JSON_TYPE) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
      dispatcher,
    });
  }

  /** Whether the server has another token now than the one it has refused. */
  async function hasNewToken(): Promise<boolean> {
    const current = await currentToken?.();
    if (current === undefined || current === shown) return false;
    shown = current;
    return true;
  }

  async function send(asked: PlanRequest, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    try {
      let answer = await sendOnce(asked, signal);
      if (answer.statusCode === 401 && (await hasNewToken())) {
        await answer.body.dump();
        answer = await sendOnce(asked, signal);
      }
      if (answer.statusCode < 300) return answer;
      throw toFailure(answer.statusCode, await answer.body.text(), baseUrl);
    } catch (error) {
      if (error instanceof GateError || error instanceof PlanFailure || signal?.aborted === true) throw error;
      throw unreachable(error, baseUrl);
    }
  }

  return {
    baseUrl,
    async ask(asked) {
      const answer = await send(asked);
      let text: string;
      try {
        text = await answer.body.text();
      } catch (error) {
        throw unreachable(error, baseUrl);
      }
      const body = readObject(text);
      if (body === undefined) throw strange(answer.statusCode, text, baseUrl);
      return { body, warnings: warningsOf(answer.headers.warning) };
    },
    stream: async (path, signal) => (await send({ method: 'GET', path }, signal)).body,
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** `/namespaces/prod/goals/ship`, or `/goals` over all namespaces. */
export function pathOf({
  kind,
  namespace,
  name,
}: { [Key in keyof ObjectPlace]: ObjectPlace[Key] | undefined }): string {
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${within}/${kind!.resource}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

export function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  const text = new URLSearchParams(query).toString();
  return text === '' ? path : `${path}?${text}`;
}

/** What a `Status` object, or an answer of something that is no server of plans, means here. */
function toFailure(code: number, text: string, baseUrl: string): Error {
  const body = readObject(text.slice(0, MOST_TEXT));
  if (body?.kind !== 'Status' || typeof body.message !== 'string') return strange(code, text, baseUrl);
  const { message, reason } = body;
  const known = typeof reason === 'string' ? TYPES[reason as keyof typeof FAILURE_CODES] : undefined;
  if (known === undefined) return new PlanFailure(body);
  const cause = new PlanFailure(body);
  if (known !== FailureType.ConfigInvalid) return new GateError(known, message, undefined, { cause });
  const faults = causesOf(body);
  return new GateError(known, message, faults.length === 0 ? undefined : faults, { cause });
}

/** Reasons that have a type of their own here. */
const TYPES: { readonly [Reason in keyof typeof FAILURE_CODES]?: FailureType } = {
  BadRequest: FailureType.ConfigInvalid,
  Invalid: FailureType.ConfigInvalid,
  RequestEntityTooLarge: FailureType.ConfigInvalid,
  Unauthorized: FailureType.AccessDenied,
  Forbidden: FailureType.AccessDenied,
  AlreadyExists: FailureType.RevisionConflict,
  Conflict: FailureType.RevisionConflict,
  TooManyRequests: FailureType.QuotaExceeded,
  ServiceUnavailable: FailureType.StoreUnavailable,
};

function causesOf({ details }: JsonObject): Fault[] {
  const causes = isJsonObject(details) && Array.isArray(details.causes) ? details.causes.filter(isJsonObject) : [];
  return causes.map(({ message, field, resource }) => {
    const where = [resource, field].filter((each) => typeof each === 'string' && each !== '').join(' ');
    const type = CommonFailure.ConfigInvalid;
    return { type, message: where === '' ? String(message) : `${where}: ${String(message)}` };
  });
}

function strange(code: number, text: string, baseUrl: string): GateError {
  const start = text.trim().slice(0, 200);
  const said = start === '' ? 'nothing' : JSON.stringify(start);
  const message = `Expected the server of plans at ${baseUrl} to answer with an object, got status ${code} and ${said}`;
  return new GateError(FailureType.StoreUnavailable, message);
}

function unreachable(error: unknown, baseUrl: string): GateError {
  const why = CONNECTION_FAULTS[codeOf(error) ?? ''] ?? `does not answer (${messageOf(error)})`;
  const message = `The server of plans at ${baseUrl} ${why}; gate server starts one`;
  return new GateError(FailureType.StoreUnavailable, message, undefined, { cause: error });
}

/** Of several addresses that a name has, the first one's. */
function codeOf(error: unknown): string | undefined {
  const { code, errors, cause } = error as { code?: string; errors?: readonly unknown[]; cause?: unknown };
  if (code !== undefined) return code;
  const inner = errors?.[0] ?? cause;
  return inner === undefined ? undefined : codeOf(inner);
}

/** undefined where the text is not the JSON of an object */
export function readObject(text: string): JsonObject | undefined {
  try {
    const value = parseJsonText(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The texts of RFC 7234's `299 - "text"`. */
function warningsOf(header: string | string[] | undefined): string[] {
  const all = typeof header === 'string' ? [header] : (header ?? []);
  return all.flatMap((each) =>
    [...each.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text!.replace(/\\(.)/g, '$1')),
  );
}
