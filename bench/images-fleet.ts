import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { openRegistries } from '../src/images/registries/open-registries';
import type { Registry } from '../src/images/registries/registry';
import { blobOf, IMAGE, type SampleBlob } from '../test/support/oci-registry/sample-image';
import type { MeasuredSync } from './images-worker';

export const LARGE = 'bench/large';
export const SHARED = 'bench/shared';
export const MANY = 'bench/many';
export const SHARED_TAGS = 20;
export const MANY_TAGS = 200;
export const SCALE = 'bench/scale';
export const SCALE_COPY = 'ours/scale';
export const SCALE_TAGS = 10_000;
/** Images that those tags name by turns. */
const SCALE_IMAGES = 5;

const MIB = 2 ** 20;

/** Fills the source: one image of 200 MB, 20 tags that share layers of 20 MiB, and 200 tags of small images. */
export async function fillSource(host: string): Promise<void> {
  const registries = openRegistries({ env: {}, access: new Map([[host, { plainHttp: true }]]) });
  try {
    const registry = registries.open(host);
    const large = [40, 40, 40, 40, 40].map((size) => layerOf(size * 1_000_000));
    await push(registry, LARGE, large, 'v1');
    const base = Array.from({ length: 5 }, () => layerOf(4 * MIB));
    for (let tag = 1; tag <= SHARED_TAGS; tag++) await push(registry, SHARED, [...base, layerOf(MIB)], `v${tag}`);
    for (let tag = 1; tag <= MANY_TAGS; tag++) await push(registry, MANY, [layerOf(1000)], `v${tag}`);
  } finally {
    await registries.close();
  }
}

/** Fills a source and a target alike: very many tags, which name a few images by turns. */
export async function fillScale(source: string, target: string): Promise<void> {
  const access = new Map([source, target].map((host) => [host, { plainHttp: true }]));
  const registries = openRegistries({ env: {}, access });
  const images = Array.from({ length: SCALE_IMAGES }, () => [layerOf(1000)]);
  try {
    for (const [host, repository] of [
      [source, SCALE],
      [target, SCALE_COPY],
    ] as const) {
      const registry = registries.open(host);
      const manifests = await Promise.all(
        images.map((layers, index) => push(registry, repository, layers, `v${index}`)),
      );
      let next = SCALE_IMAGES;
      const pushNext = async (): Promise<void> => {
        for (let tag = next++; tag < SCALE_TAGS; tag = next++)
          await registry.putManifest(repository, `v${tag}`, manifests[tag % SCALE_IMAGES]!);
      };
      await Promise.all(Array.from({ length: 8 }, pushNext));
    }
  } finally {
    await registries.close();
  }
}

/** Really compressed, since skopeo compresses what is not. */
const layerOf = (size: number): SampleBlob =>
  blobOf('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(randomBytes(size), { level: 0 }));

async function push(registry: Registry, repository: string, layers: readonly SampleBlob[], tag: string) {
  const text = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    created: tag,
    rootfs: { type: 'layers', diff_ids: [] },
  });
  const config = blobOf('application/vnd.oci.image.config.v1+json', Buffer.from(text));
  const describe = ({ mediaType, digest, size }: SampleBlob) => ({ mediaType, digest, size });
  for (const blob of [config, ...layers])
    if (!(await registry.hasBlob(repository, blob.digest)))
      await registry.writeBlob(repository, blob, () => parts(blob));
  const fields = { schemaVersion: 2, mediaType: IMAGE, config: describe(config), layers: layers.map(describe) };
  const { mediaType, digest, bytes } = blobOf(IMAGE, Buffer.from(JSON.stringify(fields)));
  const manifest = { mediaType, digest, bytes };
  await registry.putManifest(repository, tag, manifest);
  return manifest;
}

async function* parts({ bytes }: SampleBlob): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += MIB) yield await Promise.resolve(bytes.subarray(at, at + MIB));
}

/** A process that syncs as a worker does. */
export interface SyncingWorker {
  /** one repository of the source to a repository of the target, a host */
  sync(repository: string, target: string, to: string): Promise<MeasuredSync>;
  stop(): Promise<void>;
}

export function startSyncingWorker(folder: string, source: string): SyncingWorker {
  const script = join(__dirname, 'images-worker.ts');
  const args = ['-r', join(__dirname, 'built-package.cjs'), script];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let count = 0;
  return {
    async sync(repository, target, to) {
      count += 1;
      const policies = join(folder, `policies-${count}.json`);
      const action = { type: 'replicate', target_registry: 'target', target_repo: to };
      const from = { registry: 'source', repositories: [repository] };
      await writeFile(policies, JSON.stringify([{ id: 'bench', name: 'Bench', source: from, actions: [action] }]));
      const registries = { source: { host: source, plainHttp: true }, target: { host: target, plainHttp: true } };
      const settings = join(folder, `settings-${count}.json`);
      await writeFile(settings, JSON.stringify({ policy: { enabled: true, configPath: policies }, registries }));
      child.stdin.write(`${settings}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the syncing process ended');
      return JSON.parse(value) as MeasuredSync;
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
