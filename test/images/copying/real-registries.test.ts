import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import type { AuditRecord } from '../../../src/audit/audit-record';
import { copyImage } from '../../../src/images/copying/copy-image';
import { replicateImage } from '../../../src/images/copying/replicate-image';
import { HttpRegistry } from '../../../src/images/registries/http-registry';
import { openImages } from '../../../src/images/service/open-images';
import { createSyncJournal } from '../../../src/images/sync/audit-journal';
import { runSync } from '../../../src/images/sync/run-sync';
import { loadSettings } from '../../../src/settings/load-settings';
import { runCli } from '../../cli/run-cli';
import { FIRST_BUILD_MS } from '../../support/cached-program';
import { startCraneRegistry } from '../../support/crane-registry';
import { canHaveDistribution, startDistribution, type DistributionMake } from '../../support/distribution-registry';
import { eventually } from '../../support/eventually';
import { blobOf, IMAGE, sampleImage, type SampleBlob } from '../../support/oci-registry/sample-image';
import { startTokenServer, type TokenServer } from '../../support/token-server';
import { canHaveTool } from '../../support/tool-folder';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
const LOGIN = { username: 'ann', password: 'correct horse' };

type Make = 'crane' | DistributionMake;
type Running = { host: string; stop(): Promise<void> };

const MAKES: readonly Make[] = ['crane', 'docker-registry', 'distribution'];
const isHere = (make: Make): boolean => (make === 'crane' ? canHaveTool('crane') : canHaveDistribution(make));

describe('between real registries', () => {
  const dispatcher = new Agent();
  const running = new Map<Make, Running>();
  let folder: string;
  let count = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-real-'));
    // Those of the distribution project take foreign layers only where their addresses are allowed.
    const validation = { manifests: { urls: { allow: ['^https://publisher\\.example/'] } } };
    for (const make of MAKES.filter(isHere)) {
      const own = join(folder, make);
      mkdirSync(own);
      const started =
        make === 'crane' ? startCraneRegistry(join(own, 'log')) : startDistribution(make, own, { validation });
      running.set(make, await started);
    }
  }, FIRST_BUILD_MS);
  afterAll(async () => {
    await Promise.all([...running.values()].map(({ stop }) => stop()));
    await dispatcher.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (host: string, credentials?: typeof LOGIN) =>
    new HttpRegistry({
      registry: host,
      plainHttp: true,
      dispatcher,
      findCredentials: () => Promise.resolve(credentials),
      firstBackoffMs: 1,
      attempts: 2,
    });
  const describeBlob = ({ mediaType, digest, size }: SampleBlob) => ({ mediaType, digest, size });
  const manifestOf = (fields: object, mediaType = IMAGE) =>
    blobOf(mediaType, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...fields })));

  async function write(registry: HttpRegistry, repository: string, ...blobs: SampleBlob[]): Promise<void> {
    for (const blob of blobs)
      await registry.writeBlob(repository, blob, async function* () {
        yield await Promise.resolve(blob.bytes);
      });
  }

  async function push(registry: HttpRegistry, repository: string, tag?: string) {
    const image = sampleImage({ layerSizes: [2000, 1000] });
    await write(registry, repository, image.config, ...image.layers);
    await registry.putManifest(repository, tag ?? image.manifest.digest, image.manifest);
    return { ...image, manifest: { ...image.manifest, size: image.manifest.bytes.length } };
  }

  /** A manifest that refers to another, listed under the fallback tag, which none of these registries keeps by itself. */
  async function refer(registry: HttpRegistry, repository: string, subject: SampleBlob, type: string) {
    const blob = blobOf('application/octet-stream', Buffer.from(`${type} of ${subject.digest}`));
    await write(registry, repository, blob);
    const fields = { artifactType: type, config: describeBlob(blob), layers: [], subject: describeBlob(subject) };
    const made = manifestOf(fields);
    await registry.putManifest(repository, made.digest, made);
    const { by, referrers } = await registry.listReferrers(repository, subject.digest);
    const index = manifestOf({ manifests: [...referrers, { ...describeBlob(made), artifactType: type }] }, INDEX);
    if (by === 'tag') await registry.putManifest(repository, subject.digest.replace(':', '-'), index);
    return made;
  }

  const pairs: [Make, Make][] = [
    ['crane', 'docker-registry'],
    ['docker-registry', 'distribution'],
    ['distribution', 'crane'],
  ];
  describe.each(pairs)('from %s to %s', (from, to) => {
    const both = isHere(from) && isHere(to) ? it : it.skip;
    const places = () => {
      const repository = `team/app${(count += 1)}`;
      const source = { registry: open(running.get(from)!.host), repository };
      return { source, target: { registry: open(running.get(to)!.host), repository: `mirror/${repository}` } };
    };

    /** A sync as a worker does it, without Temporal, with its records. */
    async function sync(repository: string, action: object) {
      const records: AuditRecord[] = [];
      const file = join(folder, `${repository.replace('/', '-')}.json`);
      const policy = {
        ...{ id: 'p', name: 'p', source: { registry: 'hub', repositories: [repository] } },
        actions: [{ type: 'replicate', target_registry: 'mirror', target_repo: 'mirror/{repository}', ...action }],
      };
      const registries = {
        hub: { host: running.get(from)!.host, plainHttp: true },
        mirror: { host: running.get(to)!.host, plainHttp: true },
      };
      writeFileSync(file, JSON.stringify({ policy: { enabled: true, policies: [policy] }, registries }));
      const images = openImages(await loadSettings(file, {}, folder), { env: {} });
      try {
        const context = await images.context();
        const journal = createSyncJournal({
          record: async (record) => records.push(record),
          ...{ sync: 's', workflowId: 'w', actor: 'ann', revision: context.revision, isRepeated: false },
          nowMs: Date.now,
        });
        return { ...(await runSync(context, { journal })), records };
      } finally {
        await images.close();
      }
    }

    both('a subset of the platforms has a digest of its own, which the record has', async () => {
      const { source, target } = places();
      const images = [await push(source.registry, source.repository), await push(source.registry, source.repository)];
      const manifests = images.map(({ manifest }, at) => ({
        ...describeBlob(manifest),
        platform: { os: 'linux', architecture: ['amd64', 'arm64'][at] },
      }));
      const index = manifestOf({ manifests }, INDEX);
      await source.registry.putManifest(source.repository, 'v1', index);
      const { totals, records } = await sync(source.repository, { platforms: ['linux/arm64'] });
      expect(totals).toMatchObject({ tagsCopied: 1, errors: 0 });
      const stored = await target.registry.getManifest(target.repository, 'v1');
      expect(JSON.parse(Buffer.from(stored!.bytes).toString())).toMatchObject({ manifests: [manifests[1]] });
      expect(stored!.digest).not.toBe(index.digest);
      expect(records.at(-1)).toMatchObject({
        kind: 'acted',
        details: { digest: index.digest, targetDigest: stored!.digest, outcome: 'copied' },
      });
      expect(await target.registry.headManifest(target.repository, images[0]!.manifest.digest)).toBeUndefined();
      expect((await sync(source.repository, { platforms: ['linux/arm64'] })).totals).toMatchObject({ tagsSkipped: 1 });
    });

    both('a foreign layer is skipped, and the record names it', async () => {
      const { source, target } = places();
      const { config, layers } = await push(source.registry, source.repository);
      const foreign = {
        mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
        digest: `sha256:${'a'.repeat(64)}`,
        size: 5,
        urls: ['https://publisher.example/layer'],
      };
      const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
      const docker = { ...describeBlob(config), mediaType: 'application/vnd.docker.container.image.v1+json' };
      const layer = { ...describeBlob(layers[0]!), mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' };
      const manifest = manifestOf({ config: docker, layers: [layer, foreign] }, mediaType);
      await source.registry.putManifest(source.repository, 'v1', manifest);
      const { totals, records } = await sync(source.repository, {});
      expect(totals).toMatchObject({ tagsCopied: 1, errors: 0 });
      expect(records.at(-1)).toMatchObject({ kind: 'acted', details: { foreign: [foreign.digest] } });
      const { digest } = manifest;
      expect(await target.registry.headManifest(target.repository, 'v1')).toEqual({ digest, mediaType });
    });

    both('the list of referrers that the target has is merged, never overwritten', async () => {
      const { source, target } = places();
      const { manifest } = await push(source.registry, source.repository, 'v1');
      const request = { source, target, digest: manifest.digest, tag: 'v1', referrersOfUnchanged: true };
      await replicateImage(request);
      const own = await refer(target.registry, target.repository, manifest, 'application/x.scan-at-the-target');
      const signature = await refer(source.registry, source.repository, manifest, 'application/x.signature');
      expect(await replicateImage(request)).toMatchObject({ referrers: { copied: [signature.digest] } });
      const sbom = await refer(source.registry, source.repository, manifest, 'application/x.sbom');
      expect(await replicateImage(request)).toMatchObject({
        referrers: { copied: [sbom.digest], present: [signature.digest] },
      });
      const { referrers } = await target.registry.listReferrers(target.repository, manifest.digest);
      expect(referrers.map(({ digest }) => digest)).toEqual([own, signature, sbom].map(({ digest }) => digest));
      expect(referrers[0]).toMatchObject({ artifactType: 'application/x.scan-at-the-target' });
    });
  });

  (isHere('crane') ? it : it.skip)('an image of schema 1 is refused, and nothing is sent', async () => {
    const { host } = running.get('crane')!;
    const registry = open(host);
    const old = blobOf(SCHEMA_1, Buffer.from(JSON.stringify({ schemaVersion: 1, name: 'team/old', fsLayers: [] })));
    await registry.putManifest('team/old', 'v1', old);
    const { code, stderr } = await runCli(folder, [
      ...['images', 'copy', '--plain-http', host, `${host}/team/old:v1`, `${host}/mirror/old`],
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^gate: ACTION_EXEC_ERROR: .*Docker's schema 1/);
    expect(await registry.headManifest('mirror/old', 'v1')).toBeUndefined();
  });

  describe.each(['docker-registry', 'distribution'] as const)('with tokens of %s', (make) => {
    const here = isHere(make) ? it : it.skip;
    let tokens: TokenServer | undefined;
    let registry: Running | undefined;
    beforeAll(async () => {
      if (!isHere(make)) return;
      tokens = await startTokenServer(LOGIN);
      registry = await startDistribution(make, join(folder, `${make}-tokens`), { auth: tokens.auth });
    }, FIRST_BUILD_MS);
    afterAll(async () => {
      await registry?.stop();
      await tokens?.stop();
    });

    const isGood = async (scope: string): Promise<boolean> => {
      const { token } = tokens!.given.findLast((one) => one.scope.includes(scope))!;
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`http://${registry!.host}/v2/mirror/app/tags/list`, { headers })).status !== 401;
    };

    here('one that ends in the middle of a copy is renewed; credentials that end stop it before the tag', async () => {
      const there = open(registry!.host, LOGIN);
      const image = await push(there, 'team/app', 'v1');
      const request = {
        ...{ source: { registry: there, repository: 'team/app' }, digest: image.manifest.digest, tag: 'v1' },
        target: { registry: there, repository: 'mirror/app' },
      };
      const pushes = () => tokens!.given.filter(({ scope }) => scope.includes('mirror/app:pull,push')).length;
      let before = 0;
      const untilEnded = async () => {
        await eventually('the token has ended', async () => !(await isGood('mirror/app:pull,push')));
        before = pushes();
        return true;
      };
      expect(await copyImage({ ...request, beforeTag: untilEnded })).toMatchObject({ outcome: 'copied' });
      expect(pushes()).toBeGreaterThan(before);
      expect(await there.headManifest('mirror/app', 'v1')).toMatchObject({ digest: image.manifest.digest });

      const stopped = copyImage({
        ...{ ...request, tag: 'v2' },
        beforeTag: async () => {
          await untilEnded();
          tokens!.refuse();
          return true;
        },
      });
      await expect(stopped).rejects.toMatchObject({
        failure: 'denied',
        message: expect.stringMatching(/: its token server \S+ refused the login$/),
      });
    });

    here('credentials that have ended are a clear error without a secret', async () => {
      tokens!.refuse();
      const { host } = registry!;
      const docker = join(folder, `${make}-docker`);
      mkdirSync(docker);
      const auth = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64');
      writeFileSync(join(docker, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
      const args = ['images', 'copy', '--plain-http', host, `${host}/team/app:v1`, `${host}/mirror/app:v3`];
      const { code, stdout, stderr } = await runCli(folder, args, { DOCKER_CONFIG: docker });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(
        /^gate: REGISTRY_UNAVAILABLE: 127\.0\.0\.1:\d+: its token server 127\.0\.0\.1:\d+ refused the login$/m,
      );
      expect(stderr).not.toContain(LOGIN.password);
      expect(stderr).not.toContain(auth);
    });
  });
});
