import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonValue } from '../kernel/json';
import { readJsonBody } from './read-json-body';

export interface ReceivedAlert {
  /** path the message was posted to */
  path: string;
  body: JsonValue;
}

export interface AlertReceiverServer {
  /** POST messages here, to any path; GET `/received` lists what was accepted, PUT `/status` sets the answer's status */
  url: string;
  /** what was accepted, in order; messages answered with a failure are not in it, but counted in `refused` */
  received: readonly ReceivedAlert[];
  readonly refused: number;
  /** answers every further message with `status`; 200 makes it well again */
  answerWith(status: number): void;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 1_000_000;

/** A receiver of alerts on loopback, for the demo and the tests: keeps what it gets, and can be told to fail. */
export async function startAlertReceiver(port = 0): Promise<AlertReceiverServer> {
  const received: ReceivedAlert[] = [];
  let status = 200;
  let refused = 0;
  const answer = async (request: IncomingMessage): Promise<[number, JsonValue]> => {
    const path = request.url ?? '/';
    if (request.method === 'GET' && path === '/received') return [200, received as unknown as JsonValue];
    const body = await readJsonBody(request, MAX_BODY_BYTES);
    if (body === undefined) return [400, { error: 'expected a body of JSON' }];
    if (request.method === 'PUT' && path === '/status') {
      if (typeof body !== 'number' || !Number.isInteger(body) || body < 200 || body > 599) {
        return [400, { error: 'expected a status from 200 to 599' }];
      }
      status = body;
      return [200, { status }];
    }
    if (request.method !== 'POST') return [405, { error: 'expected POST' }];
    if (status >= 300) {
      refused++;
      return [status, { error: `told to answer ${status}` }];
    }
    received.push({ path, body });
    return [status, { received: received.length }];
  };
  const server = createServer((request, response) => {
    answer(request).then(
      ([code, body]) => {
        response.writeHead(code, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    get refused() {
      return refused;
    },
    answerWith: (next) => void (status = next),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The sentence of an Alertmanager message, for people. */
export function summaryOf(body: unknown): string {
  const alerts = (body as { alerts?: { annotations?: { summary?: string } }[] } | undefined)?.alerts;
  return alerts?.[0]?.annotations?.summary ?? JSON.stringify(body);
}
