import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { describeFactProvider } from '../../../src/contracts/fact-provider';
import type { FactProvider, FactTarget } from '../../../src/gate/facts/fact';
import { copyImage } from '../../../src/images/copying/copy-image';
import { imageFact } from '../../../src/images/gating/image-fact';
import { nameRegistries, type NamedRegistries } from '../../../src/images/registries/named-registries';
import { openRegistries, withoutTls, type Registries } from '../../../src/images/registries/open-registries';
import { digestOf } from '../../support/oci-registry/content';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { sampleImage } from '../../support/oci-registry/sample-image';
import { jestFramework } from '../../support/jest-framework';
import { startCraneRegistry } from '../../support/crane-registry';
import { until } from '../../support/scripted-source';

const target: FactTarget = {
  deploymentId: 'fw-1',
  stage: 'canary',
  stageIndex: 0,
  attributes: { version: 'v1', app: 'app' },
  stageAttributes: {},
};

let server: OciRegistry;
let registries: Registries;
let named: NamedRegistries;
const signal = (): AbortSignal => new AbortController().signal;
const create = (config: object): FactProvider =>
  imageFact(named).create(
    'app_image',
    { type: 'image', ttl: '0s', maxAge: '45s', timeout: '5s', ...config } as never,
    {},
    {
      env: {},
      configFolder: '/',
      configDocument: {},
    },
  ) as FactProvider;
const collect = async (image: string, over: object = {}, of = target) =>
  (await create({ image, ...over }).collect(of, signal())).value;

beforeEach(async () => {
  server = await startOciRegistry();
  registries = openRegistries({ env: {}, access: withoutTls([server.host]) });
  named = nameRegistries(new Map([['mirror', server.host]]), (host) => registries.open(host));
});
afterEach(async () => {
  await registries.close();
  await server.stop();
});

describeFactProvider(jestFramework, 'image', async () => {
  const own = await startOciRegistry();
  const opened = openRegistries({ env: {}, access: withoutTls([own.host]) });
  pushImage(own, 'team/app', sampleImage(), 'v1');
  named = nameRegistries(new Map(), (host) => opened.open(host));
  return {
    provider: create({ image: `${own.host}/team/app:v1` }),
    sourceIs: async (state) =>
      own.setFaults(
        () =>
          ({
            good: undefined,
            'other shape': { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
            down: { status: 503 },
            hanging: { hang: true } as const,
          })[state],
      ),
    close: async () => {
      await opened.close();
      await own.stop();
    },
  };
});

describe('the fact of an image', () => {
  it('has its digest, its labels and its age', async () => {
    const image = sampleImage({ labels: { environment: 'production' } });
    pushImage(server, 'team/app', image, 'v1');
    const beforeMs = Date.now();
    const value = await collect(`${server.host}/team/app:v1`);
    const created = '2026-01-02T03:04:05.000Z';
    expect(value).toEqual({
      exists: true,
      digest: image.manifest.digest,
      labels: { environment: ['production'] },
      created_at: created,
      age_seconds: expect.any(Number),
    });
    const { age_seconds: age } = value as { age_seconds: number };
    expect(age).toBeGreaterThanOrEqual(Math.floor((beforeMs - Date.parse(created)) / 1000));
  });

  it('says of an image that the registry does not have that it does not exist, and no more', async () => {
    expect(await collect(`${server.host}/team/app:v1`)).toEqual({ exists: false });
  });

  it('takes parameters behind the registry, and the name of a registry of the settings', async () => {
    const image = sampleImage();
    pushImage(server, 'team/app', image, 'v1');
    expect(await collect('mirror/team/{attributes.app}:{attributes.version}')).toMatchObject({ exists: true });
    const attributes = { digest: image.manifest.digest };
    expect(await collect('mirror/team/app@{attributes.digest}', {}, { ...target, attributes })).toMatchObject({
      digest: image.manifest.digest,
    });
  });

  it('costs one HEAD without metadata, which counts as no pull', async () => {
    const image = sampleImage();
    pushImage(server, 'team/app', image, 'v1');
    const value = await collect(`${server.host}/team/app:v1`, { metadata: false });
    expect(value).toEqual({ exists: true, digest: image.manifest.digest });
    expect(server.asked).toEqual(['HEAD /v2/team/app/manifests/v1']);
  });

  it('reads manifest and config of a digest once', async () => {
    pushImage(server, 'team/app', sampleImage(), 'v1');
    const provider = create({ image: `${server.host}/team/app:v1` });
    await provider.collect(target, signal());
    const once = server.asked.length;
    await provider.collect(target, signal());
    expect(server.asked.slice(once)).toEqual(['HEAD /v2/team/app/manifests/v1']);
  });

  it.each<[string, { status: number; on?: string }, string]>([
    ['a registry that refuses the login', { status: 403 }, 'FactSourceUnavailable'],
    ['a registry that is busy', { status: 429 }, 'FactSourceUnavailable'],
    ['a config that is missing', { status: 404, on: '/blobs/' }, 'FactSourceUnavailable'],
  ])('has no value with %s', async (_what, { status, on = '' }, type) => {
    pushImage(server, 'team/app', sampleImage(), 'v1');
    server.setFaults(({ path }) => (path.includes(on) ? { status } : undefined));
    await expect(collect(`${server.host}/team/app:v1`)).rejects.toMatchObject({ type });
  });

  it('ends its request at the registry when the signal aborts', async () => {
    server.setFaults(() => ({ hang: true }));
    const controller = new AbortController();
    const asked = create({ image: `${server.host}/team/app:v1` }).collect(target, controller.signal);
    const failed = expect(asked).rejects.toMatchObject({ type: 'FactSourceUnavailable' });
    await until(() => server.asked.length > 0);
    controller.abort();
    await failed;
  });

  it.each([
    ['a slash and a tag', 'app:v2'],
    ['a digest', `app@${digestOf(Buffer.from('x'))}`],
    ['a step to another repository', '../other'],
    ['nothing', ''],
    ['upper case', 'App'],
  ])('refuses a value that is %s where a part of a repository belongs', async (_what, app) => {
    const of = { ...target, attributes: { app } };
    await expect(collect('mirror/team/{attributes.app}:v1', {}, of)).rejects.toMatchObject({ type: 'FactInvalid' });
    expect(server.asked).toEqual([]);
  });

  it('refuses a deployment that lacks what a parameter names', async () => {
    await expect(collect('mirror/team/app:{attributes.tag}')).rejects.toMatchObject({
      type: 'FactInvalid',
      message: expect.stringContaining('needs attributes.tag'),
    });
  });

  it.each([
    ['no registry', 'app:v1', 'expected REGISTRY/REPOSITORY'],
    ['a parameter as the registry', '{attributes.registry}/app:v1', 'without templates before the first slash'],
    ['a name that the settings do not have', 'ecr/app:v1', 'they name mirror'],
    ['an unknown parameter', 'mirror/app:{version}', 'found {version}'],
    ['nothing', '', 'expected REGISTRY/REPOSITORY'],
  ])('refuses a configuration of %s', (_what, image, message) => {
    expect(() => create({ image })).toThrow(
      expect.objectContaining({ type: 'ConfigInvalid', message: expect.stringContaining(message) }),
    );
  });
});

describe('the fact of an image in a registry of another make', () => {
  let crane: Awaited<ReturnType<typeof startCraneRegistry>>;
  beforeAll(async () => void (crane = await startCraneRegistry(join(tmpdir(), `crane-fact-${process.pid}.log`))));
  afterAll(() => crane.stop());

  it('follows what is pushed there', async () => {
    const opened = openRegistries({ env: {}, access: withoutTls([crane.host, server.host]) });
    try {
      named = nameRegistries(new Map(), (host) => opened.open(host));
      const provider = create({ image: `${crane.host}/mirror/app:v1` });
      expect((await provider.collect(target, signal())).value).toEqual({ exists: false });
      const image = sampleImage({ labels: { scan: 'passed' } });
      pushImage(server, 'team/app', image, 'v1');
      await copyImage({
        source: { registry: opened.open(server.host), repository: 'team/app' },
        digest: image.manifest.digest,
        target: { registry: opened.open(crane.host), repository: 'mirror/app' },
        tag: 'v1',
      });
      expect((await provider.collect(target, signal())).value).toMatchObject({
        exists: true,
        digest: image.manifest.digest,
        labels: { scan: ['passed'] },
      });
    } finally {
      await opened.close();
    }
  });
});
