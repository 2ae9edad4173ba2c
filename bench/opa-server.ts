import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { findTool } from '../src/platform/tools/find-tool';

export interface OpaServer {
  /** The JSON text of the answer to a request's body. */
  post(body: string): Promise<string>;
  close(): Promise<void>;
}

/** `opa run --server` over loopback with the files given, asked for `path` over connections that stay open. */
export async function startOpaServer(files: readonly string[], path: string): Promise<OpaServer> {
  const opa = await findTool('opa');
  const port = await freePort();
  const child = spawn(
    opa.path,
    ['run', '--server', '--addr', `127.0.0.1:${port}`, '--log-level', 'error', '--skip-version-check', ...files],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const send = (method: string, target: string, body: string) =>
    new Promise<string>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const sent = request({ host: '127.0.0.1', port, method, path: target, agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
      });
      sent.on('error', reject).end(body);
    });
  const until = Date.now() + 10_000;
  while (!(await send('GET', '/health', '').then(Boolean, () => false))) {
    if (Date.now() > until) throw new Error('opa run --server did not become healthy in 10 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    post: (body) => send('POST', path, body),
    close: async () => {
      agent.destroy();
      child.kill();
      await ended;
    },
  };
}

/** `opa` does not tell the port that it chose for port 0. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
