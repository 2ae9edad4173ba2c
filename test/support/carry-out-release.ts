import { S3Client } from '@aws-sdk/client-s3';
import { s3ClientConfig } from '../../src/platform/aws/clients';
import { createFileObjects } from '../../src/platform/objects/stores/file-objects';
import { createS3Objects } from '../../src/platform/objects/stores/s3-objects';
import { sha256 } from '../../src/kernel/digest';
import { carryOut } from '../../src/releases/publishing/publish';
import type { CurrentManifest } from '../../src/releases/publishing/published-release';

// A publisher that is killed: one release after another over what stands, saying each version once it is published.
async function main([to = '', endpoint = '', current = '']: string[]) {
  const access = { endpoint, region: 'us-east-1', forcePathStyle: true };
  const store =
    endpoint === ''
      ? createFileObjects(to)
      : createS3Objects(new S3Client(s3ClientConfig(access)), { bucket: 'gate', prefix: to });
  const place = { store, key: 'latest.json' };
  let stands = JSON.parse(current) as CurrentManifest;
  for (let next = 2; ; next += 1) {
    const at = new Date(Date.UTC(2026, 10, 2) + next).toISOString();
    const [policy, config] = [`p${next}`, `c${next}`].map((content) => new TextEncoder().encode(content));
    const manifest = {
      policy: `policy-v${next}.tar.gz`,
      config: `config-v${next}.json`,
      version: `v${next}`,
      policySHA256: sha256(policy!),
      configSHA256: sha256(config!),
      publishedBy: 'doomed',
      publishedAt: at,
    };
    const files = [
      { key: manifest.policy, bytes: policy! },
      { key: manifest.config, bytes: config! },
    ];
    const content = { policy: policy!, config: config! };
    await carryOut(place, stands, { manifest, files, action: 'publish', content }, { by: 'doomed', at });
    stands = { manifest, ...(await store.get('latest.json'))! };
    process.stdout.write(`${manifest.version}\n`);
  }
}

void main(process.argv.slice(2));
