import { randomBytes } from 'node:crypto';
import { digestOf } from './content';

export interface SampleBlob {
  mediaType: string;
  digest: string;
  size: number;
  bytes: Buffer;
}

export interface SampleImage {
  config: SampleBlob;
  layers: readonly SampleBlob[];
  manifest: { mediaType: string; digest: string; bytes: Buffer };
}

export const IMAGE = 'application/vnd.oci.image.manifest.v1+json';

/** An image of random layers, as a build would push it. */
export function sampleImage(options: { layerSizes?: number[]; labels?: Record<string, string> } = {}): SampleImage {
  const { layerSizes = [1000, 70_000], labels = {} } = options;
  const layers = layerSizes.map((size) => blobOf('application/vnd.oci.image.layer.v1.tar', randomBytes(size)));
  const config = blobOf(
    'application/vnd.oci.image.config.v1+json',
    Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        created: '2026-01-02T03:04:05Z',
        config: { Labels: labels },
      }),
    ),
  );
  const describe = ({ mediaType, digest, size }: SampleBlob) => ({ mediaType, digest, size });
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: IMAGE, config: describe(config), layers: layers.map(describe) }),
  );
  return { config, layers, manifest: { mediaType: IMAGE, digest: digestOf(bytes), bytes } };
}

export function blobOf(mediaType: string, bytes: Buffer): SampleBlob {
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}
