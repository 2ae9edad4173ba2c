import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { freePorts } from '../../../src/dev/free-ports';
import { networkCode } from '../../../src/platform/http/network-code';
import { proxyFailure } from '../../../src/platform/http/proxy-failure';
import { createHttpFetch, type HttpClientOptions, createProxyDispatcher } from '../../../src/platform/http/http-client';

const TLS = join(__dirname, '..', '..', 'fixtures', 'tls');
const pem = (name: string): string => readFileSync(join(TLS, name), 'utf8');

const servers: Server[] = [];
async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'tls-'))));
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

const startPlain = (text: string): Promise<number> =>
  listen(createServer((_request, response) => void response.setHeader('connection', 'close').end(text)));

/** A proxy as companies have them: it forwards plain requests, opens tunnels to port 443 alone, and keeps what it was asked. */
async function startProxy(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const onward = httpRequest(request.url!, { headers: { ...request.headers, connection: 'close' } }, (answer) => {
      response.writeHead(answer.statusCode!, { connection: 'close' });
      answer.pipe(response);
    });
    onward.end();
  });
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    const [host, port] = request.url!.split(':');
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) end.on('error', () => [onward, socket].forEach((one) => one.destroy()));
  });
  return { url: `http://127.0.0.1:${await listen(proxy)}`, asked };
}

const ask = async (url: string, options: Partial<HttpClientOptions>): Promise<string> =>
  (await createHttpFetch({ env: {}, folder, ...options })(url)).text();

describe('the HTTP client', () => {
  it('hands a plain request to the proxy that the environment names', async () => {
    const [port, proxy] = [await startPlain('hello'), await startProxy()];
    expect(await ask(`http://127.0.0.1:${port}/x`, { env: { HTTP_PROXY: proxy.url } })).toBe('hello');
    expect(proxy.asked).toEqual([`GET http://127.0.0.1:${port}/x`]);
  });

  it.each([
    ['HTTPS_PROXY', 'nowhere'],
    ['http_proxy', 'proxy.example:3128'],
    ['HTTP_PROXY', 'ann:pass@proxy.example:3128'],
  ])('%s that is no address is an error that names it without its value', (name, value) => {
    expect(() => createProxyDispatcher({ [name]: value })).toThrow(
      new Error(`expected ${name} to be an address such as http://proxy.example:3128`),
    );
  });

  it.each(['socks5://127.0.0.1:1080', 'SOCKS5://a:1', 'socks5h://a:1', 'socks4://a:1', 'socks://a:1'])(
    'the proxy %s is refused by name',
    (value) => {
      expect(() => createHttpFetch({ env: { HTTPS_PROXY: value }, folder })).toThrow(
        'expected HTTPS_PROXY to be an HTTP proxy such as http://proxy.example:3128, got a SOCKS proxy',
      );
    },
  );

  it.each([
    ['HTTP_PROXY', 'http://server.example/'],
    ['HTTPS_PROXY', 'https://server.example/'],
  ])('a proxy of %s that is not reached is named without its password', async (name, url) => {
    const [port] = await freePorts(1);
    const env = { [name]: `http://ann:pass@127.0.0.1:${port}` };
    const said = `the proxy http://127.0.0.1:${port} was not reached (ECONNREFUSED)`;
    const fetched = await ask(url, { env }).catch((error: unknown) => error);
    expect([proxyFailure(fetched), networkCode(fetched)]).toEqual([said, said]);
    const dispatcher = createProxyDispatcher(env);
    const requested = await request(url, { dispatcher }).catch((error: unknown) => error);
    expect(proxyFailure(requested)).toBe(said);
    await dispatcher.close();
  });

  it('a server that is not reached without the proxy is no failure of the proxy', async () => {
    const [port, proxy] = [(await freePorts(1))[0], await startProxy()];
    const failed = await ask(`http://127.0.0.1:${port}/`, {
      env: { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' },
    }).catch((error: unknown) => error);
    expect([proxyFailure(failed), networkCode(failed)]).toEqual([undefined, 'ECONNREFUSED']);
  });

  it('a proxy that opens no tunnel is told with its status', async () => {
    const proxy = createServer();
    proxy.on('connect', (_request, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
    const dispatcher = createProxyDispatcher({ HTTPS_PROXY: `http://127.0.0.1:${await listen(proxy)}` });
    const failed = await request('https://server.example/', { dispatcher }).catch((error: unknown) => error);
    expect(proxyFailure(failed)).toBe('the proxy answered 407');
    await dispatcher.close();
  });

  it.each(['NO_PROXY', 'no_proxy'])('asks a host that %s names without the proxy', async (name) => {
    const [port, proxy] = [await startPlain('hello'), await startProxy()];
    const env = { HTTP_PROXY: proxy.url, [name]: '127.0.0.1,other.example' };
    expect(await ask(`http://127.0.0.1:${port}/x`, { env })).toBe('hello');
    expect(proxy.asked).toEqual([]);
  });

  it("does not look into the process's own environment", async () => {
    const [port, proxy] = [await startPlain('hello'), await startProxy()];
    process.env.HTTP_PROXY = proxy.url;
    try {
      expect(await ask(`http://127.0.0.1:${port}/`, { env: {} })).toBe('hello');
      expect(await ask(`http://127.0.0.1:${port}/`, { env: { HTTPS_PROXY: proxy.url } })).toBe('hello');
    } finally {
      delete process.env.HTTP_PROXY;
    }
    expect(proxy.asked).toEqual([]);
  });

  describe('with a server whose certificate a private authority signed', () => {
    const startTls = (wantsClient = false): Promise<number> =>
      listen(
        createTlsServer(
          {
            key: pem('server.key.pem'),
            cert: pem('server.pem'),
            ca: pem('ca.pem'),
            requestCert: wantsClient,
            rejectUnauthorized: wantsClient,
          },
          (_request, response) => void response.setHeader('connection', 'close').end('secret'),
        ),
      );

    it('refuses it unless the authority is configured', async () => {
      const url = `https://localhost:${await startTls()}/`;
      await expect(ask(url, {})).rejects.toMatchObject({ cause: { code: expect.stringMatching(/CERT|VERIFY/) } });
      expect(await ask(url, { tls: { caFile: join(TLS, 'ca.pem') } })).toBe('secret');
    });

    it('reaches it through the proxy as well', async () => {
      const [port, proxy] = [await startTls(), await startProxy()];
      const options = { env: { HTTPS_PROXY: proxy.url }, tls: { caFile: join(TLS, 'ca.pem') } };
      expect(await ask(`https://localhost:${port}/`, options)).toBe('secret');
      expect(proxy.asked).toEqual([`CONNECT localhost:${port}`]);
    });

    it('shows the certificate of the client, and takes up a renewed one', async () => {
      const url = `https://localhost:${await startTls(true)}/`;
      copyFileSync(join(TLS, 'ca.pem'), join(folder, 'ca.pem'));
      for (const name of ['client.pem', 'client.key.pem']) writeFileSync(join(folder, name), pem('ca.pem'));
      const tls = { caFile: 'ca.pem', certFile: 'client.pem', keyFile: 'client.key.pem' };
      const fetch = createHttpFetch({ env: {}, folder, tls });
      await expect(fetch(url)).rejects.toThrow();
      for (const name of ['client.pem', 'client.key.pem']) writeFileSync(join(folder, name), pem(name));
      expect(await (await fetch(url)).text()).toBe('secret');
    });

    it('names a file that cannot be read', async () => {
      await expect(ask('https://localhost:1/', { tls: { caFile: 'absent.pem' } })).rejects.toMatchObject({
        type: 'ConfigInvalid',
        message: 'Expected a PEM file at absent.pem (tls.caFile), but it could not be read (ENOENT)',
      });
    });
  });
});
