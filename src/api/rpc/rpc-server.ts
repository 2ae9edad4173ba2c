import { setMaxListeners } from 'node:events';
import type { DescService } from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import type { Registry } from 'prom-client';
import { FailureType, GateError } from '../../kernel/failures';
import { systemClock } from '../../platform/timers/system-timers';
import { Health } from '../../proto/grpc/health/v1/health_pb';
import { isLoopback, isLoopbackHostHeader } from '../access';
import { toErrorBody } from '../bounded-server';
import { unknownCaller, type Callers } from './callers';
import { createGuard, type ServedService } from './guard';
import { routeHealth } from './health';
import { authorityOf, type NodeServerRequest, type NodeServerResponse } from './node-request';
import { JSON_MESSAGES } from './json-messages';
import { listenOnOnePort, type TlsKeys } from './one-port';
import type { HttpSurface } from './http-surface';
import type { Principal } from './role';
import { createRateQuota } from './rate-quota';
import { routeReflection } from './reflection';
import { createRefusals, type Refusal } from './refusals';

export interface RpcServerOptions {
  host: string;
  /** 0 takes a free port */
  port: number;
  tls?: TlsKeys;
  /** beyond loopback, lets health be asked without a token, as probes do; @default false */
  openProbes?: boolean;
  callers: Callers;
  services: readonly ServedService[];
  /** what answers plain HTTP beside the services; the first that serves a path does */
  surfaces?: readonly HttpSurface[];
  /** calls of one token in a second, on average */
  requestsPerSecond: number;
  /** of a message, decompressed */
  maxRequestBytes: number;
  limits?: { requestMs?: number; idleMs?: number; connections?: number };
  registry: Registry;
  /** whether the services can do their work now */
  isServing(): Promise<boolean>;
  /** told of refused calls, a few of each kind */
  onRefused(refusal: Refusal): void;
  /** told of every call that the quota refused */
  onOverQuota?(): void;
  /** told of failures that no service expected; their clients learn no more than that */
  onUnexpected(error: unknown): void;
}

export interface RpcServer {
  host: string;
  port: number;
  /** e.g. `http://127.0.0.1:8080` */
  url: string;
  /** says NOT_SERVING from now on, answers what is under way, and closes */
  close(graceMs?: number): Promise<void>;
}

/** A call that takes longer is ended with DEADLINE_EXCEEDED. */
const MOST_CALL_MS = 60_000;
/** Of an answer: beyond it a client would not read it either. */
const MOST_ANSWER_BYTES = 64 * 1024 * 1024;
/** For the last answers, once calls that take too long have been ended. */
const TELLING_MS = 500;
/** Whoever asks a surface that knows its callers itself: all of them have one quota, and no rights. */
const STRANGER: Principal = { key: 'stranger', actor: 'stranger', roles: [] };

const PROBES = ['/healthz', '/readyz'];

/**
 * Serves gRPC, gRPC-web and Connect's HTTP with JSON on one port, with health and reflection beside the services, and
 * `/healthz`, `/readyz` and `/metrics` for whoever speaks plain HTTP.
 *
 * @throws GateError ConfigInvalid when it may not or cannot listen there
 */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const { host, port, tls, services, callers } = options;
  const loopback = isLoopback(host);
  const stopping = new AbortController();
  const late = new AbortController();
  // Every call that is under way listens to it: many are no leak.
  setMaxListeners(0, stopping.signal, late.signal);
  const descriptions: DescService[] = [...services.map(({ service }) => service), Health];
  const clock = systemClock;
  const openProbes = loopback || options.openProbes === true;
  const isWithinQuota = createRateQuota(options.requestsPerSecond, clock);
  const guard = createGuard({
    callers,
    services,
    openProbes,
    isWithinQuota,
    onRefused: createRefusals(clock, options.onRefused),
    ...(options.onOverQuota === undefined ? {} : { onOverQuota: options.onOverQuota }),
    onUnexpected: options.onUnexpected,
  });
  // One question at a time, however many probes ask: what is open must not be a way to load the store.
  let asking: Promise<boolean> | undefined;
  const isServing = () => (asking ??= options.isServing().finally(() => (asking = undefined)));
  const answer = connectNodeAdapter({
    routes: (router: ConnectRouter) => {
      for (const { route } of services) route(router);
      routeHealth(router, {
        services: services.map(({ service }) => service.typeName),
        isServing,
        stopping: stopping.signal,
      });
      routeReflection(router, descriptions);
    },
    interceptors: [guard],
    jsonOptions: JSON_MESSAGES,
    readMaxBytes: options.maxRequestBytes,
    writeMaxBytes: MOST_ANSWER_BYTES,
    maxTimeoutMs: MOST_CALL_MS,
    shutdownSignal: late.signal,
    fallback: (request, response) => void plain(request, response),
  });

  const listening = await listenOnOnePort({
    host,
    port,
    ...(tls === undefined ? {} : { tls }),
    ...options.limits,
    onRequest: (request, response) => {
      try {
        const refused = refusedAuthority(authorityOf(request), loopback);
        if (refused === undefined) answer(request, response);
        else send(response, 403, toRefusal(surfaceOf(request), 'Forbidden', refused));
      } catch (error) {
        options.onUnexpected(error);
        send(response, 500, toErrorBody('Unexpected', 'Unexpected failure'));
      }
    },
  }).catch((error: unknown) => {
    throw toListenError(error, host, port);
  });
  const name = listening.host.includes(':') ? `[${listening.host}]` : listening.host;
  return {
    host: listening.host,
    port: listening.port,
    url: `${tls === undefined ? 'http' : 'https'}://${name}:${listening.port}`,
    close: async (graceMs = 5_000) => {
      stopping.abort();
      const end = setTimeout(() => late.abort(new ConnectError('The server stops', Code.Unavailable)), graceMs);
      // So that those who are told can be told.
      await listening.close(graceMs + TELLING_MS);
      clearTimeout(end);
    },
  };

  function surfaceOf(request: NodeServerRequest): HttpSurface | undefined {
    const path = request.url?.split('?')[0] ?? '';
    return options.surfaces?.find((each) => each.serves(path));
  }

  async function overSurface(
    surface: HttpSurface,
    request: NodeServerRequest,
    response: NodeServerResponse,
  ): Promise<void> {
    const { authorization } = request.headers;
    const caller = surface.knowsCallers === true ? STRANGER : await callers(authorization);
    if (caller === undefined) {
      response.setHeader('www-authenticate', 'Bearer');
      return send(response, 401, surface.refusal('Unauthorized', unknownCaller(authorization)));
    }
    if (!isWithinQuota(caller.key)) {
      options.onOverQuota?.();
      response.setHeader('retry-after', '1');
      const message = 'Too many requests of this token in a second; try again later';
      return send(response, 429, surface.refusal('TooManyRequests', message));
    }
    await surface.answer(request, response, { caller, stopping: stopping.signal });
  }

  /** What is no call of a service. */
  async function plain(request: NodeServerRequest, response: NodeServerResponse): Promise<void> {
    try {
      const path = request.url?.split('?')[0] ?? '';
      const surface = surfaceOf(request);
      if (surface !== undefined) return await overSurface(surface, request, response);
      const isOpen = (openProbes && PROBES.includes(path)) || (loopback && path === '/metrics');
      const { authorization } = request.headers;
      if (!isOpen && (await callers(authorization)) === undefined) {
        response.setHeader('www-authenticate', 'Bearer');
        return send(response, 401, toErrorBody('Unauthorized', unknownCaller(authorization)));
      }
      if (path === '/healthz') {
        response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
        response.end('ok');
        return;
      }
      if (path === '/readyz') {
        const isReady = !stopping.signal.aborted && (await isServing());
        return send(response, isReady ? 200 : 503, { status: isReady ? 'ready' : 'not ready' });
      }
      if (path === '/metrics') {
        const metrics = await options.registry.metrics();
        response.writeHead(200, { 'content-type': options.registry.contentType });
        response.end(metrics);
        return;
      }
      send(response, 404, toErrorBody('NotFound', `Nothing answers ${request.method} ${path}`));
    } catch (error) {
      options.onUnexpected(error);
      if (!response.headersSent) send(response, 500, toErrorBody('Unexpected', 'Unexpected failure'));
    }
  }
}

function toRefusal(surface: HttpSurface | undefined, reason: Parameters<HttpSurface['refusal']>[0], message: string) {
  return surface === undefined ? toErrorBody(reason, message) : surface.refusal(reason, message);
}

/** Why a request may not name the server so; the name also has to be one that can be put into a URL. */
function refusedAuthority(authority: string | undefined, loopback: boolean): string | undefined {
  if (loopback && !isLoopbackHostHeader(authority)) {
    return 'Expected the Host header to name a loopback address, as this server listens there';
  }
  return authority !== undefined && URL.canParse(`http://${authority}/`)
    ? undefined
    : 'Expected the Host header to be a host and a port';
}

function send(response: NodeServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

function toListenError(error: unknown, host: string, port: number): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const invalid = (where: string, message: string) =>
    new GateError(FailureType.ConfigInvalid, message, [{ type: FailureType.ConfigInvalid, message, where }]);
  if (code === 'EADDRINUSE') {
    return invalid(
      'server.port',
      `Port ${port} on ${host} is taken; set server.port to another one (0 takes a free one)`,
    );
  }
  if (code === 'EACCES') return invalid('server.port', `Port ${port} on ${host} may not be used by this user`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return invalid('server.host', `Expected server.host to be an address of this machine, got ${host}`);
  }
  return error;
}
