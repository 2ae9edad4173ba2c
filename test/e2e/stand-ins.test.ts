import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteItemCommand, DescribeTimeToLiveCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDynamoDbAuditStore } from '../../src/audit/stores/dynamodb/store';
import { setUpTable } from '../../src/audit/stores/dynamodb/table';
import { setUpBuckets } from '../../src/clients/set-up-buckets';
import { describeAuditStore } from '../../src/contracts/audit-store';
import { describeReleaseSource } from '../../src/contracts/release-source';
import { sourceOfObjects } from '../../src/contracts/source-of-objects';
import type { TestFramework } from '../../src/contracts/test-framework';
import { startLevelServer, type LevelServer } from '../../src/dev/level-server';
import { createGate } from '../../src/gate/create-gate';
import { dynamoDbClientConfig, s3ClientConfig } from '../../src/platform/aws/clients';
import type { ObjectStore } from '../../src/platform/objects/object-store';
import { createBucket } from '../../src/platform/objects/stores/create-bucket';
import { createS3Objects } from '../../src/platform/objects/stores/s3-objects';
import { loadSettings } from '../../src/settings/load-settings';
import { runCli } from '../cli/run-cli';
import { describeObjectStore } from '../platform/objects/object-store.contract';
import { quickRelease, ROOT } from '../support/gate-harness';
import { jestFramework } from '../support/jest-framework';
import { placeOf } from '../support/place-of';
import { startLocalStack, startMoto, type AwsStandIn } from '../support/python-servers';

const DAY_MS = 86_400_000;
const OTHER_DOMAINS = ['for rules', 'for plans', 'for images'];

/** Stand-ins for AWS, where this machine has the Python for them: the contracts of everything that is kept there. */
describe.each([
  // It answers in threads that look and write without a lock, so that of two writers at once both may win.
  { name: 'moto', start: startMoto, cannot: /one of many writers at once|two writers of one id at once/ },
  { name: 'LocalStack', start: startLocalStack, cannot: /^$/ },
])('on $name', ({ name, start, cannot }) => {
  const before = { ...process.env };
  let folder: string;
  let standIn: AwsStandIn | undefined;
  let s3: S3Client;
  let opened = 0;
  const access = () => ({ endpoint: standIn!.env.AWS_ENDPOINT_URL_S3, region: 'us-east-1', forcePathStyle: true });
  const dynamoDb = (): DynamoDBClient =>
    new DynamoDBClient(dynamoDbClientConfig({ endpoint: standIn!.env.AWS_ENDPOINT_URL_DYNAMODB, region: 'us-east-1' }));
  const objects = (): ObjectStore => createS3Objects(s3, { bucket: 'contract', prefix: `store-${(opened += 1)}/` });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-stand-in-'));
    const started = await start(folder);
    if (typeof started === 'string') return console.warn(`Skipped ${name}: ${started}`);
    standIn = started;
    // The SDK reads its credentials from the process itself.
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_EC2_METADATA_DISABLED } = started.env;
    Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_EC2_METADATA_DISABLED });
    process.env.AWS_CONFIG_FILE = process.env.AWS_SHARED_CREDENTIALS_FILE = join(folder, 'none');
    s3 = new S3Client(s3ClientConfig(access()));
    await createBucket('contract', access());
  });
  afterAll(async () => {
    s3?.destroy();
    await standIn?.stop();
    for (const variable of Object.keys(process.env)) if (!(variable in before)) delete process.env[variable];
    Object.assign(process.env, before);
    rmSync(folder, { recursive: true, force: true });
  });

  const whereThere = (body: () => Promise<unknown>) => async (): Promise<void> =>
    void (standIn === undefined || (await body()));
  const framework: TestFramework = {
    ...jestFramework,
    // Every request takes a stand-in long: the suites of the stores themselves run the contract for each domain.
    describe: (title, body) => (OTHER_DOMAINS.includes(title) ? undefined : describe(title, body)),
    it: (title, body) => (cannot.test(title) ? it.skip(title, body) : it(title, whereThere(body))),
    beforeAll: (body) => beforeAll(whereThere(body)),
    beforeEach: (body) => jestFramework.beforeEach(whereThere(body)),
    afterAll: (body) => afterAll(whereThere(body)),
  };

  describeObjectStore(async () => objects(), framework);

  describeReleaseSource(framework, `a bucket of ${name}`, () => sourceOfObjects(placeOf(objects())));

  describeAuditStore(framework, `DynamoDB of ${name}`, async () => {
    const table = 'contract';
    const client = dynamoDb();
    const bigFacts = objects();
    await setUpTable(client, table);
    const open = () =>
      createDynamoDbAuditStore({
        client: dynamoDb(),
        table,
        retentionMs: 400 * DAY_MS,
        bigFacts,
        nowMs: () => Date.parse('2026-11-02T00:00:00Z'),
        writeWithinMs: 60_000,
      });
    const [store, other] = [open(), open()];
    return {
      store,
      other,
      empty: async () => {
        for (let more = true; more;) {
          const { Items = [], LastEvaluatedKey } = await client.send(new ScanCommand({ TableName: table }));
          for (const { pk, sk } of Items)
            await client.send(new DeleteItemCommand({ TableName: table, Key: { pk: pk!, sk: sk! } }));
          more = LastEvaluatedKey !== undefined;
        }
      },
      close: async () => {
        await Promise.all([store.close(), other.close()]);
        client.destroy();
      },
    };
  });

  describe('the shipped settings', () => {
    let levels: LevelServer;
    beforeAll(async () => {
      levels = await startLevelServer();
      for (const [fact, value] of Object.entries({ pending_delta: 100, max_pending: 1500 }))
        levels.setMetric(fact, { value });
      levels.setMetric('region_health', { value: { eu: { status: 'green' } } });
    });
    afterAll(() => levels?.close());

    it('the shipped settings lead from nothing to a published release, a decision, its record and a roll back', () =>
      whereThere(async () => {
        const shipped = readFileSync(join(ROOT, 'configs', 'localstack.pkl'), 'utf8');
        const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_DYNAMODB } = standIn!.env;
        const [first, ...rest] = shipped.split('"http://127.0.0.1:4566"');
        writeFileSync(
          join(folder, 'settings.pkl'),
          `${first}"${AWS_ENDPOINT_URL_S3}"${rest.join(`"${AWS_ENDPOINT_URL_DYNAMODB}"`)}`,
        );
        const gate = async (code: number, ...args: string[]): Promise<string> => {
          const ran = await runCli(folder, [...args, '--settings', 'settings.pkl']);
          expect({ args, ...ran }).toMatchObject({ code });
          return ran.stdout;
        };
        const release = (version: string, maxPending: number): string => {
          const limits = { maxDelta: 500, maxPending };
          writeFileSync(join(folder, `${version}.json`), JSON.stringify(quickRelease(levels.url, { limits })));
          return `${version}.json`;
        };
        const publish = (code: number, version: string, config: string) =>
          gate(code, 'policy', 'publish', '--policy', join(ROOT, 'policy'), '--config', config, '--version', version);

        const loaded = await loadSettings('settings.pkl', process.env, folder);
        expect(await setUpBuckets(loaded)).toEqual([{ bucket: 'gate', created: true }]);
        expect(await setUpBuckets(loaded)).toEqual([{ bucket: 'gate', created: false }]);
        expect(JSON.parse(await gate(0, 'audit', 'setup', '-o', 'json'))).toMatchObject({ created: true });
        expect(JSON.parse(await gate(0, 'audit', 'setup', '-o', 'json'))).toMatchObject({ created: false });
        const { table } = loaded.settings.audit.store;
        const client = dynamoDb();
        const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: table }));
        expect(TimeToLiveDescription).toMatchObject({ AttributeName: 'expiresAt', TimeToLiveStatus: 'ENABLED' });

        await publish(0, 'v1', release('v1', 2000));
        await publish(2, 'v1', release('other', 1999));
        const quiet = { ...loaded, settings: { ...loaded.settings, logLevel: 'silent' as const } };
        const decided = async (): Promise<object> => {
          const library = await createGate(quiet, { env: {}, stdout: { write: () => true } });
          try {
            return (await library.decide({ deploymentId: 'firmware-1', stage: 'canary' })).record;
          } finally {
            await library.close();
          }
        };
        expect(await decided()).toMatchObject({ outcome: 'allow', manifestVersion: 'v1' });
        await publish(0, 'v2', release('v2', 1000));
        expect(await decided()).toMatchObject({ outcome: 'deny', manifestVersion: 'v2' });
        await gate(0, 'policy', 'rollback', '--by', 'ann');
        expect(await decided()).toMatchObject({ outcome: 'allow', manifestVersion: 'v1' });
        expect(await gate(0, 'policy', 'history')).toMatch(/v2[^]*v1/);
        const listed = await gate(0, 'audit', 'list', '--deployment', 'firmware-1', '--oldest-first', '-o', 'json');
        const records = JSON.parse(listed) as { outcome: string }[];
        expect(records.map(({ outcome }) => outcome)).toEqual(['allow', 'deny', 'allow']);
        const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
        for (const { expiresAt } of Items) expect(Number(expiresAt?.N) * 1000).toBeGreaterThan(Date.now());
        client.destroy();
      })());
  });
});
