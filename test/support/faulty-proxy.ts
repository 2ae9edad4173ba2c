import { once } from 'node:events';
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Faults } from './oci-registry/faults';

/** Stands before a real registry and spoils what a test wants. */
export interface FaultyProxy {
  host: string;
  /** methods and paths so far, and whether they had an Authorization */
  asked: { what: string; isAuthorized: boolean }[];
  setFaults(faults: Faults | undefined): void;
  /** from now on only requests with an Authorization pass @default all pass */
  demandLogin(): void;
  close(): Promise<void>;
}

export async function startFaultyProxy(to: string): Promise<FaultyProxy> {
  const asked: FaultyProxy['asked'] = [];
  const counts = new Map<string, number>();
  let faults: Faults | undefined;
  let isClosed = false;
  const server = createServer((incoming, outgoing) => {
    const [method, path] = [incoming.method ?? '', incoming.url ?? ''];
    const what = `${method} ${path}`;
    const isAuthorized = incoming.headers.authorization !== undefined;
    asked.push({ what, isAuthorized });
    if (isClosed && !isAuthorized) {
      incoming.resume();
      outgoing.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end();
      return;
    }
    const before = counts.get(what) ?? 0;
    counts.set(what, before + 1);
    const fault = faults?.({ method, path, before });
    if (fault === undefined) pass(to, incoming, outgoing, (answer) => answer.pipe(outgoing));
    else if ('status' in fault) {
      incoming.resume();
      outgoing.writeHead(fault.status, fault.headers).end(fault.body);
    } else if ('swallow' in fault) incoming.once('data', () => incoming.socket.destroy());
    else if (!('hang' in fault)) pass(to, incoming, outgoing, (answer) => void spoil(fault, answer, outgoing));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    setFaults: (next) => {
      faults = next;
      counts.clear();
    },
    demandLogin: () => void (isClosed = true),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function pass(
  to: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  then: (answer: IncomingMessage) => void,
) {
  const { method, url, headers } = incoming;
  const passed = ask(`http://${to}${url}`, { method, headers: { ...headers, host: to } }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    then(answer);
  });
  passed.on('error', () => outgoing.destroy());
  // A registry may hold a lock while it reads a body: one that broke off must end there too.
  incoming.on('close', () => {
    if (!incoming.complete) passed.destroy();
  });
  incoming.pipe(passed);
}

async function spoil(
  fault: { cutAfter: number } | { corrupt: true },
  answer: IncomingMessage,
  outgoing: ServerResponse,
) {
  const body = Buffer.concat((await answer.toArray()) as Buffer[]);
  if ('cutAfter' in fault) {
    outgoing.write(body.subarray(0, fault.cutAfter), () => outgoing.destroy());
    return;
  }
  body[body.length - 1]! ^= 1;
  outgoing.end(body);
}
