import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Doorkeeper, type Access } from './access';
import { RegistryContent } from './content';
import type { Fault, Faults } from './faults';
import { answer } from './routes';

export interface OciRegistryOptions {
  access?: Access;
  /** the referrers API of specification 1.1 is served @default true */
  referrers?: boolean;
  /** asked for each request to a repository: one that does not exist is NAME_UNKNOWN, as in ECR @default any exists */
  exists?: (repository: string) => Promise<boolean>;
  /** epoch milliseconds, for tokens @default Date.now */
  now?: () => number;
}

/** A registry of container images in memory, by the OCI distribution specification, with faults on demand. */
export interface OciRegistry {
  /** `127.0.0.1:41234` */
  host: string;
  content: RegistryContent;
  /** methods and paths of all requests so far, those for tokens among them */
  asked: string[];
  /** how many were opened so far */
  connections(): number;
  /** from now on; undefined for none */
  setFaults(faults: Faults | undefined): void;
  /** breaks off all requests under way */
  disconnect(): void;
  stop(): Promise<void>;
}

export async function startOciRegistry(options: OciRegistryOptions = {}): Promise<OciRegistry> {
  const content = new RegistryContent();
  const asked: string[] = [];
  const counts = new Map<string, number>();
  const doorkeeper = options.access && new Doorkeeper(options.access, options.now ?? Date.now);
  let faults: Faults | undefined;
  const server = createServer((request, response) => {
    const [method, path] = [request.method ?? '', request.url ?? ''];
    const what = `${method} ${path}`;
    const before = counts.get(what) ?? 0;
    counts.set(what, before + 1);
    asked.push(what);
    const fault = faults?.({ method, path, before });
    if (fault !== undefined && happened(fault, request, response)) return;
    if (doorkeeper?.answered(request, response)) {
      request.resume();
      return;
    }
    const repository = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\//.exec(path)?.[1];
    void (async () => {
      if (repository === undefined || (await options.exists?.(repository)) !== false)
        return answer(content, options.referrers ?? true, request, response);
      request.resume();
      const errors = [{ code: 'NAME_UNKNOWN', message: `The repository with name '${repository}' does not exist` }];
      response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ errors }));
      // A client that disconnects in the middle of its body gets no answer.
    })().catch(() => response.destroy());
  });
  let connections = 0;
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    content,
    asked,
    connections: () => connections,
    setFaults: (next) => {
      faults = next;
      counts.clear();
    },
    disconnect: () => server.closeAllConnections(),
    stop: () => stop(server),
  };
}

/** @returns true when the fault is the whole answer */
function happened(fault: Fault, request: IncomingMessage, response: ServerResponse): boolean {
  if ('hang' in fault) return true;
  if ('status' in fault) {
    request.resume();
    response.writeHead(fault.status, fault.headers).end(fault.body);
    return true;
  }
  if ('swallow' in fault) {
    let taken = 0;
    request.on('data', (chunk: Buffer) => {
      taken += chunk.length;
      if (taken >= fault.swallow) request.socket.destroy();
    });
    return true;
  }
  spoil(fault, response);
  return false;
}

/** Cuts or changes the body that is sent; handlers send it whole, with `end`. */
function spoil(fault: { cutAfter: number } | { corrupt: true }, response: ServerResponse): void {
  const end = response.end.bind(response) as (body?: unknown) => ServerResponse;
  response.end = ((body?: unknown) => {
    if (!Buffer.isBuffer(body) || body.length === 0) return end(body);
    if ('cutAfter' in fault) {
      response.write(body.subarray(0, fault.cutAfter), () => response.destroy());
      return response;
    }
    const changed = Buffer.from(body);
    changed[changed.length - 1]! ^= 1;
    return end(changed);
  }) as typeof response.end;
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
