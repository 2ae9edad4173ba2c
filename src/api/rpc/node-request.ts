import type { connectNodeAdapter } from '@connectrpc/connect-node';

type Answer = ReturnType<typeof connectNodeAdapter>;

/** A request of HTTP/1.1 or of HTTP/2. */
export type NodeServerRequest = Parameters<Answer>[0];
export type NodeServerResponse = Parameters<Answer>[1];

/** What the client calls the server: `Host`, or `:authority` in HTTP/2. */
export function authorityOf(request: NodeServerRequest): string | undefined {
  return 'authority' in request ? request.authority : request.headers.host;
}
