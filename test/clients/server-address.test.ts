import { describe, expect, it } from '@jest/globals';
import { serverAddress } from '../../src/clients/server-address';
import { parseSettings } from '../../src/settings/load-settings';

const address = (env: NodeJS.ProcessEnv, server?: string, settings: object = {}) =>
  serverAddress(
    { settings: parseSettings(settings as never, { file: 'test' }, '/'), baseDir: '/nowhere' },
    { XDG_DATA_HOME: '/nowhere', ...env },
    server,
  );

describe('the address of the server', () => {
  it.each<[object, string]>([
    [{}, 'http://127.0.0.1:8080'],
    [{ server: { host: '0.0.0.0', port: 9000 } }, 'http://localhost:9000'],
    [{ server: { host: '::1' } }, 'http://[::1]:8080'],
    [{ server: { tls: { certFile: 'c.pem', keyFile: 'k.pem' } } }, 'https://127.0.0.1:8080'],
  ])('the address follows from the settings %j', async (settings, baseUrl) => {
    expect(await address({}, undefined, settings)).toEqual({ baseUrl });
  });

  it('the option wins over GATE_SERVER, which wins over the settings', async () => {
    expect(await address({ GATE_SERVER: 'http://127.0.0.1:1234/' })).toEqual({ baseUrl: 'http://127.0.0.1:1234' });
    expect(await address({ GATE_SERVER: 'http://127.0.0.1:1234' }, 'https://gate.example')).toEqual({
      baseUrl: 'https://gate.example',
    });
  });

  it.each(['gate.example', 'ftp://gate.example', 'http://ann:secret@gate.example', 'http://127.0.0.1:25'])(
    '%s is no address of a server, and is not repeated',
    async (server) => {
      const failure = await address({}, server).catch((error: Error) => error);
      expect(failure).toMatchObject({
        type: 'ConfigInvalid',
        message: expect.stringMatching(/^Expected the server to/),
      });
      expect((failure as Error).message).not.toContain(server);
    },
  );

  it.each(['', 'secret\n', 'sec ret', 'sëcret'])(
    'the token %j can be in no header, and is not repeated',
    async (token) => {
      const failure = await address({ GATE_SERVER_TOKEN: token }).catch((error: Error) => error);
      expect(failure).toMatchObject({
        type: 'ConfigInvalid',
        message: expect.stringMatching(/^Expected GATE_SERVER_TOKEN to be a token/),
      });
      if (token !== '') expect((failure as Error).message).not.toContain(token.trim());
    },
  );

  it('a token is sent over plain http to this machine alone', async () => {
    const env = { GATE_SERVER_TOKEN: 'a-token' };
    for (const server of ['https://gate.example', 'http://localhost:1234', 'http://127.0.0.1:1234'])
      expect(await address(env, server)).toEqual({ baseUrl: server, token: 'a-token' });
    await expect(address(env, 'http://gate.example')).rejects.toMatchObject({ type: 'ConfigInvalid' });
    expect(await address({}, 'http://gate.example')).toEqual({ baseUrl: 'http://gate.example' });
  });
});
