import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CreateTableCommand, DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { setUpAuditStore } from '../../../src/audit/stores/set-up-audit-store';
import { auditSetupLines } from '../../../src/cli/audit/setup-text';
import { createServices } from '../../../src/gate/services';
import { loadSettings } from '../../../src/settings/load-settings';
import { startS3Server, type S3Server } from '../../../src/dev/s3-server';
import { createLogger } from '../../../src/platform/observability/logger';
import { aRecord } from '../../audit/a-record';
import { startDynamoDb, type TestDynamoDb } from '../../support/dynamodb';
import { startDynamoDbProxy } from '../../support/dynamodb-proxy';
import { startPostgres } from '../../support/postgres';
import { runCli } from '../run-cli';
import { knownResult } from '../known-result';

let server: TestDynamoDb;
let folder: string;
const before = { ...process.env };

/** A `gate` command under settings with this audit store. */
async function gate(store: object, ...args: string[]) {
  const file = join(folder, 'settings.json');
  writeFileSync(file, JSON.stringify({ audit: { store, stdout: false } }));
  // Without such a profile Temporal is not waited for.
  return runCli(folder, args, { GATE_SETTINGS: file, TEMPORAL_PROFILE: 'absent' });
}
const dynamoDb = (table: string, over: object = {}) => ({
  type: 'dynamodb',
  table,
  endpoint: server.endpoint,
  region: 'us-east-1',
  ...over,
});
const storeFinding = (stdout: string, wanted = 'audit store') =>
  knownResult<{ findings: { what: string }[] }>(stdout).findings.find(({ what }) => what === wanted);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gate-audit-setup-'));
  server = await startDynamoDb();
  // The SDK reads its credentials from the process itself.
  Object.assign(process.env, server.env);
  delete process.env.AWS_REGION;
  delete process.env.AWS_ENDPOINT_URL_DYNAMODB;
  process.env.AWS_CONFIG_FILE = process.env.AWS_SHARED_CREDENTIALS_FILE = join(folder, 'none');
});
afterAll(async () => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('gate audit setup', () => {
  it('gate audit setup creates the table and says what it did, then finds it as it should be', async () => {
    const first = await gate(dynamoDb('one'), 'audit', 'setup');
    expect(first).toEqual({
      code: 0,
      stderr: '',
      stdout: `Audit store: DynamoDB table one in us-east-1 at ${server.endpoint}
  table and indexes were created and are active
  TTL is not supported by this server: items stay until somebody deletes them (DynamoDB itself supports it)
  records are kept 400d
`,
    });
    const second = await gate(dynamoDb('one'), 'audit', 'setup', '-o', 'json');
    expect(second.code).toBe(0);
    expect(JSON.parse(second.stdout)).toEqual({
      store: 'dynamodb',
      table: 'one',
      region: 'us-east-1',
      endpoint: server.endpoint,
      created: false,
      ttl: 'unsupported',
      retention: '400d',
    });
  });

  it('gate audit setup says every difference of another table, and exits with 2', async () => {
    const client = server.client();
    await client.send(
      new CreateTableCommand({
        TableName: 'theirs',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    );
    const { code, stderr } = await gate(dynamoDb('theirs'), 'audit', 'setup');
    expect(code).toBe(2);
    for (const said of ['to have the keys pk (HASH), sk (RANGE), got id (HASH)', 'index byDeployment', 'index byDay']) {
      expect(stderr).toContain(said);
    }
    const doctor = await gate(dynamoDb('theirs'), 'doctor', '-o', 'json');
    expect(storeFinding(doctor.stdout)).toMatchObject({
      state: 'missing',
      found: expect.stringContaining('Expected the table to have the index byDay, got none'),
    });
    await client.send(new DeleteTableCommand({ TableName: 'theirs' }));
    client.destroy();
  });

  it('gate audit setup says how to name a region where there is none', async () => {
    const { code, stderr } = await gate(dynamoDb('one', { region: undefined }), 'audit', 'setup');
    expect(code).toBe(2);
    expect(stderr).toContain('Expected a region for DynamoDB in audit.store.region, AWS_REGION or the AWS profile');
  });

  it('gate audit setup says where nothing is to be set up', async () => {
    const embedded = await gate({ folder: join(folder, 'store') }, 'audit', 'setup');
    expect(embedded).toMatchObject({ code: 0, stdout: expect.stringContaining('there is nothing to set up') });
    const none = await gate({ type: 'none' }, 'audit', 'setup');
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'Expected audit.store.type to be postgres or dynamodb for this command, got none',
      ),
    });
  });

  it('gate setup says what it means to have no audit store', async () => {
    const file = join(folder, 'none.json');
    writeFileSync(file, JSON.stringify({ audit: { store: { type: 'none' } } }));
    const setup = await setUpAuditStore(await loadSettings(file, {}, folder), {});
    expect(setup).toEqual({ store: 'none' });
    expect(auditSetupLines(setup)).toEqual([
      'Audit store: none is configured; copies go to stdout alone, and nothing can be adopted after a crash',
    ]);
  });

  it('gate audit setup brings PostgreSQL to the newest schema', async () => {
    const postgres = await startPostgres();
    const url = await postgres.database('setup');
    const { code, stdout } = await gate({ url }, 'audit', 'setup');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Audit store: PostgreSQL at 127.0.0.1:${postgres.port}/setup has the newest schema\n`,
    });
    await postgres.close();
  });
});

describe('with DynamoDB as the store of record', () => {
  it('with DynamoDB as the store of record, services record, and gate audit list and show find it', async () => {
    const settings = dynamoDb('record');
    expect(await gate(settings, 'audit', 'setup')).toMatchObject({ code: 0 });
    const services = await createServices(await loadSettings(join(folder, 'settings.json'), {}, folder), {
      env: {},
      logger: createLogger({ level: 'silent', format: 'json' }),
    });
    const record = aRecord({ timestamp: new Date().toISOString() });
    expect(await services.audit.record(record)).toEqual(record);
    expect(services).toMatchObject({ store: { name: 'dynamodb' } });
    expect(services.database).toBeUndefined();
    await services.close();
    const listed = await gate(settings, 'audit', 'list', '-o', 'json');
    expect(JSON.parse(listed.stdout)).toEqual([record]);
    const shown = await gate(settings, 'audit', 'show', record.decisionID, '-o', 'json');
    expect(JSON.parse(shown.stdout)).toEqual(record);
  });

  it('a place for big facts is opened where the settings name one', async () => {
    const bigFacts = {
      bucket: 'facts-of-records',
      prefix: '/audit//',
      s3: { endpoint: 'http://127.0.0.1:1', region: 'us-east-1' },
    };
    const settings = dynamoDb('record', { bigFacts });
    writeFileSync(join(folder, 'settings.json'), JSON.stringify({ audit: { store: settings, stdout: false } }));
    const { openAuditStore } = await import('../../../src/audit/stores/open-audit-store.js');
    const opened = await openAuditStore(await loadSettings(join(folder, 'settings.json'), {}, folder), {});
    const record = aRecord({ reason: 'x', deployment: { list: 'y'.repeat(500_000) } });
    await expect(opened?.store.record(record)).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: expect.stringContaining('s3://facts-of-records/audit/'),
    });
    await opened?.store.close();
  });
});

describe('gate doctor', () => {
  const finding = async (store: object) => storeFinding((await gate(store, 'doctor', '-o', 'json')).stdout);

  it('gate doctor finds a table that is as it should be, and one that is missing', async () => {
    await gate(dynamoDb('healthy'), 'audit', 'setup');
    expect(await finding(dynamoDb('healthy'))).toMatchObject({
      state: 'note',
      found: 'DynamoDB table healthy in us-east-1, TTL is off',
    });
    expect(await finding(dynamoDb('nowhere'))).toEqual({
      state: 'missing',
      what: 'audit store',
      found: 'DynamoDB table nowhere in us-east-1 does not exist',
      advice: 'gate audit setup creates it',
    });
  });

  it.each([
    [{ TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' }, 'ok', 'TTL on expiresAt'],
    [{ TimeToLiveStatus: 'DISABLING', AttributeName: 'expiresAt' }, 'note', 'TTL is being switched off'],
    [{ TimeToLiveStatus: 'ENABLED', AttributeName: 'gone' }, 'note', 'TTL goes by another attribute'],
  ])('gate doctor says what becomes of records under %j', async (TimeToLiveDescription, state, said) => {
    const proxy = await startDynamoDbProxy(server.port);
    proxy.rewrite('DescribeTimeToLive', () => ({ TimeToLiveDescription }));
    expect(await finding(dynamoDb('healthy', { endpoint: proxy.url }))).toMatchObject({
      state,
      found: expect.stringContaining(said),
    });
    await proxy.close();
  });

  it('gate doctor says so when DynamoDB does not answer', async () => {
    expect(await finding(dynamoDb('healthy', { endpoint: 'http://127.0.0.1:1' }))).toMatchObject({
      state: 'missing',
      found: expect.stringContaining('refuses connections: nothing listens there'),
    });
  });

  describe('of the place for big facts', () => {
    let s3: S3Server;
    let denying: Server;
    const bigFacts = async (place?: { bucket: string; endpoint: string }) => {
      const s3 = { endpoint: place?.endpoint, region: 'us-east-1', forcePathStyle: true };
      const over = place === undefined ? {} : { bigFacts: { bucket: place.bucket, s3 } };
      return storeFinding((await gate(dynamoDb('healthy', over), 'doctor', '-o', 'json')).stdout, 'big facts');
    };
    beforeAll(async () => {
      s3 = await startS3Server({ folder: join(folder, 's3'), logFile: join(folder, 's3.log'), buckets: ['facts'] });
      denying = createServer((_request, response) => {
        response.writeHead(403, { 'content-type': 'application/xml' });
        response.end('<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>');
      }).listen(0, '127.0.0.1');
      await once(denying, 'listening');
    });
    afterAll(async () => {
      denying?.closeAllConnections();
      denying?.close();
      await s3?.stop();
    });

    it('gate doctor says that there is no place for big facts, and what becomes of a record that needs it', async () => {
      expect(await bigFacts()).toMatchObject({ state: 'note', found: 'no place is configured' });
      const postgres = await gate({ type: 'postgres', folder: join(folder, 'none') }, 'doctor', '-o', 'json');
      expect(storeFinding(postgres.stdout, 'big facts')).toBeUndefined();
    });

    it('gate doctor finds a place for big facts that answers, and leaves nothing there', async () => {
      const found = await bigFacts({ bucket: 'facts', endpoint: s3.endpoint });
      expect(found).toEqual({ state: 'ok', what: 'big facts', found: 's3://facts/audit-facts/' });
      expect(readdirSync(join(folder, 's3'), { recursive: true }).join()).not.toContain('gate-doctor');
    });

    it('gate doctor says what is wrong with a place for big facts that does not answer', async () => {
      expect(await bigFacts({ bucket: 'nowhere', endpoint: s3.endpoint })).toMatchObject({
        state: 'missing',
        found: expect.stringContaining('s3://nowhere/audit-facts/gate-doctor: NoSuchBucket'),
      });
      expect(await bigFacts({ bucket: 'facts', endpoint: 'http://127.0.0.1:1' })).toMatchObject({
        state: 'missing',
        found: expect.stringContaining('ECONNREFUSED'),
      });
    });

    it('gate doctor cannot judge a place for big facts that says nothing of absent objects', async () => {
      const { port } = denying.address() as AddressInfo;
      expect(await bigFacts({ bucket: 'facts', endpoint: `http://127.0.0.1:${port}` })).toMatchObject({
        state: 'note',
        found: expect.stringContaining('AccessDenied'),
        advice: expect.stringContaining('when the caller may not list the bucket'),
      });
    });
  });
});
