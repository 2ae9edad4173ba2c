import { FailureType, GateError } from '../../kernel/failures';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { NAMESPACE } from '../../plans/service/namespaces';
import { PlanFailure, planFailure } from '../../plans/service/plan-failure';
import { asJson, type PlanObject } from '../../plans/object';
import { toExpired } from '../../plans/serving/watch-events';
import { EventsExpiredError, StoreBusyError } from '../../plans/store/plan-store';
import type { NodeServerResponse } from '../rpc/node-request';

/** What a route answers, unless it streams. */
export interface Answer {
  status: number;
  body: JsonValue;
  warnings?: readonly string[];
}

export const ok = (body: JsonValue, warnings: readonly string[] = []): Answer => ({ status: 200, body, warnings });

/** Clients show each, and no more of them than fit into a header. */
const MOST_WARNINGS = 20;

export function send(response: NodeServerResponse, { status, body, warnings = [] }: Answer): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  if (warnings.length > 0) response.setHeader('warning', warnings.slice(0, MOST_WARNINGS).map(toWarning));
  response.end(JSON.stringify(body));
}

/** RFC 7234, section 5.5; a header is ASCII. */
function toWarning(text: string): string {
  const plain = text.slice(0, 500).replace(/[^\x20-\x7e]/g, '?');
  return `299 - "${plain.replace(/["\\]/g, '\\$&')}"`;
}

/** After this a store that was away is asked again. */
const RETRY_SECONDS = 1;

/** What a failure is to a client; undefined for one that nobody expected. */
export function toFailure(error: unknown): PlanFailure | undefined {
  if (error instanceof PlanFailure) return error;
  if (error instanceof EventsExpiredError) {
    return new PlanFailure((toExpired(error.oldest) as { object: JsonObject }).object);
  }
  if (error instanceof GateError && error.type === FailureType.StoreUnavailable) {
    const message =
      error.cause instanceof StoreBusyError
        ? 'The store of plans is busy with other requests; nothing was changed'
        : 'The store of plans does not answer; whether a write was stored is not known';
    return planFailure('ServiceUnavailable', message, { retryAfterSeconds: RETRY_SECONDS });
  }
  return undefined;
}

export function sendFailure(response: NodeServerResponse, { code, body }: PlanFailure): void {
  if (code === 503) response.setHeader('retry-after', String(RETRY_SECONDS));
  send(response, { status: code, body });
}

/** An object as clients get it: a namespace is in none, and has no spec. */
export function toServed(object: PlanObject): JsonObject {
  if (object.kind !== NAMESPACE.kind) return asJson(object);
  const { apiVersion, kind, metadata, status } = asJson(object) as JsonObject & { metadata: JsonObject };
  const { namespace: _none, ...rest } = metadata;
  return { apiVersion: apiVersion!, kind: kind!, metadata: rest, status: status! };
}
