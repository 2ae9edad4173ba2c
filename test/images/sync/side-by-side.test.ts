import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openImages, type Images } from '../../../src/images/service/open-images';
import { survey } from '../../../src/images/sync/survey';
import { loadSettings } from '../../../src/settings/load-settings';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { sampleImage } from '../../support/oci-registry/sample-image';
import { eventually } from '../../support/eventually';

describe('a registry that hangs', () => {
  let folder: string;
  let hanging: OciRegistry;
  let other: OciRegistry;
  let images: Images;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-side-by-side-'));
    // The one that hangs comes first in the order of hosts.
    const servers = await Promise.all([startOciRegistry(), startOciRegistry()]);
    [hanging, other] = servers.sort((one, next) => (one.host < next.host ? -1 : 1)) as [OciRegistry, OciRegistry];
    for (const server of servers) pushImage(server, 'team/app', sampleImage(), 'v1');
    const registries = {
      first: { host: hanging.host, plainHttp: true },
      second: { host: other.host, plainHttp: true },
    };
    const policies = ['first', 'second'].map((registry) => ({
      id: registry,
      name: registry,
      source: { registry, repositories: ['team/*'] },
      actions: [{ type: 'replicate', target_registry: 'mirror.example', target_repo: `${registry}/{repository}` }],
    }));
    writeFileSync(join(folder, 'policies.json'), JSON.stringify(policies));
    const named = { ...registries, 'mirror.example': {} };
    const settings = join(folder, 'settings.json');
    writeFileSync(
      settings,
      JSON.stringify({ policy: { enabled: true, configPath: 'policies.json' }, registries: named }),
    );
    images = openImages(await loadSettings(settings, {}, '/'), { env: {} });
  });
  afterEach(async () => {
    await images.close();
    await Promise.all([hanging.stop(), other.stop()]);
    rmSync(folder, { recursive: true });
  });

  const lists = ({ asked }: OciRegistry) => asked.map((one) => one.split('?')[0]);

  it.each([
    { list: 'repositories', path: '/v2/_catalog' },
    { list: 'tags', path: '/v2/team/app/tags/list' },
  ])('while its $list are awaited does not keep another one from being listed', async ({ path }) => {
    hanging.setFaults((asked) => (asked.path.startsWith(path) ? { hang: true } : undefined));
    const found = survey(await images.context());
    await eventually('both are asked', () => [hanging, other].every((one) => lists(one).includes(`GET ${path}`)));
    // What hangs breaks off, and is asked again.
    hanging.setFaults(undefined);
    hanging.disconnect();
    const { repositories, errors } = await found;
    expect(errors).toEqual([]);
    expect(repositories.map(({ registry }) => registry)).toEqual([hanging.host, other.host]);
  });
});
