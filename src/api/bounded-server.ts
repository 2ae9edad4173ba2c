import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';

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
 * take as long as they need. What is the client's fault is answered with its status, also where it sends no HTTP; anything else
 * with 500 and no more: its text may hold what is nobody's business.
 */
export function createBoundedServer(options: BoundedServerOptions = {}): FastifyInstance {
  const { requestMs = 10_000, connections = 256, bodyBytes, onUnexpected, toBody = toErrorBody } = options;
  const server = fastify({
    forceCloseConnections: true,
    requestTimeout: requestMs,
    http: { headersTimeout: requestMs, connectionsCheckingInterval: Math.min(CHECKED_EVERY_MS, requestMs) },
    clientErrorHandler: (error, socket) => answerBroken(error, socket, toBody),
    ...(bodyBytes === undefined ? {} : { bodyLimit: bodyBytes }),
  });
  server.server.maxConnections = connections;
  server.setErrorHandler((error: RequestError, request, reply) => {
    const { statusCode = 500 } = error;
    if (statusCode < 500) return reply.code(statusCode).send(toBody('Usage', messageToClient(error, request)));
    onUnexpected?.(error);
    return reply.code(500).send(toBody('Unexpected', 'Unexpected failure'));
  });
  return server;
}

/** What fastify throws of a request. */
export interface RequestError {
  statusCode?: number;
  code?: string;
  message: string;
}

/** What was expected of a request that fastify refuses; the message of any other error. */
export function messageToClient({ code, message }: RequestError, request: FastifyRequest): string {
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return `expected a body of at most ${request.routeOptions.bodyLimit} bytes, got more`;
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return `expected the Content-Type application/json, got ${request.headers['content-type'] ?? 'none'}`;
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return 'expected as many bytes as Content-Length says';
    default:
      return message;
  }
}

/** Bytes that are no request, or one that is late: there is nothing to route, and so no handler above is asked. */
function answerBroken(
  { code }: NodeJS.ErrnoException,
  socket: Socket,
  toBody: (type: string, message: string) => object,
): void {
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, message] = BROKEN[code ?? ''] ?? ['400 Bad Request', 'expected an HTTP request'];
  const body = JSON.stringify(toBody('Usage', message));
  const headers = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${body}`, () => socket.destroy());
}

const BROKEN: Readonly<Record<string, [status: string, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'expected the whole request in time'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'expected smaller headers'],
};

/** How every surface but the codec server words an error. */
export function toErrorBody(type: string, message: string) {
  return { error: { type, message } };
}
