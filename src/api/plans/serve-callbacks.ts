import { CALLBACKS } from '../../plans/execution/compile-execution';
import { failure } from '../../plans/serving/status-object';
import { planFailure } from '../../plans/service/plan-failure';
import type { PlanService } from '../../plans/service/plan-service';
import type { HttpSurface } from '../rpc/http-surface';
import type { NodeServerRequest, NodeServerResponse } from '../rpc/node-request';
import { ok, send, sendFailure, toFailure } from './answers';
import { decodeParts, readBody, requireMediaType } from './request';
import type { PlanSurfaceOptions } from './serve-plans';

const BEARER = /^Bearer ([A-Za-z0-9_-]{1,256})$/i;

/**
 * Where work outside says how it ended: `POST /callbacks/NAMESPACE/EXECUTION/NODE` with the token that its request had. It needs
 * no other token of the server, and learns nothing beside whether it was taken.
 */
export function serveCallbacks({ service, maxBodyBytes, onUnexpected }: PlanSurfaceOptions): HttpSurface {
  return {
    serves: (path) => path.startsWith(`${CALLBACKS}/`),
    knowsCallers: true,
    refusal: (reason, message) => failure(reason, message),
    async answer(request, response) {
      try {
        await take(service, request, response, maxBodyBytes);
        send(response, ok({ taken: true }));
      } catch (error) {
        const told = toFailure(error);
        if (told === undefined) onUnexpected(error);
        if (told?.code === 401) response.setHeader('www-authenticate', 'Bearer');
        sendFailure(response, told ?? planFailure('InternalError', 'Unexpected failure'));
      }
    },
  };
}

async function take(
  service: PlanService,
  request: NodeServerRequest,
  response: NodeServerResponse,
  maxBodyBytes: number,
): Promise<void> {
  if (request.method !== 'POST') {
    response.setHeader('allow', 'POST');
    throw planFailure('MethodNotAllowed', `Expected POST, got ${request.method}`);
  }
  const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined)
    throw planFailure('Unauthorized', 'Expected the header Authorization: Bearer <token of the callback>');
  const [path = ''] = (request.url ?? '').split('?');
  const [namespace = '', name = '', node = '', ...more] = decodeParts(path.slice(CALLBACKS.length + 1).split('/'));
  if (node === '' || more.length > 0)
    throw planFailure('NotFound', `Expected POST ${CALLBACKS}/NAMESPACE/EXECUTION/NODE`);
  requireMediaType(request, 'application/json');
  await service.callBack({ namespace, name, node }, token, await readBody(request, maxBodyBytes));
}
