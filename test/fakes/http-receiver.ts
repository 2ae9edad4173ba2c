import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface ReceivedRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

type Answer = number | 'hang' | 'reset' | { status: number; headers: Record<string, string>; body?: string | Buffer };

/**
 * A small HTTP server on loopback that keeps what it was sent. It gives the answers of `answers` one after the other and
 * then 200; `hang` never answers, `reset` cuts the connection once the request has been read. `refuse` sees each body first
 * and may answer it with a status.
 */
export async function startHttpReceiver() {
  const requests: ReceivedRequest[] = [];
  const answers: Answer[] = [];
  const server = createServer((request, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const sent = Buffer.concat(chunks);
      const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent).toString();
      requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
      const answer = receiver.refuse(body) ?? answers.shift() ?? 200;
      if (answer === 'hang') return;
      if (answer === 'reset') return void request.socket.resetAndDestroy();
      const {
        status,
        headers,
        body: said = 'ok',
      } = typeof answer === 'number' ? { status: answer, headers: {}, body: 'ok' } : answer;
      response.writeHead(status, headers).end(said);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const receiver = {
    refuse: (_body: string): number | undefined => undefined,
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    answers,
    bodies: () => requests.map((request) => JSON.parse(request.body) as Record<string, unknown>),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
  return receiver;
}
export type HttpReceiver = Awaited<ReturnType<typeof startHttpReceiver>>;
