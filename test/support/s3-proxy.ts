import { once } from 'node:events';
import { createServer, request as forward, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How an S3 server behaves: well, or in one of the ways in which one fails. */
export type S3Behaviour = 'well' | 'throttling' | 'hanging' | 'half a body' | 'resetting';

export interface S3Proxy {
  url: string;
  behaviour: S3Behaviour;
  /** `GET /bucket/key 304`, … of what was answered by the server itself */
  readonly answered: string[];
  /** from now on; whoever waits for an answer is let go */
  behave(behaviour: S3Behaviour): void;
  close(): Promise<void>;
}

/** Stands before a real S3 server on loopback and passes requests on, or fails as it is told to. */
export async function startS3Proxy(port: number): Promise<S3Proxy> {
  const waiting = new Set<ServerResponse>();
  const answered: string[] = [];
  const server = createServer((near, response) => {
    if (proxy.behaviour === 'resetting') return void near.socket.destroy();
    if (proxy.behaviour === 'hanging') return void waiting.add(response);
    if (proxy.behaviour === 'throttling') {
      response.writeHead(503, { 'content-type': 'application/xml' });
      return void response.end('<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>');
    }
    const isHalf = proxy.behaviour === 'half a body';
    const far = forward(
      { port, host: '127.0.0.1', method: near.method, path: near.url, headers: near.headers },
      (from) => {
        answered.push(`${near.method} ${near.url?.split('?')[0]} ${from.statusCode}`);
        const chunks: Buffer[] = [];
        from.on('data', (chunk: Buffer) => chunks.push(chunk));
        from.on('end', () => {
          const body = Buffer.concat(chunks);
          response.writeHead(from.statusCode ?? 500, from.headers);
          if (!isHalf || body.length === 0) return void response.end(body);
          response.write(body.subarray(0, body.length / 2), () => response.destroy());
        });
      },
    );
    far.on('error', () => response.destroy());
    near.pipe(far);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: S3Proxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    behaviour: 'well',
    answered,
    behave: (behaviour) => {
      proxy.behaviour = behaviour;
      for (const response of waiting) response.destroy();
      waiting.clear();
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return proxy;
}
