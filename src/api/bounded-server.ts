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

/** What is late is looked for this often, or as often as a request may take where that is less. */
const CHECKED_EVERY_MS = 1_000;

/**
 * A server that no client can hold up: a request that drips in is ended with 408, and connections are bounded. Answers may
 * take as long as they need.
 */
export function createBoundedServer(limits: ServerLimits = {}): FastifyInstance {
  const { requestMs = 10_000, connections = 256, bodyBytes } = limits;
  const server = fastify({
    forceCloseConnections: true,
    requestTimeout: requestMs,
    http: { headersTimeout: requestMs, connectionsCheckingInterval: Math.min(CHECKED_EVERY_MS, requestMs) },
    ...(bodyBytes === undefined ? {} : { bodyLimit: bodyBytes }),
  });
  server.server.maxConnections = connections;
  return server;
}
