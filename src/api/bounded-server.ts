import fastify, { type FastifyInstance } from 'fastify';

/** How much one client can hold of a server. */
export interface ServerLimits {
  /** milliseconds within which a request has arrived whole, headers and body; @default 10000 */
  requestMs?: number;
  /** connections at once, beyond which new ones are closed; @default 256 */
  connections?: number;
  /** bytes of a body; @default 1 MiB */
  bodyBytes?: number;
}

export interface BoundedServerOptions extends ServerLimits {
  /** told of what no handler expected, and no client is told; @default nobody */
  onUnexpected?(error: unknown): void;
  /** the body of an error; @default `{error: {type, message}}` */
  toBody?(type: string, message: string): object;
}

/** What is late is looked for this often, or as often as a request may take where that is less. */
const CHECKED_EVERY_MS = 1_000;

/**
 * A server that no client can hold up: a request that drips in is ended with 408, and connections are bounded. Answers may
 * take as long as they need. What is the client's fault is answered with its status, anything
 * else with 500 and no more: its text may hold what is nobody's business.
 */
export function createBoundedServer(options: BoundedServerOptions = {}): FastifyInstance {
  const { requestMs = 10_000, connections = 256, bodyBytes, onUnexpected, toBody = toErrorBody } = options;
  const server = fastify({
    forceCloseConnections: true,
    requestTimeout: requestMs,
    http: { headersTimeout: requestMs, connectionsCheckingInterval: Math.min(CHECKED_EVERY_MS, requestMs) },
    ...(bodyBytes === undefined ? {} : { bodyLimit: bodyBytes }),
  });
  server.server.maxConnections = connections;
  server.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
    const { statusCode = 500, message } = error;
    if (statusCode < 500) return reply.code(statusCode).send(toBody('Usage', message));
    onUnexpected?.(error);
    return reply.code(500).send(toBody('Unexpected', 'Unexpected failure'));
  });
  return server;
}

/** How every surface but the codec server words an error. */
export function toErrorBody(type: string, message: string) {
  return { error: { type, message } };
}
