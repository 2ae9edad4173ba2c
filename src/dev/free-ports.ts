import { createServer, type AddressInfo, type Server } from 'node:net';

/**
 * `count` different loopback ports that were free a moment ago. Another process may take one before it is used: callers
 * try again with new ones.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  try {
    // All are held until the last is known, so that no two are the same.
    for (let index = 0; index < count; index++) servers.push(await listen());
    return servers.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
