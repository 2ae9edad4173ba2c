import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateRepositoryCommand, DescribeRepositoriesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '../../../src/audit/audit-record';
import { readEcrHost } from '../../../src/images/registries/ecr-host';
import { openImages } from '../../../src/images/service/open-images';
import { createSyncJournal } from '../../../src/images/sync/audit-journal';
import { runSync } from '../../../src/images/sync/run-sync';
import { ecrClientConfig } from '../../../src/platform/aws/clients';
import { loadSettings } from '../../../src/settings/load-settings';
import { runCli } from '../../cli/run-cli';
import { startEcrEndpoint, type EcrEndpoint } from '../../support/ecr-endpoint';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { sampleImage } from '../../support/oci-registry/sample-image';
import { startMoto, type AwsStandIn } from '../../support/python-servers';

describe('a target repository that is missing', () => {
  let folder: string;
  let source: OciRegistry;
  let target: OciRegistry | undefined;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-create-'));
    source = await startOciRegistry();
    for (const tag of ['v1', 'v2', 'v3']) pushImage(source, 'team/app', sampleImage(), tag);
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([source.stop(), target?.stop()]);
    target = undefined;
  });

  function settle(createRepositories: object | undefined = { provider: 'ecr', region: 'eu-west-1' }): string {
    const file = join(folder, 'settings.json');
    const registries = {
      hub: { host: source.host, plainHttp: true },
      mirror: { host: target!.host, plainHttp: true, createRepositories },
    };
    const policies = [
      {
        id: 'all',
        name: 'all',
        source: { registry: 'hub', repositories: ['team/app'] },
        actions: [{ type: 'replicate', target_registry: 'mirror', target_repo: 'mirror/{repository.name}' }],
      },
    ];
    writeFileSync(file, JSON.stringify({ policy: { enabled: true, policies }, registries }));
    return file;
  }

  /** A sync as a worker does it, without Temporal, with its records. */
  async function sync() {
    const records: (AuditRecord & { before: number })[] = [];
    const images = openImages(await loadSettings(settle(), {}, folder), { env: {} });
    try {
      const context = await images.context();
      const journal = createSyncJournal({
        record: async (record) => {
          // Adopted, where it is there.
          if (records.every(({ decisionID }) => decisionID !== record.decisionID))
            records.push({ ...record, before: target!.content.repositories.size });
        },
        ...{ sync: 's', workflowId: 'w', actor: 'ann', revision: context.revision, isRepeated: false },
        nowMs: Date.now,
      });
      return { ...(await runSync(context, { journal })), records };
    } finally {
      await images.close();
    }
  }

  describe('in moto’s ECR', () => {
    const before = { ...process.env };
    let moto: AwsStandIn | undefined;
    let motoFolder: string;
    let ecr: ECRClient;
    beforeAll(async () => {
      motoFolder = mkdtempSync(join(tmpdir(), 'gate-moto-'));
      const started = await startMoto(motoFolder);
      if (typeof started === 'string') return console.warn(`Skipped moto: ${started}`);
      moto = started;
      // The SDK reads them from the process itself.
      Object.assign(process.env, started.env, { AWS_ENDPOINT_URL_ECR: started.env.AWS_ENDPOINT_URL_S3 });
      ecr = new ECRClient(ecrClientConfig({ region: 'eu-west-1' }));
    });
    afterAll(async () => {
      for (const variable of Object.keys(process.env)) if (!(variable in before)) delete process.env[variable];
      Object.assign(process.env, before);
      ecr?.destroy();
      await moto?.stop();
      rmSync(motoFolder, { recursive: true });
    });
    const exists = (name: string): Promise<boolean> =>
      ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [name] })).then(
        () => true,
        () => false,
      );
    const whereThere = (body: () => Promise<unknown>) => async () => void (moto === undefined || (await body()));

    it(
      'is created once that is recorded, and all images are copied; a dry run says so and creates nothing',
      whereThere(async () => {
        target = await startOciRegistry({ exists });
        const dry = await runCli(folder, ['images', 'sync', '--dry-run', '--settings', settle()]);
        expect(dry.stdout.match(/would copy 3 blobs \(.*\), would create the repository\n/g)).toHaveLength(3);
        expect(await exists('mirror/app')).toBe(false);

        const { totals, images, records } = await sync();
        expect(totals).toMatchObject({ tagsCopied: 3, errors: 0 });
        const targets = images.flatMap((image) => image.targets);
        expect(targets.some(({ createsRepository }) => createsRepository)).toBe(true);
        expect([...target.content.open('mirror/app').tags.keys()].sort()).toEqual(['v1', 'v2', 'v3']);
        const created = records.filter(({ details }) => details?.outcome === 'create-repository');
        expect(created).toMatchObject([
          { kind: 'decision', outcome: 'allow', subject: `${target.host}/mirror/app`, actor: 'ann', before: 0 },
        ]);

        const again = await runCli(folder, ['images', 'sync', '--dry-run', '--settings', settle()]);
        expect(again.stdout).toMatch(/^0 to copy .* 3 skipped/m);
      }),
    );

    it(
      'counts as created if someone else was first',
      whereThere(async () => {
        target = await startOciRegistry({ exists });
        await ecr.send(new CreateRepositoryCommand({ repositoryName: 'mirror/other' }));
        const images = openImages(await loadSettings(settle(), {}, folder), { env: {} });
        await images.registries.open(target.host).createRepository!('mirror/other');
        await images.close();
      }),
    );
  });

  describe('in an ECR that answers', () => {
    let ecr: EcrEndpoint;
    beforeEach(async () => {
      ecr = await startEcrEndpoint();
    });
    afterEach(() => ecr.stop());

    it.each([
      [1, 'AccessDeniedException', 'User: arn:aws:iam::1:user/x is not authorized to perform: ecr:CreateRepository'],
      // The SDK takes its name for one that passes, and asks again.
      [3, 'LimitExceededException', 'The limit of repositories is reached'],
      [1, 'InvalidParameterException', 'Invalid parameter at repositoryName'],
    ])('with %s × %s, it is an error with that reason, once for all images', async (requests, name, message) => {
      ecr.answer = { status: 400, body: { __type: name, message } };
      target = await startOciRegistry({ exists: () => Promise.resolve(false) });
      const { totals, images } = await sync();
      expect(totals).toMatchObject({ tagsCopied: 0, errors: 3 });
      for (const { errors } of images)
        expect(errors).toMatchObject([
          {
            code: 'ACTION_EXEC_ERROR',
            cause: `${target.host} has no repository mirror/app, and AWS did not create it: ${name}: ${message}`,
          },
        ]);
      expect(ecr.asked).toEqual(Array(requests).fill('CreateRepository'));
    });

    it('500, its registry counts as unavailable', async () => {
      ecr.answer = { status: 500, body: { __type: 'ServerException', message: 'sorry' } };
      target = await startOciRegistry({ exists: () => Promise.resolve(false) });
      const { images } = await sync();
      expect(images[0]!.errors).toMatchObject([{ code: 'REGISTRY_UNAVAILABLE', cause: /ServerException: sorry/ }]);
    });

    it('before the registry knows it, the upload is repeated', async () => {
      ecr.answer = { status: 200, body: { repository: { repositoryName: 'mirror/app' } } };
      let unknown = 0;
      target = await startOciRegistry({
        exists: () => Promise.resolve(ecr.asked.length > 0 && (unknown += 1) > 3),
      });
      const { totals } = await sync();
      expect(totals).toMatchObject({ tagsCopied: 3, errors: 0 });
      expect(ecr.asked).toHaveLength(1);
    });
  });

  it('is an error that names it unless the settings ask for its creation', async () => {
    target = await startOciRegistry({ exists: () => Promise.resolve(false) });
    const hosts = ['--plain-http', source.host, '--plain-http', target.host];
    const images = [`${source.host}/team/app:v1`, `${target.host}/mirror/app`];
    const { code, stderr } = await runCli(folder, ['images', 'copy', ...hosts, ...images]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `ACTION_EXEC_ERROR: ${target.host} has no repository mirror/app, and creates none by itself`,
    );
  });
});

describe('the host of an ECR registry', () => {
  it.each([
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['123456789012.dkr-ecr.ap-southeast-2.on.aws', 'ap-southeast-2'],
  ])('%s tells account and region', (host, region) => {
    expect(readEcrHost(host)).toEqual({ account: '123456789012', region });
  });

  it.each([
    'public.ecr.aws',
    '123.dkr.ecr.eu-west-1.amazonaws.com',
    'registry.example:5000',
    '123456789012.dkr.ecr.amazonaws.com',
  ])('%s tells nothing', (host) => {
    expect(readEcrHost(host)).toBeUndefined();
  });
});
