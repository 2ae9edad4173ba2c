import { once } from 'node:events';
import { createServer, request as forward, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How an S3 server behaves: well, or in one of the ways in which one fails. */
export type S3Behaviour = 'well' | 'throttling' | 'hanging' | 'half a body' | 'resetting';

export interface S3Proxy {
  url: string;
  readonly behaviour: S3Behaviour;
  /** `GET /bucket/key 304`, … of what was answered by the server itself */
  readonly answered: string[];
  /** from now on, for keys that match (all by default); whoever waits for an answer is let go */
  behave(behaviour: S3Behaviour, keys?: RegExp): void;
  close(): Promise<void>;
}

/** Stands before a real S3 server on loopback and passes requests on, or fails as it is told to. */
export async function startS3Proxy(port: number): Promise<S3Proxy> {
  const waiting = new Set<ServerResponse>();
  const answered: string[] = [];
  let told: { behaviour: S3Behaviour; keys: RegExp } = { behaviour: 'well', keys: /^/ };
  const server = createServer((near, response) => {
    const behaviour = told.keys.test(near.url!) ? told.behaviour : 'well';
    if (behaviour === 'resetting') return void near.socket.destroy();
    if (behaviour === 'hanging') return void waiting.add(response);
    if (behaviour === 'throttling') {
      response.writeHead(503, { 'content-type': 'application/xml' });
      return void response.end('<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>');
    }
    const isHalf = behaviour === 'half a body';
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
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get behaviour() {
      return told.behaviour;
    },
    answered,
    behave: (behaviour, keys = /^/) => {
      told = { behaviour, keys };
      for (const response of waiting) response.destroy();
      waiting.clear();
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
