import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before a real registry: notes what is asked, and holds up what a test wants. */
export interface RegistryProxy {
  host: string;
  /** methods and paths of requests that were answered in full */
  answered: string[];
  /** requests for which it gives true get no answer, and are cut off by `release`; each is told to `onHeld` */
  hold(isHeld: (what: string) => boolean, onHeld: (what: string) => void): void;
  release(): void;
  close(): Promise<void>;
}

export async function startRegistryProxy(to: string): Promise<RegistryProxy> {
  const answered: string[] = [];
  let isHeld = (_what: string): boolean => false;
  let onHeld = (_what: string): void => undefined;
  let release = (): void => undefined;
  let released = Promise.resolve();
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const what = `${incoming.method} ${incoming.url}`;
      if (isHeld(what)) {
        onHeld(what);
        await released;
        outgoing.destroy();
        return;
      }
      const { method, url, headers } = incoming;
      const passed = ask(`http://${to}${url}`, { method, headers: { ...headers, host: to } }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing).on('finish', () => answered.push(what));
      });
      passed.on('error', () => outgoing.destroy());
      incoming.on('close', () => {
        if (!incoming.complete) passed.destroy();
      });
      incoming.pipe(passed);
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    answered,
    hold(held, told) {
      [isHeld, onHeld] = [held, told];
      released = new Promise((resolve) => {
        release = () => {
          isHeld = () => false;
          resolve();
        };
      });
    },
    release: () => release(),
    async close() {
      release();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
