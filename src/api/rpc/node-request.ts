import type { NodeServerRequest } from '@connectrpc/connect-node';

export type { NodeServerRequest, NodeServerResponse } from '@connectrpc/connect-node';

/** What the client calls the server: `Host`, or `:authority` in HTTP/2. */
export function authorityOf(request: NodeServerRequest): string | undefined {
  return 'authority' in request ? request.authority : request.headers.host;
}
