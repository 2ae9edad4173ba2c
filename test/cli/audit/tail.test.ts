import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditStore } from '../../../src/audit/audit-record';
import { createDynamoDbAuditStore } from '../../../src/audit/stores/dynamodb/store';
import { setUpTable } from '../../../src/audit/stores/dynamodb/table';
import { createPostgresAuditStore } from '../../../src/audit/stores/postgres/store';
import { run } from '../../../src/cli/run';
import { openAuditDatabase } from '../../../src/audit/stores/postgres/open-audit-database';
import { aRecord } from '../../audit/a-record';
import { startDynamoDb, type TestDynamoDb } from '../../support/dynamodb';
import { startDynamoDbProxy, type DynamoDbProxy } from '../../support/dynamodb-proxy';
import { eventually } from '../../support/eventually';
import { runCli } from '../run-cli';

const TABLE = 'tail';
let folder: string;
let server: TestDynamoDb;
let proxy: DynamoDbProxy;
let store: AuditStore;
const environment = { ...process.env };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gate-tail-'));
  server = await startDynamoDb();
  proxy = await startDynamoDbProxy(server.port);
  const client = server.client();
  await setUpTable(client, TABLE);
  store = createDynamoDbAuditStore({ client, table: TABLE, retentionMs: 86_400_000 });
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'local' });
  const dynamodb = { type: 'dynamodb', table: TABLE, endpoint: proxy.url, region: 'local' };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify({ audit: { store: dynamodb } }));
});
afterAll(async () => {
  process.env = environment;
  await store?.close();
  await proxy?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

let stop: AbortController | undefined;
afterEach(() => stop?.abort());

/** `gate audit tail` in this process, until it is stopped. */
function startTail(...args: string[]) {
  const ending = (stop = new AbortController());
  const printed = { stdout: '', stderr: '' };
  const code = run(['audit', 'tail', ...args], {
    stdout: { write: (text: string) => (printed.stdout += text) },
    stderr: { write: (text: string) => (printed.stderr += text) },
    env: { ...process.env, GATE_SETTINGS: join(folder, 'settings.json') },
    cwd: folder,
    signal: ending.signal,
  });
  return { printed, code, stop: () => ending.abort() };
}
const record = (decisionID: string) => store.record(aRecord({ decisionID, timestamp: new Date().toISOString() }));
const rowsOf = (stdout: string) => stdout.trimEnd().split('\n');

describe('gate audit tail', () => {
  it('gate audit tail prints the newest and what comes, once each, over an outage, until it is stopped', async () => {
    for (const id of ['aaaaaaaa', 'bbbbbbbb', 'cccccccc']) await record(id);
    const tail = startTail('-n', '2');
    await eventually('the newest two', () => rowsOf(tail.printed.stdout).length === 3);
    await record('dddddddd');
    await eventually('the one that came', () => tail.printed.stdout.includes('dddddddd'));
    proxy.behave('failing');
    await eventually('the outage', () => tail.printed.stderr !== '');
    await record('eeeeeeee');
    proxy.behave('well');
    await eventually('the one that came meanwhile', () => tail.printed.stdout.includes('eeeeeeee'));
    tail.stop();
    expect(await tail.code).toBe(0);

    const [head, ...rows] = rowsOf(tail.printed.stdout);
    expect(head?.split(/ +/)).toEqual(['TIME', 'DEPLOYMENT', 'STAGE', 'KIND', 'OUTCOME', 'ACTOR', 'ID', 'WHY']);
    expect(rows.map((row) => /[b-e]{8}/.exec(row)?.[0])).toEqual(['bbbbbbbb', 'cccccccc', 'dddddddd', 'eeeeeeee']);
    expect(rowsOf(tail.printed.stderr)).toEqual([
      expect.stringMatching(/^Cannot read the audit log: DynamoDB table tail failed .*; asking again$/),
      'the audit log can be read again',
    ]);
  });

  it('gate audit tail ends by itself after --for, and filters', async () => {
    await record('ffffffff');
    const settings = { GATE_SETTINGS: join(folder, 'settings.json') };
    const other = await runCli(
      folder,
      ['audit', 'tail', '--for', '10ms', '--outcome', 'allow', '-o', 'jsonl'],
      settings,
    );
    expect(other).toEqual({ code: 0, stdout: '', stderr: '' });
    const { stdout } = await runCli(folder, ['audit', 'tail', '--for', '10ms', '-n', '1', '-o', 'jsonl'], settings);
    expect(JSON.parse(stdout)).toMatchObject({ decisionID: 'ffffffff' });
  });

  it.each([
    [['-n', '-1'], 'Expected a whole number from 1 to 10000'],
    [['--for', 'ever'], 'ever'],
    [['--outcome', 'maybe'], 'Expected outcome to be one of allow, deny, error, got "maybe"'],
  ])('gate audit tail refuses %j', async (args, said) => {
    const { code, stdout, stderr } = await runCli(folder, ['audit', 'tail', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(said);
  });

  it('gate audit tail does not hold an embedded store that a worker may want', async () => {
    const own = mkdtempSync(join(folder, 'own-'));
    mkdirSync(join(own, 'store'));
    const settings = join(own, 'settings.json');
    writeFileSync(settings, JSON.stringify({ audit: { store: { folder: join(own, 'store') } } }));
    const embedded = async () => createPostgresAuditStore(await openAuditDatabase({ folder: join(own, 'store') }));
    const first = await embedded();
    await first.record(aRecord({ decisionID: '11111111' }));
    await first.close();

    const tail = startTail('--settings', settings);
    await eventually('the one record', () => tail.printed.stdout.includes('11111111'));
    const worker = await eventually('the store', embedded);
    await worker.close();
    tail.stop();
    expect(await tail.code).toBe(0);
  });
});
