import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { messageOf } from '../kernel/message-of';
import { FailureType, GateError } from '../kernel/failures';
import type { ReleaseStatus } from '../releases/release';
import { within } from '../kernel/timers';
import { systemTimers } from '../platform/timers/system-timers';
import { bearsToken, isLoopback, isLoopbackHostHeader } from './access';
import { createBoundedServer, toErrorBody, type ServerLimits } from './bounded-server';
import { readJsonBodies } from './json-bodies';
import type { WorkerStatus } from '../platform/temporal/versioning/worker-build';
import { toHealthRelease, toReadiness, type TemporalHealth } from '../releases/release-health';

export interface HttpServerOptions {
  /** @default 127.0.0.1 */
  host?: string;
  /** 0 takes a free port */
  port: number;
  /** opens what is closed; empty is none. Beyond loopback there must be one */
  bearerToken?: string;
  /** further tokens that open what is closed: that of an embedded store, which only this machine's commands have */
  moreTokens?: readonly string[];
  /** beyond loopback, lets `/healthz` and `/readyz` be asked without a token, as probes do; @default false */
  openProbes?: boolean;
  limits?: ServerLimits;
  /** told of failures that no route expected; their clients get status 500 and no text of it */
  onUnexpected?(error: unknown): void;
  releaseStatus(): ReleaseStatus;
  /** the worker's build, and whether Temporal sends it tasks */
  workerStatus?(): WorkerStatus;
  /** resolves when Temporal answers; rejects when it does not */
  checkTemporal(): Promise<unknown>;
  registry: Registry;
  /** further routes, e.g. `(server) => server.register(auditRoutes, options)`; they are closed without a token, their own if
   * their `config.tokens` names some */
  register?(server: FastifyInstance): unknown;
  /** how long Temporal may take to answer; @default 2000 */
  temporalTimeoutMs?: number;
}

export interface HttpServer {
  host: string;
  port: number;
  /** e.g. `http://127.0.0.1:9100` */
  url: string;
  close(): Promise<void>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** the tokens that open this route, in place of the server's own */
    tokens?: readonly string[];
  }
}

/** All that needs no token, and that on loopback only. */
const OPEN_ROUTES: readonly string[] = ['/healthz', '/readyz', '/metrics'];
const PROBES: readonly string[] = ['/healthz', '/readyz'];

/**
 * Serves health, metrics and what `register` adds. Beyond loopback every request needs a token, but for `/healthz` and
 * `/readyz` where `openProbes` says so; on loopback all but `/healthz`, `/readyz` and `/metrics` do, and the Host header must
 * name this machine. A route with tokens of its own opens to those alone.
 *
 * @throws GateError ConfigInvalid when it may not or cannot listen there
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host = '127.0.0.1', port, registry, bearerToken = '' } = options;
  const tokens = [bearerToken, ...(options.moreTokens ?? [])].filter((token) => token !== '');
  const loopback = isLoopback(host);
  requireHttpAccess({ host, bearerToken });

  const server = createBoundedServer({ ...options.limits, onUnexpected: options.onUnexpected });
  readJsonBodies(server);
  server.addHook('onRequest', async (request, reply) => {
    if (loopback && !isLoopbackHostHeader(request.headers.host)) {
      return reply
        .code(403)
        .send(
          toErrorBody('Forbidden', 'Expected the Host header to name a loopback address, as this server listens there'),
        );
    }
    const open = loopback ? OPEN_ROUTES : options.openProbes === true ? PROBES : [];
    if (open.includes(request.routeOptions.url ?? '')) return;
    const own = request.routeOptions.config.tokens;
    if (bearsToken(request.headers.authorization, own ?? tokens)) return;
    return reply
      .code(401)
      .header('www-authenticate', 'Bearer')
      .send(toErrorBody('Unauthorized', 'Expected the header Authorization: Bearer <token>'));
  });
  server.setNotFoundHandler((request, reply) =>
    reply.code(404).send(toErrorBody('NotFound', `Nothing answers ${request.method} ${request.url.split('?')[0]}`)),
  );

  const temporalHealth = createTemporalCheck(options.checkTemporal, options.temporalTimeoutMs ?? 2000);
  server.get('/healthz', async () => ({
    status: 'ok',
    ...options.workerStatus?.(),
    ...toHealthRelease(options.releaseStatus()),
  }));
  server.get('/readyz', async (_request, reply) => {
    // A worker that gets no tasks is ready all the same: it must be able to start before its build is made current.
    const readiness = {
      ...toReadiness(options.releaseStatus(), await temporalHealth()),
      ...options.workerStatus?.(),
    };
    return reply.code(readiness.status === 'ready' ? 200 : 503).send(readiness);
  });
  server.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));

  try {
    await options.register?.(server);
    await server.listen({ host, port });
  } catch (error) {
    await server.close();
    throw toListenError(error, host, port);
  }
  const address = server.server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    host: address.address,
    port: address.port,
    url: `http://${name}:${address.port}`,
    close: () => server.close(),
  };
}

/**
 * What needs neither a store nor Temporal to be said, so that a worker that may not listen opens neither.
 *
 * @throws GateError ConfigInvalid: beyond loopback without a token of its own
 */
export function requireHttpAccess({ host, bearerToken }: { host: string; bearerToken: string }): void {
  if (isLoopback(host) || bearerToken !== '') return;
  throw invalid('http.bearerToken', `Expected http.bearerToken, because http.host ${host} is not a loopback address`);
}

/** One question at a time, however many probes ask: an open route must not be a way to load Temporal. */
function createTemporalCheck(check: () => Promise<unknown>, timeoutMs: number): () => Promise<TemporalHealth> {
  let underWay: Promise<TemporalHealth> | undefined;
  return () => (underWay ??= ask().finally(() => (underWay = undefined)));

  async function ask(): Promise<TemporalHealth> {
    try {
      await within(systemTimers, timeoutMs, check(), () => new Error(`Temporal gave no answer within ${timeoutMs} ms`));
      return { reachable: true };
    } catch (error) {
      return { reachable: false, error: messageOf(error) };
    }
  }
}

function toListenError(error: unknown, host: string, port: number): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return invalid('http.port', `Port ${port} on ${host} is taken; set http.port to another one (0 takes a free one)`);
  }
  if (code === 'EACCES') return invalid('http.port', `Port ${port} on ${host} may not be used by this user`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return invalid('http.host', `Expected http.host to be an address of this machine, got ${host}`);
  }
  return error;
}

function invalid(where: string, message: string): GateError {
  return new GateError(FailureType.ConfigInvalid, message, [{ type: FailureType.ConfigInvalid, message, where }]);
}
