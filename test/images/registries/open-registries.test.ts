import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { request as httpRequest, createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freePorts } from '../../../src/dev/free-ports';
import { openImages } from '../../../src/images/service/open-images';
import { openRegistries } from '../../../src/images/registries/open-registries';
import { loadSettings } from '../../../src/settings/load-settings';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { sampleImage } from '../../support/oci-registry/sample-image';

const TLS = join(__dirname, '..', '..', 'fixtures', 'tls');

describe('the registries of the settings', () => {
  let folder: string;
  let registry: OciRegistry;
  const servers: Server[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'registries-'));
    registry = await startOciRegistry();
    pushImage(registry, 'team/app', sampleImage(), 'v1');
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([registry.stop(), ...servers.splice(0).map((one) => new Promise((done) => one.close(done)))]);
  });

  async function listen(server: Server): Promise<number> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  /** The registry behind TLS, with a certificate of a private authority. */
  async function startTls(): Promise<string> {
    const [key, cert] = ['server.key.pem', 'server.pem'].map((name) => readFileSync(join(TLS, name)));
    const server = createTlsServer({ key, cert }, (request, response) => {
      const [host, port] = registry.host.split(':');
      const { method, url: path, headers } = request;
      const onward = httpRequest({ host, port, path, method, headers }, (answer) => {
        response.writeHead(answer.statusCode!, { ...answer.headers, connection: 'close' });
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    return `localhost:${await listen(server)}`;
  }

  async function open(registries: object, more: object = {}) {
    const file = join(folder, 'settings.json');
    writeFileSync(
      file,
      JSON.stringify({ registries, mapping: { 'hub/team/*': 'mirror.example/{repository}' }, ...more }),
    );
    return openImages(await loadSettings(file, {}, folder), { env: {} });
  }

  it('a registry with a certificate of a private authority is reached with its caFile alone', async () => {
    const host = await startTls();
    writeFileSync(join(folder, 'ca.pem'), readFileSync(join(TLS, 'ca.pem')));
    const images = await open({
      hub: { host, caFile: 'ca.pem' },
      other: { host: host.replace('localhost', '127.0.0.1') },
    });
    const { open: opened } = await images.context();
    expect(await opened(host).headManifest('team/app', 'v1')).toBeDefined();
    const plain = openRegistries({ env: {} });
    await expect(plain.open(host).headManifest('team/app', 'v1')).rejects.toMatchObject({ failure: 'unavailable' });
    await Promise.all([images.close(), plain.close()]);
  }, 60_000);

  it('a CA file that is missing or holds no certificate is a fault, all at once', async () => {
    writeFileSync(join(folder, 'empty.pem'), '');
    const images = await open({ hub: { host: 'a.example', caFile: 'none.pem' }, b: { caFile: 'empty.pem' } });
    await expect(images.context()).rejects.toMatchObject({
      type: 'ConfigInvalid',
      faults: [
        {
          message: expect.stringMatching(
            /registries\.hub\.caFile: expected certificates .*none\.pem, but there is none/,
          ),
        },
        {
          message: expect.stringMatching(
            /registries\.b\.caFile: expected certificates .*, but it holds no certificate/,
          ),
        },
      ],
    });
    await images.close();
  });

  it.each([
    [{ a: { host: 'x.example' }, b: { host: 'x.example', concurrency: 2 } }, 'the same settings as registries.a'],
    [{ a: { plainHttp: true, caFile: 'ca.pem' } }, 'expected no caFile with plainHttp'],
    [{ a: { host: 'https://x.example' } }, 'expected a host such as registry.example:5000'],
    [{ a: { requestsPerSecond: 0 } }, 'requestsPerSecond'],
    [{ a: { bytesPerSecond: 0.5 } }, 'bytesPerSecond'],
    [{ a: { concurrency: 0 } }, 'concurrency'],
    [{ a: { host: 'x.example', createRepositories: { provider: 'ecr' } } }, 'createRepositories: expected a region'],
    [{ a: { createRepositories: { provider: 'gar' } } }, 'provider'],
    [{ a: { createRepositories: { region: 'eu-west-1' } } }, 'provider'],
  ])('refuses %j', async (registries, sentence) => {
    await expect(open(registries)).rejects.toThrow(sentence);
  });

  it('requestsPerSecond and bytesPerSecond hold for all that is asked of a registry', async () => {
    const images = await open({ hub: { host: registry.host, plainHttp: true, requestsPerSecond: 20 } });
    const { open: opened } = await images.context();
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 8 }, () => opened(registry.host).headManifest('team/app', 'v1')));
    // A tenth of a second is given away, and the last one waits for those before it.
    expect(performance.now() - startedAt).toBeGreaterThan(240);
    await images.close();
  });

  it('concurrency holds for the requests at once', async () => {
    let [atOnce, most] = [0, 0];
    const slow = createServer((_request, response) => {
      most = Math.max(most, ++atOnce);
      setTimeout(() => {
        atOnce -= 1;
        response.writeHead(404).end();
      }, 20);
    });
    const host = `127.0.0.1:${await listen(slow)}`;
    const images = await open({ hub: { host, plainHttp: true, concurrency: 2 } });
    const { open: opened } = await images.context();
    await Promise.all(Array.from({ length: 6 }, (_, tag) => opened(host).headManifest('team/app', `v${tag}`)));
    expect(most).toBe(2);
    await images.close();
  });

  it('asks through the proxy of the environment, and without it what NO_PROXY names', async () => {
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(404).end();
    });
    const HTTP_PROXY = `http://127.0.0.1:${await listen(proxy)}`;
    const access = new Map([[registry.host, { plainHttp: true }]]);
    const [proxied, direct] = [{ HTTP_PROXY }, { HTTP_PROXY, NO_PROXY: '127.0.0.1' }].map((env) =>
      openRegistries({ env, access }),
    );
    expect(await proxied!.open(registry.host).headManifest('team/app', 'v1')).toBeUndefined();
    expect(asked).toEqual([`HEAD http://${registry.host}/v2/team/app/manifests/v1`]);
    expect(await direct!.open(registry.host).headManifest('team/app', 'v1')).toBeDefined();
    expect(asked).toHaveLength(1);
    await Promise.all([proxied!.close(), direct!.close()]);
  });

  it('a proxy that is not reached is named in the error of the registry', async () => {
    const [port] = await freePorts(1);
    const registries = openRegistries({ env: { HTTPS_PROXY: `http://127.0.0.1:${port}` } });
    const once = registries.open('registry.example').within({ once: true });
    await expect(once.headManifest('team/app', 'v1')).rejects.toMatchObject({
      failure: 'unavailable',
      message: `registry.example was not reached for team/app:v1 (the proxy http://127.0.0.1:${port} was not reached (ECONNREFUSED))`,
    });
    await registries.close();
  });

  it('docker.io means Docker Hub under each of its names, with library/', async () => {
    const policies = ['docker.io', 'index.docker.io', 'hub'].map((name, number) => ({
      id: `p${number}`,
      name: 'P',
      source: { registry: name, repositories: ['alpine', 'team/app'] },
      actions: [{ type: 'replicate', target_registry: 'mirror' }],
    }));
    writeFileSync(join(folder, 'p.json'), JSON.stringify(policies));
    const registries = { hub: { host: 'registry-1.docker.io' }, mirror: { host: 'mirror.example' } };
    const images = await open(registries, { policy: { enabled: true, configPath: 'p.json' }, mapping: {} });
    const { set, decide } = await images.context();
    expect(decide.registries?.get('hub')).toBe('docker.io');
    for (const { source } of set.policies) {
      expect(source!.repositories).toEqual(['library/alpine', 'team/app']);
      expect([source!.fitsRepository('library/alpine'), source!.fitsRepository('alpine')]).toEqual([true, false]);
    }
    await images.close();
  });
});
