import { createHash } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadSettings, publish } from 'planning-engine';
import { describeObjectReader, describeReleaseSource, sourceOfObjects } from 'planning-engine/contracts';
import { startLevelServer, type LevelServer } from '../src/dev/level-server';
import { findTool } from '../src/platform/tools/find-tool';
import { quickRelease } from '../test/support/gate-harness';
import { jestFramework } from '../test/support/jest-framework';
import { eventually } from '../test/support/temporal-env';
import { OciObjects } from './oci-releases/oci-objects';
import { openGate } from './oci-releases/oci-releases';

const ARTIFACT = 'application/vnd.oci.image.manifest.v1+json';

/** A registry on loopback, and how `oras push` puts files there: a layer each, under its title. */
interface Registry {
  url: string;
  push(repository: string, files: Readonly<Record<string, Uint8Array>>): Promise<void>;
  close(): void;
}

async function startRegistry(): Promise<Registry> {
  const { path } = await findTool('crane');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child: ChildProcess = spawn(path, ['registry', 'serve', '--address', `127.0.0.1:${port}`], { stdio: 'ignore' });
  await eventually('the registry', async () => (await fetch(`${url}/v2/`)).ok);

  async function putBlob(repository: string, bytes: Uint8Array): Promise<{ digest: string; size: number }> {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const begun = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    const target = new URL(begun.headers.get('location')!, url);
    target.searchParams.set('digest', digest);
    const put = await fetch(target, { method: 'PUT', body: bytes });
    if (!put.ok) throw new Error(`the blob was answered with ${put.status}`);
    return { digest, size: bytes.length };
  }

  return {
    url,
    push: async (repository, files) => {
      const config = await putBlob(repository, Buffer.from('{}'));
      const layers = await Promise.all(
        Object.entries(files).map(async ([title, bytes]) => ({
          mediaType: 'application/octet-stream',
          ...(await putBlob(repository, bytes)),
          annotations: { 'org.opencontainers.image.title': title },
        })),
      );
      const artifact = {
        schemaVersion: 2,
        mediaType: ARTIFACT,
        config: { mediaType: 'application/vnd.oci.empty.v1+json', ...config },
        layers,
      };
      const put = await fetch(`${url}/v2/${repository}/manifests/production`, {
        method: 'PUT',
        headers: { 'content-type': ARTIFACT },
        body: JSON.stringify(artifact),
      });
      if (!put.ok) throw new Error(`the artifact was answered with ${put.status}`);
    },
    close: () => void child.kill(),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

describe('releases from an OCI registry', () => {
  let folder: string;
  let levels: LevelServer;
  let registry: Registry;
  let opened = 0;
  const placeOf = (repository: string) => ({
    registry: registry.url,
    repository,
    tag: 'production',
    manifest: 'latest.json',
  });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-oci-'));
    [levels, registry] = await Promise.all([startLevelServer(), startRegistry()]);
  });
  afterAll(async () => {
    registry?.close();
    await levels?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describeObjectReader(jestFramework, 'an OCI registry', async () => {
    opened += 1;
    const repository = `contract/${opened}`;
    return {
      reader: new OciObjects(placeOf(repository)),
      publish: (objects) => registry.push(repository, objects),
      close: () => Promise.resolve(),
    };
  });

  describeReleaseSource(jestFramework, 'an OCI registry', () => {
    opened += 1;
    const repository = `source/${opened}`;
    return sourceOfObjects({
      reader: new OciObjects(placeOf(repository)),
      publish: (objects) => registry.push(repository, objects),
    });
  });

  it('a gate takes its release from a registry, and the next one while it runs', async () => {
    const settings = join(folder, 'settings.json');
    const manifest = join(folder, 'published', 'latest.json');
    writeFileSync(
      settings,
      JSON.stringify({
        release: { manifest, refreshInterval: '1s', cacheFolder: 'cache' },
        audit: { store: { folder: 'store' }, stdout: false },
        logLevel: 'silent',
      }),
    );
    const env = process.env;
    const release = async (version: string, maxPending: number): Promise<void> => {
      const config = join(folder, 'release.json');
      writeFileSync(config, JSON.stringify(quickRelease(levels.url, { limits: { maxDelta: 500, maxPending } })));
      await publish({
        settings: await loadSettings(settings, env, folder),
        release: { version, policy: { path: resolve(__dirname, '..', 'policy') }, config },
        env,
        cwd: folder,
      });
      const root = join(folder, 'published');
      const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
      const entries = files.map(({ parentPath, name }) => join(parentPath, name));
      await registry.push(
        'gate',
        Object.fromEntries(entries.map((path) => [relative(root, path), readFileSync(path)])),
      );
    };
    levels.setMetric('pending_delta', { value: 100 });
    levels.setMetric('max_pending', { value: 800 });
    levels.setMetric('region_health', { value: { eu: { status: 'green' } } });

    await release('v1', 2000);
    const gate = await openGate(settings, placeOf('gate'), { env });
    try {
      const target = { deploymentId: 'fw-1', stage: 'canary' };
      expect((await gate.decide(target)).record).toMatchObject({ outcome: 'allow', manifestVersion: 'v1' });
      await release('v2', 500);
      await eventually('the next release', async () => (await gate.decide(target)).record.manifestVersion === 'v2');
      expect((await gate.decide(target)).record).toMatchObject({ outcome: 'deny', manifestVersion: 'v2' });
    } finally {
      await gate.close();
    }
  });
});
