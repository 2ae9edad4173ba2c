import { isJsonObject, type JsonObject } from '../../kernel/json';
import { failure } from '../../plans/serving/status-object';
import { NAMESPACE } from '../../plans/service/namespaces';
import { planFailure } from '../../plans/service/plan-failure';
import type { PlanService } from '../../plans/service/plan-service';
import type { HttpSurface } from '../rpc/http-surface';
import type { NodeServerRequest, NodeServerResponse } from '../rpc/node-request';
import { ok, send, sendFailure, toFailure, type Answer } from './answers';
import { discoveryOf, isDiscovery } from './discovery';
import { OPENAPI_V2_TYPE, openApiV2 } from './openapi-v2';
import { answerPlans, PLANS_ROOT } from './plan-routes';
import { decodeParts } from './request';
import { SELF_REVIEW_PATH, selfReview } from './self-review';

export interface PlanSurfaceOptions {
  service: PlanService;
  /** of a body */
  maxBodyBytes: number;
  /** told of failures that no route expected; their clients learn no more than that */
  onUnexpected(error: unknown): void;
}

/** PlanSpec's HTTP API, and as much of Kubernetes' as its clients need. Every error is a `Status` object. */
export function servePlans({ service, maxBodyBytes, onUnexpected }: PlanSurfaceOptions): HttpSurface {
  return {
    // All that clients of Kubernetes may ask for, so that what is not here is told as they expect it.
    serves: (path) => isDiscovery(path) || path.startsWith('/apis/') || path.startsWith('/api/'),
    refusal: (reason, message) => failure(reason, message),
    async answer(request, response, { caller, stopping }) {
      try {
        const [path = '', search = ''] = splitAt(request.url ?? '');
        const document = discoveryOf(path);
        if (document !== undefined) return answerDocument(request, response, document);
        if (path === '/openapi/v2') return answerV2(request, response);
        if (path === SELF_REVIEW_PATH) {
          requireMethod(request, response, 'POST');
          return send(response, { status: 201, body: selfReview(caller) });
        }
        const isCore = isCoreNamespace(request.method, path);
        if (!isCore && path !== PLANS_ROOT && !path.startsWith(`${PLANS_ROOT}/`))
          throw planFailure('NotFound', `Nothing answers ${request.method} ${path}`);
        const answer = await answerPlans({
          service,
          request,
          response,
          caller,
          parts: partsBehind(isCore ? CORE_ROOT : PLANS_ROOT, path),
          query: new URLSearchParams(search),
          stopping,
          maxBodyBytes,
          nowMs: Date.now,
          onUnexpected,
        });
        if (answer !== undefined) send(response, isCore ? asCore(answer) : answer);
      } catch (error) {
        const told = toFailure(error);
        if (told === undefined) onUnexpected(error);
        if (response.headersSent) response.end();
        else sendFailure(response, told ?? planFailure('InternalError', 'Unexpected failure'));
      }
    },
  };
}

function answerDocument(request: NodeServerRequest, response: NodeServerResponse, document: JsonObject): void {
  requireMethod(request, response, 'GET');
  send(response, ok(document));
}

/** Clients that want it as JSON read `/openapi/v3`. */
function answerV2(request: NodeServerRequest, response: NodeServerResponse): void {
  requireMethod(request, response, 'GET');
  response.statusCode = 200;
  response.setHeader('content-type', OPENAPI_V2_TYPE);
  response.end(openApiV2());
}

function requireMethod(request: NodeServerRequest, response: NodeServerResponse, method: string): void {
  if (request.method === method) return;
  response.setHeader('allow', method);
  throw planFailure('MethodNotAllowed', `Expected ${method}, got ${request.method}`);
}

function splitAt(url: string): [string, string] {
  const mark = url.indexOf('?');
  return mark === -1 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

const CORE_ROOT = '/api/v1';

/**
 * Where Kubernetes has its own namespaces, which no discovery document of this server names: kubectl asks there whether the
 * namespace exists of an object that it did not find.
 */
function isCoreNamespace(method: string | undefined, path: string): boolean {
  return method === 'GET' && /^\/api\/v1\/namespaces\/[^/]+$/.test(path);
}

function asCore({ body, ...answer }: Answer): Answer {
  return { ...answer, body: isJsonObject(body) && body.kind === NAMESPACE.kind ? { ...body, apiVersion: 'v1' } : body };
}

/** @throws PlanFailure BadRequest */
function partsBehind(root: string, path: string): string[] {
  const parts = path.slice(root.length).split('/').slice(1);
  if (parts.at(-1) === '') parts.pop();
  return decodeParts(parts);
}
