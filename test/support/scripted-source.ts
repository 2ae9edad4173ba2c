import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ScriptedSource {
  url: string;
  /** what came, in order */
  requests: { path: string; headers: IncomingHttpHeaders }[];
  /** requests that the asker broke off */
  aborted: number;
  /** answers a request, or leaves it hanging */
  script: (request: IncomingMessage, response: ServerResponse) => void;
  close(): Promise<void>;
}

/** An HTTP server on loopback that answers as each test says and keeps what it was asked. */
export async function startScriptedSource(): Promise<ScriptedSource> {
  const server = createServer((request, response) => {
    source.requests.push({ path: request.url ?? '', headers: request.headers });
    response.on('close', () => {
      if (!response.writableFinished) source.aborted++;
    });
    source.script(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const source: ScriptedSource = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    aborted: 0,
    script: (_, response) => void response.end('{}'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return source;
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}
