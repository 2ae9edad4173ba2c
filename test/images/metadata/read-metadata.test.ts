import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import { BoundedMap } from '../../../src/kernel/bounded-map';
import { readMetadata, type MetadataCache } from '../../../src/images/metadata/read-metadata';
import { HttpRegistry } from '../../../src/images/registries/http-registry';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { blobOf, sampleImage, type SampleImage } from '../../support/oci-registry/sample-image';

const INDEX = 'application/vnd.oci.image.index.v1+json';

describe('metadata of an image', () => {
  const dispatcher = new Agent();
  let server: OciRegistry;
  let place: { registry: HttpRegistry; repository: string };
  let cache: MetadataCache;

  beforeEach(async () => {
    server = await startOciRegistry();
    const findCredentials = () => Promise.resolve(undefined);
    const options = { registry: server.host, plainHttp: true, dispatcher, findCredentials, firstBackoffMs: 1 };
    place = { registry: new HttpRegistry({ ...options, attempts: 2 }), repository: 'team/app' };
    cache = new BoundedMap(10);
  });
  afterEach(() => server.stop());
  afterAll(() => dispatcher.close());

  const content = () => server.content.open('team/app');
  const sizeOf = ({ config, layers }: SampleImage) => [config, ...layers].reduce((sum, { size }) => sum + size, 0);

  function put(image: SampleImage): SampleImage {
    for (const blob of [image.config, ...image.layers]) content().blobs.set(blob.digest, blob.bytes);
    content().manifests.set(image.manifest.digest, image.manifest);
    return image;
  }

  function putIndex(children: [SampleImage, string][], annotations: Record<string, string> = {}) {
    const manifests = children.map(([{ manifest }, architecture]) => ({
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.bytes.length,
      platform: { architecture, os: architecture === 'unknown' ? 'unknown' : 'linux' },
    }));
    const text = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests, annotations });
    const index = blobOf(INDEX, Buffer.from(text));
    content().manifests.set(index.digest, index);
    content().tags.set('v1', index.digest);
    return index;
  }

  it('is read from the manifest and its config', async () => {
    const image = put(sampleImage({ labels: { team: 'red' } }));
    content().tags.set('v1', image.manifest.digest);
    expect(await readMetadata(place, 'v1', cache)).toEqual({
      registry: server.host,
      repository: 'team/app',
      tag: 'v1',
      digest: image.manifest.digest,
      labels: { team: ['red'] },
      annotations: {},
      size: sizeOf(image),
      createdAtMs: Date.parse('2026-01-02T03:04:05Z'),
      architectures: ['amd64'],
      os: ['linux'],
      hasSignature: false,
    });
  });

  it('of an index is that of all its platforms, without what builders attest', async () => {
    const [one, other] = [
      put(sampleImage({ labels: { team: 'red' } })),
      put(sampleImage({ labels: { team: 'blue' } })),
    ];
    const attestation = put(sampleImage({ labels: { team: 'none' } }));
    putIndex(
      [
        [one, 'amd64'],
        [other, 'arm64'],
        [attestation, 'unknown'],
      ],
      { note: 'x' },
    );
    expect(await readMetadata(place, 'v1', cache)).toMatchObject({
      labels: { team: ['red', 'blue'] },
      annotations: { note: ['x'] },
      size: sizeOf(one) + sizeOf(other),
    });
  });

  it('is read once for each digest; whether it is signed is asked again', async () => {
    const image = put(sampleImage());
    content().tags.set('v1', image.manifest.digest);
    await readMetadata(place, 'v1', cache);
    const before = server.asked.length;
    content().tags.set(`${image.manifest.digest.replace(':', '-')}.sig`, image.manifest.digest);
    expect(await readMetadata(place, 'v1', cache)).toMatchObject({ hasSignature: true, size: sizeOf(image) });
    expect(server.asked.slice(before).filter((one) => one.startsWith('GET'))).toEqual([]);
  });

  it('is unknown where a config cannot be read, and is not kept', async () => {
    const image = put(sampleImage());
    content().tags.set('v1', image.manifest.digest);
    server.setFaults(({ path }) => (path.includes('/blobs/') ? { status: 500 } : undefined));
    const read = await readMetadata(place, 'v1', cache);
    expect(read).toMatchObject({ size: sizeOf(image), annotations: {}, hasSignature: false });
    expect(read).not.toHaveProperty('labels');
    expect(read).not.toHaveProperty('createdAtMs');
    server.setFaults(undefined);
    expect(await readMetadata(place, 'v1', cache)).toMatchObject({ labels: {} });
  });

  it.each<[string, number | undefined, string]>([
    ['does not exist', undefined, 'IMAGE_NOT_FOUND'],
    ['is behind a registry that is down', 503, 'REGISTRY_UNAVAILABLE'],
    ['is forbidden', 403, 'REGISTRY_UNAVAILABLE'],
  ])('cannot be had of an image that %s', async (_what, status, code) => {
    if (status !== undefined) server.setFaults(() => ({ status }));
    await expect(readMetadata(place, 'v1', cache)).rejects.toMatchObject({ name: 'ImageError', code });
  });
});
