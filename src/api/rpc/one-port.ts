import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { NodeServerRequest, NodeServerResponse } from './node-request';

/** PEM texts. With `ca` a client must show a certificate that one of these authorities signed. */
export interface TlsKeys {
  cert: string;
  key: string;
  ca?: string;
}

export interface OnePortOptions {
  host: string;
  /** 0 takes a free one */
  port: number;
  /** absent: HTTP/1.1 and HTTP/2 without TLS */
  tls?: TlsKeys;
  /** milliseconds within which a request has arrived whole, and a connection has said what it speaks; @default 10000 */
  requestMs?: number;
  /** milliseconds after which a connection without a request is closed; @default 300000 */
  idleMs?: number;
  /** connections at once, beyond which new ones are closed; @default 256 */
  connections?: number;
  onRequest(request: NodeServerRequest, response: NodeServerResponse): void;
}

export interface OnePort {
  host: string;
  port: number;
  /** takes no more connections and requests; resolves when those under way are answered, or `graceMs` are over */
  close(graceMs?: number): Promise<void>;
}

/** How an HTTP/2 connection begins; no HTTP/1.1 request begins like that (RFC 9113, section 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0');
const CHECKED_EVERY_MS = 1_000;
/** Requests of one connection at once. */
const STREAMS = 100;
const HEADER_BYTES = 16 * 1024;

/**
 * HTTP/1.1 and HTTP/2 on one port. With TLS the handshake says which (ALPN); without it, the first bytes do: Node's http
 * server does not speak HTTP/2 in the clear, and its http2 server nothing else.
 *
 * @throws the error of listening, e.g. with code EADDRINUSE
 */
export async function listenOnOnePort(options: OnePortOptions): Promise<OnePort> {
  const { host, port, tls, requestMs = 10_000, idleMs = 300_000, connections = 256, onRequest } = options;
  const sockets = new Set<Socket>();
  const http = http1Server(onRequest, requestMs);
  const sessions = new Set<ServerHttp2Session>();
  const http2 = http2Server(onRequest, requestMs, idleMs, sessions);

  const server: Server = tls === undefined ? createNetServer() : overTls(tls, requestMs);
  server.maxConnections = connections;
  // A socket of TLS is told twice: when it connects, and as one that is secure.
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (tls === undefined) void passOn(socket, requestMs, http, http2);
    else ((socket as TLSSocket).alpnProtocol === 'h2' ? http2 : http).emit('connection', socket);
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // What fails later, such as accept() without free descriptors, concerns one connection.
  server.on('error', () => undefined);
  const address = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    host: address.address,
    port: address.port,
    close: (graceMs = 5_000) => (closing ??= close(graceMs)),
  };

  async function close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const session of sessions) session.close();
    // Of a server that does not listen itself: ends connections without a request, and each other after its answer.
    http.closeIdleConnections();
    const idle = setInterval(() => http.closeIdleConnections(), 50);
    const kill = setTimeout(() => sockets.forEach((socket) => socket.destroy()), graceMs);
    await closed;
    clearInterval(idle);
    clearTimeout(kill);
    // Its timer looks for late requests.
    http.close();
  }
}

function http1Server(onRequest: OnePortOptions['onRequest'], requestMs: number): HttpServer {
  const server = createHttpServer(
    {
      requestTimeout: requestMs,
      headersTimeout: requestMs,
      connectionsCheckingInterval: Math.min(CHECKED_EVERY_MS, requestMs),
      maxHeaderSize: HEADER_BYTES,
    },
    onRequest as RequestListener,
  );
  server.keepAliveTimeout = requestMs;
  // It listens nowhere itself; what it starts with its listening is the look for late requests.
  server.emit('listening');
  return server;
}

function http2Server(
  onRequest: OnePortOptions['onRequest'],
  requestMs: number,
  idleMs: number,
  sessions: Set<ServerHttp2Session>,
): Http2Server {
  const server = createHttp2Server({
    settings: { maxConcurrentStreams: STREAMS, maxHeaderListSize: HEADER_BYTES },
    maxSessionMemory: 10,
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.setTimeout(idleMs, () => session.close());
    // What a client does wrong ends its own connection; unheard, it would end the process.
    session.on('error', () => session.destroy());
  });
  server.on('sessionError', () => undefined);
  server.on('request', (request, response) => {
    const late = setTimeout(() => request.stream.close(CANCEL), requestMs);
    const arrived = (): void => clearTimeout(late);
    request.once('end', arrived).once('close', arrived);
    request.stream.on('error', () => undefined);
    onRequest(request, response);
  });
  return server;
}

/** NGHTTP2_CANCEL: gRPC clients read it as CANCELLED. */
const CANCEL = 8;

function overTls({ cert, key, ca }: TlsKeys, requestMs: number): Server {
  const server = createTlsServer({
    cert,
    key,
    ...(ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }),
    ALPNProtocols: ['h2', 'http/1.1'],
    minVersion: 'TLSv1.2',
    handshakeTimeout: requestMs,
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/** Reads as much as tells the protocol, gives it back, and hands the connection over. */
async function passOn(socket: Socket, waitMs: number, http: HttpServer, http2: Http2Server): Promise<void> {
  const begin = await firstBytes(socket, waitMs);
  if (begin === undefined) {
    socket.destroy();
    return;
  }
  socket.unshift(begin);
  if (begin.subarray(0, PREFACE.length).equals(PREFACE)) {
    // Takes what is there by itself, and the descriptor below the stream.
    http2.emit('connection', socket);
    return;
  }
  http.emit('connection', socket);
  socket.resume();
}

/** Undefined when the connection ended, or did not say enough in time. */
function firstBytes(socket: Socket, waitMs: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let begin = Buffer.alloc(0);
    const settle = (bytes: Buffer | undefined): void => {
      clearTimeout(late);
      socket.off('data', read).off('error', fail).off('end', fail).off('close', fail);
      socket.pause();
      resolve(bytes);
    };
    const fail = (): void => settle(undefined);
    const read = (chunk: Buffer): void => {
      begin = Buffer.concat([begin, chunk]);
      const seen = Math.min(begin.length, PREFACE.length);
      const isPreface = begin.subarray(0, seen).equals(PREFACE.subarray(0, seen));
      if (!isPreface || seen === PREFACE.length) settle(begin);
    };
    const late = setTimeout(fail, waitMs);
    socket.on('data', read).once('error', fail).once('end', fail).once('close', fail);
  });
}
