import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { reachTemporal } from '../../../../src/platform/temporal/connection/reach-temporal';

const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

const listening = (onConnection: 'hold' | 'end'): Promise<string> =>
  new Promise((resolve) => {
    const server = createServer((socket) => {
      if (onConnection === 'end') socket.destroy();
      else socket.on('error', () => undefined).unref();
    });
    servers.push(server);
    server.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
const reach = (address: string, env = {}, connectTimeout = 5_000) =>
  reachTemporal(address, env, () => Connection.connect({ address, connectTimeout }));

describe('reaching Temporal', () => {
  it.each(['127.0.0.1:1', 'localhost:1', '[::1]:1'])(
    'a refused connection to %s fails at once, with the address, long before the client gives up',
    async (address) => {
      await expect(reach(address)).rejects.toMatchObject({
        name: 'TemporalUnreachable',
        message: expect.stringMatching(
          /^Temporal at .*:1 cannot be reached: (the connection was refused|no route .*)$/,
        ),
      });
    },
  );

  it('a host that no one knows fails with its name', async () => {
    await expect(reach('no-such-host.invalid:7233')).rejects.toMatchObject({
      name: 'TemporalUnreachable',
      message: expect.stringMatching(
        /no-such-host\.invalid:7233 cannot be reached: (there is no host|its name could not)/,
      ),
    });
  });

  it.each(['hold', 'end'] as const)(
    'a server that takes connections and answers none (%s) is waited for, and how long is said',
    async (behaviour) => {
      await expect(reach(await listening(behaviour), {}, 1_000)).rejects.toMatchObject({
        name: 'TemporalUnreachable',
        message: expect.stringMatching(/cannot be reached: there was no answer within \d+ s$/),
      });
    },
  );

  it('behind a proxy the address itself is not asked', async () => {
    await expect(reach('127.0.0.1:1', { https_proxy: 'http://127.0.0.1:2' }, 500)).rejects.toMatchObject({
      message: expect.stringContaining('no answer within'),
    });
  });

  it('what a server answered is told as it is', async () => {
    const refusal = new Error('16 UNAUTHENTICATED: no token');
    const opening = reachTemporal(await listening('hold'), {}, () => Promise.reject(refusal));
    await expect(opening).rejects.toBe(refusal);
  });
});
