import { once } from 'node:events';
import { createServer, request as forward, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * How DynamoDB behaves: well, or in one of the ways in which it fails. `losing answers` carries the request out and closes
 * the connection; `half an answer` breaks it off; `garbled` ends it early as if that were all.
 */
export type DynamoDbBehaviour =
  'well' | 'throttling' | 'failing' | 'hanging' | 'half an answer' | 'garbled' | 'losing answers' | 'resetting';

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface DynamoDbProxy {
  url: string;
  /** `PutItem`, `Query`, … in the order in which they came */
  readonly asked: string[];
  /** from now on, for this many requests; whoever waits for an answer is let go; @default for ever */
  behave(behaviour: DynamoDbBehaviour, requests?: number): void;
  /** changes the parsed answers to these requests, until called without */
  rewrite(operation?: string, change?: (answer: Record<string, unknown>) => unknown): void;
  close(): Promise<void>;
}

const THROTTLED = {
  __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
  message: 'The level of configured provisioned throughput for the table was exceeded. local-secret-key',
};

/** Stands before a DynamoDB stand-in on loopback and passes requests on, or fails as it is told to. */
export async function startDynamoDbProxy(port: number): Promise<DynamoDbProxy> {
  const waiting = new Set<ServerResponse>();
  const asked: string[] = [];
  let behaviour: DynamoDbBehaviour = 'well';
  let requestsLeft = Infinity;
  let rewriting: { operation: string; change: (answer: Record<string, unknown>) => unknown } | undefined;

  const server = createServer((near, response) => {
    const operation = String(near.headers['x-amz-target']).split('.').at(-1) ?? '';
    asked.push(operation);
    const now = requestsLeft > 0 ? behaviour : 'well';
    requestsLeft -= 1;
    const chunks: Buffer[] = [];
    near.on('data', (chunk: Buffer) => chunks.push(chunk));
    near.on('end', () => {
      if (now === 'resetting') return void near.socket.destroy();
      if (now === 'hanging') return void waiting.add(response);
      if (now === 'throttling') return void answer(response, 400, JSON.stringify(THROTTLED));
      if (now === 'failing') return void answer(response, 500, '{"__type":"InternalServerError"}');
      void passOn(near.headers, Buffer.concat(chunks)).then(({ status, headers, body }) => {
        if (now === 'losing answers') return void response.destroy();
        if (now === 'garbled') return void answer(response, status, body.subarray(0, 1).toString() || '{');
        if (now === 'half an answer') {
          response.writeHead(status, { ...headers, 'content-length': body.length + 1 });
          return void response.write(body, () => response.destroy());
        }
        if (rewriting?.operation === operation) {
          const changed = rewriting.change(JSON.parse(body.toString()) as Record<string, unknown>);
          return void answer(response, status, JSON.stringify(changed));
        }
        response.writeHead(status, headers);
        response.end(body);
      });
    });
  });

  function passOn(headers: IncomingHttpHeaders, body: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const far = forward({ port, host: '127.0.0.1', method: 'POST', path: '/', headers }, (from) => {
        const chunks: Buffer[] = [];
        from.on('data', (chunk: Buffer) => chunks.push(chunk));
        from.on('end', () =>
          resolve({ status: from.statusCode ?? 500, headers: from.headers, body: Buffer.concat(chunks) }),
        );
      });
      far.on('error', reject);
      far.end(body);
    });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    behave(next, requests = Infinity) {
      behaviour = next;
      requestsLeft = requests;
      for (const response of waiting) response.destroy();
      waiting.clear();
    },
    rewrite(operation, change) {
      rewriting = operation === undefined || change === undefined ? undefined : { operation, change };
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(body);
}
