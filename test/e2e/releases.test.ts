import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScanCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { HealthRelease, Readiness } from '../../src/releases/release-health';
import type { AuditRecord, GateRecord } from '../../src/audit/audit-record';
import type { ShownStatus } from '../support/shown-status';
import type { NodeChild } from '../../src/dev/child-process';
import { startS3Server, type S3Server } from '../../src/dev/s3-server';
import { openObjectStore } from '../../src/platform/objects/stores/open-object-store';
import { startDynamoDb, type TestDynamoDb } from '../support/dynamodb';
import { startDynamoDbProxy, type DynamoDbProxy } from '../support/dynamodb-proxy';
import { eventually } from '../support/eventually';
import {
  FACT_TIMEOUT_MS,
  type GateHarness,
  OPERATOR,
  quickRelease,
  ROOT,
  SHORT_STEPS,
  startGateHarness,
  WAIT,
} from '../support/gate-harness';
import { metricSum } from '../support/metric-sum';
import { startS3Proxy, type S3Proxy } from '../support/s3-proxy';

const MANIFEST = 's3://gate/releases/latest.json';
const TABLE = 'Decisions';
const RETENTION_S = 90 * 86_400;
const SHIPPED = join(ROOT, 'policy');

/** Releases from a real S3 server, records in DynamoDB (dynalite), a worker of its own process, the shipped policy. */
describe('a gate on S3 and DynamoDB', () => {
  const environment = { ...process.env };
  let folder: string;
  let s3: S3Server;
  let s3Proxy: S3Proxy;
  let dynamoDb: TestDynamoDb;
  let dynamoDbProxy: DynamoDbProxy;
  let client: DynamoDBClient;
  let gate: GateHarness;
  let worker: NodeChild;
  let id: string;
  let published = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-aws-'));
    [s3, dynamoDb] = await Promise.all([
      startS3Server({ folder, logFile: join(folder, 's3.log'), buckets: ['gate'] }),
      startDynamoDb(),
    ]);
    [s3Proxy, dynamoDbProxy] = await Promise.all([startS3Proxy(s3.port), startDynamoDbProxy(dynamoDb.port)]);
    // The SDK's usual place for credentials, of this process and of the worker's; where the servers are, the settings say.
    Object.assign(process.env, s3.env);
    for (const name of ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL_DYNAMODB'])
      delete process.env[name];
    client = dynamoDb.client();
    gate = await startGateHarness({
      release: SHORT_STEPS,
      factTimeoutMs: FACT_TIMEOUT_MS,
      settings: {
        release: {
          manifest: MANIFEST,
          refreshInterval: '300ms',
          s3: { endpoint: s3Proxy.url, forcePathStyle: true },
          cacheFolder: join(folder, 'cache'),
        },
        audit: {
          store: { type: 'dynamodb', table: TABLE, endpoint: dynamoDbProxy.url, region: s3.region, retention: '90d' },
          stdout: false,
        },
      },
    });
    expect(await gate.cli('audit', 'setup')).toMatchObject({ code: 0 });
    await publish('--policy', SHIPPED, '--config', 'release.json');
    worker = await gate.spawnWorker();
    await inForce('v1');
  });
  afterAll(async () => {
    await gate?.stop();
    client?.destroy();
    await dynamoDbProxy?.close();
    await s3Proxy?.close();
    await dynamoDb?.close();
    await s3?.stop();
    process.env = environment;
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    id = `d-${randomUUID()}`;
    s3Proxy.behave('well');
    dynamoDbProxy.behave('well');
    gate.heal();
  });
  afterEach(async () => {
    // Whatever happened: each record is there once, and goes when its retention is over.
    const { Items = [] } = await client.send(new ScanCommand({ TableName: TABLE, ConsistentRead: true }));
    expect(Items.length).toBeGreaterThan(0);
    for (const { sk, expiresAt } of Items) {
      const time = String(sk?.S).slice(0, 24);
      expect({ sk: sk?.S, expiresAt: expiresAt?.N }).toEqual({
        sk: sk?.S,
        expiresAt: String(Math.floor(Date.parse(time) / 1000) + RETENTION_S),
      });
    }
    const ids = Items.map(({ decisionID }) => decisionID?.S);
    expect(new Set(ids).size).toBe(ids.length);
  });

  /** Publishes the next version, v1, v2, …, and gives its name. */
  async function publish(...what: string[]): Promise<string> {
    published += 1;
    const version = `v${published}`;
    const result = await gate.cli('policy', 'publish', '--version', version, '--by', 'ada', ...what);
    expect(result).toMatchObject({ code: 0 });
    return version;
  }
  const patch = () => ({
    type: 'http',
    method: 'PATCH',
    url: `${gate.levels.url}/devices`,
    body: { target: 5 },
    expect: 202,
  });
  const deploy = (...args: string[]) =>
    gate.cli('deploy', '-f', gate.deployment(id, [{ name: 'canary', action: patch() }]), ...args);
  const deployAndWait = () => deploy(...WAIT);
  const acted = (): number => gate.levels.requests().byIdempotencyKey[`${id}/canary`] ?? 0;
  const http = (path: string) => fetch(`${String(worker.ready.http)}${path}`);
  const healthz = async () => (await (await http('/healthz')).json()) as HealthRelease;
  const readyz = async () => (await (await http('/readyz')).json()) as Readiness;
  const metric = async (name: string, labels: Record<string, string> = {}) =>
    metricSum(await (await http('/metrics')).text(), name, labels);
  const inForce = (version: string) =>
    eventually(`${version} in force`, async () => (await healthz()).manifestVersion === version);
  const written = () => metric('gate_audit_writes_total', { sink: 'dynamodb' });
  /** Health, readiness and metrics name the same release, and this is the one. */
  const serves = async (release: { manifestVersion?: string; policySHA?: string; configRev?: string }) => {
    const { policySHA, configRev, manifestVersion } = release;
    expect(await healthz()).toMatchObject({ policySHA, configRev, manifestVersion });
    expect(await readyz()).toMatchObject({ status: 'ready', policySHA, configRev, manifestVersion });
    const labels = {
      policy_sha: policySHA ?? '',
      config_rev: configRev ?? '',
      manifest_version: manifestVersion ?? '',
    };
    expect(await metric('gate_release_info', labels)).toBe(1);
    expect(await metric('gate_release_info')).toBe(1);
  };
  const records = () => gate.json<AuditRecord[]>('audit', 'list', '--deployment', id, '--oldest-first');
  const decisions = async () => (await records()).filter(({ kind }) => kind === 'decision');
  const recovered = () =>
    eventually('recovery', async () => (await gate.json<ShownStatus>('status', id)).pause?.recovered);

  it('an allowed deployment acts once, and record, health and metrics name the release', async () => {
    const [allowed, writes] = [await metric('gate_decisions_total', { outcome: 'allow' }), await written()];
    expect(await deployAndWait()).toMatchObject({ code: 0, stdout: expect.stringContaining('canary: done (allow)') });
    expect(acted()).toBe(1);
    const [record, ...others] = await records();
    expect(others.map(({ kind }) => kind)).toEqual(['acted', 'ended']);
    expect(record).toMatchObject({ kind: 'decision', outcome: 'allow', manifestVersion: 'v1' });
    await serves(record!);
    expect(await metric('gate_decisions_total', { outcome: 'allow' })).toBe(allowed + 1);
    expect(await written()).toBe(writes + 3);
  });

  it('a denied deployment does not act, and status, record and metrics name the reason', async () => {
    gate.levels.setMetric('max_pending', { value: 3100 });
    const [denied, coded, writes] = [
      await metric('gate_decisions_total', { outcome: 'deny' }),
      await metric('gate_deny_reasons_total', { code: 'max_pending_limit_exceeded' }),
      await written(),
    ];
    const reason = 'max_pending limit exceeded: current 3100 > configured 2000';
    expect(await deployAndWait()).toMatchObject({ code: 1, stdout: expect.stringContaining(reason) });
    expect(acted()).toBe(0);
    expect(await decisions()).toMatchObject([{ outcome: 'deny', reasons: [reason] }]);
    const ofReason = await gate.json<GateRecord[]>('audit', 'list', '--reason', 'max_pending_limit_exceeded');
    expect(ofReason.map(({ deploymentID }) => deploymentID)).toContain(id);
    expect(await metric('gate_decisions_total', { outcome: 'deny' })).toBe(denied + 1);
    expect(await metric('gate_deny_reasons_total', { code: 'max_pending_limit_exceeded' })).toBe(coded + 1);
    // the decision, and the end
    expect(await written()).toBe(writes + 2);
    await serves((await decisions())[0]!);
  });

  it.each([
    ['a source of facts fails', { behaviour: { status: 503 } }, '503'],
    ['a source of facts hangs', { behaviour: 'hang' as const }, `did not answer within ${FACT_TIMEOUT_MS} ms`],
  ])(
    'when %s, the deployment pauses and alerts, and continues when an operator resumes it',
    async (_what, level, told) => {
      const reason = 'FactSourceUnavailable';
      const [pauses, alerts, undecided, writes] = [
        await metric('gate_pauses_total', { reason }),
        await metric('gate_alerts_total', { result: 'sent' }),
        await metric('gate_decisions_total', { outcome: 'error' }),
        await written(),
      ];
      gate.levels.setMetric('pending_delta', level);
      expect(await deployAndWait()).toMatchObject({ code: 3, stdout: expect.stringContaining(reason) });
      await eventually('the alert', () => JSON.stringify(gate.alerts.received).includes(id));
      expect(acted()).toBe(0);
      // People are told side by side with the record of the pause, and each is counted when it was answered.
      await eventually('both to be counted', async () => {
        const paused = await metric('gate_pauses_total', { reason });
        return paused > pauses && (await metric('gate_alerts_total', { result: 'sent' })) > alerts;
      });
      expect(await metric('gate_pauses_total', { reason })).toBe(pauses + 1);
      expect(await metric('gate_errors_total', { area: 'facts', type: reason })).toBeGreaterThan(0);
      const [failed] = await decisions();
      expect(failed).toMatchObject({ outcome: 'error', errorDetails: [{ type: reason }] });
      expect(failed?.errorDetails[0]?.message).toContain(told);
      await serves(failed!);

      gate.heal();
      await resumed();
      const stored = await records();
      expect(await written()).toBe(writes + stored.length);
      expect(await metric('gate_decisions_total', { outcome: 'error' })).toBe(
        undecided + stored.filter(({ outcome }) => outcome === 'error').length,
      );
      const acts = stored.map(({ kind }) => kind).filter((kind) => kind !== 'decision' && kind !== 'recheck');
      expect(acts).toEqual(['pause', 'resume', 'resolved', 'acted', 'ended']);
      expect(stored.filter(({ kind }) => kind === 'decision').at(-1)?.outcome).toBe('allow');
    },
  );

  it('the worker swaps configuration and policy without a restart, and a broken release changes nothing', async () => {
    gate.levels.setMetric('max_pending', { value: 1500 });
    const before = await healthz();
    writeFileSync(
      join(gate.folder, 'strict.json'),
      JSON.stringify(quickRelease(gate.levels.url, { ...SHORT_STEPS, limits: { maxDelta: 500, maxPending: 1000 } })),
    );
    const strict = await publish('--config', 'strict.json');
    await inForce(strict);
    expect(await healthz()).toMatchObject({ policySHA: before.policySHA, manifestVersion: strict });
    expect((await healthz()).configRev).not.toBe(before.configRev);
    expect(await deployAndWait()).toMatchObject({ code: 1 });
    expect(await decisions()).toMatchObject([
      { manifestVersion: strict, reasons: ['max_pending limit exceeded: current 1500 > configured 1000'] },
    ]);

    const reworded = join(folder, 'reworded');
    cpSync(SHIPPED, reworded, { recursive: true });
    for (const name of ['gate.rego', 'gate_test.rego']) {
      const text = readFileSync(join(reworded, name), 'utf8');
      writeFileSync(
        join(reworded, name),
        text.replaceAll('max_pending limit exceeded', 'max_pending limit far exceeded'),
      );
    }
    const { configRev } = await healthz();
    const worded = await publish('--policy', reworded);
    await inForce(worded);
    expect((await healthz()).configRev).toBe(configRev);
    id = `d-${randomUUID()}`;
    expect(await deployAndWait()).toMatchObject({ code: 1 });
    expect(await decisions()).toMatchObject([
      { manifestVersion: worded, reasons: ['max_pending limit far exceeded: current 1500 > configured 1000'] },
    ]);

    const refused = await metric('gate_release_reloads_total', { result: 'refused' });
    const alerts = gate.alerts.received.length;
    const { store } = await openObjectStore(MANIFEST, { endpoint: s3.endpoint, forcePathStyle: true });
    const manifest = JSON.parse(new TextDecoder().decode((await store.get('latest.json'))!.bytes)) as object;
    await store.put('broken.tar.gz', new TextEncoder().encode('no bundle'));
    const broken = { ...manifest, policy: 'broken.tar.gz', policySHA256: '0'.repeat(64), version: 'broken' };
    await store.put('latest.json', new TextEncoder().encode(JSON.stringify(broken)));
    const { lastError } = await eventually('the refusal', async () => {
      const ready = await readyz();
      return ready.lastError !== undefined && ready;
    });
    expect(lastError).toContain('broken.tar.gz');
    expect(await readyz()).toMatchObject({ status: 'ready', manifestVersion: worded });
    await eventually('the alert', () => JSON.stringify(gate.alerts.received.slice(alerts)).includes('ReleaseRefused'));
    expect(await metric('gate_release_reloads_total', { result: 'refused' })).toBe(refused + 1);
    id = `d-${randomUUID()}`;
    expect(await deployAndWait()).toMatchObject({ code: 1 });
    expect((await decisions())[0]?.manifestVersion).toBe(worded);
    const told = gate.alerts.received
      .slice(alerts)
      .filter(({ body }) => JSON.stringify(body).includes('ReleaseRefused'));
    expect(told).toHaveLength(1);

    expect(await gate.cli('policy', 'rollback', '--version', 'v1', '--by', 'ann')).toMatchObject({ code: 0 });
    await inForce('v1');
    id = `d-${randomUUID()}`;
    expect(await deployAndWait()).toMatchObject({ code: 0 });
    expect((await readyz()).lastError).toBeUndefined();
  });

  it('a worker killed between evaluation and record: the decision is recorded once, before the action', async () => {
    dynamoDbProxy.behave('hanging');
    dynamoDbProxy.asked.length = 0;
    await deploy();
    await eventually('the attempt to record', () => dynamoDbProxy.asked.includes('PutItem'));
    await worker.kill();
    expect(acted()).toBe(0);
    expect((await standing()).length).toBe(0);
    dynamoDbProxy.behave('well');
    worker = await gate.spawnWorker();
    await gate.reaches(id, 'done');
    expect((await decisions()).map(({ outcome }) => outcome)).toEqual(['allow']);
    expect(acted()).toBe(1);
    expect(await written()).toBe((await records()).length);
    await serves((await decisions())[0]!);
  });

  it('a worker killed after a write whose answer was lost: the record is adopted, and the action done once', async () => {
    dynamoDbProxy.behave('losing answers');
    await deploy();
    await eventually('the record', async () => (await standing()).length > 0);
    await worker.kill();
    expect(acted()).toBe(0);
    const found = await standing();
    expect(found).toHaveLength(1);
    dynamoDbProxy.behave('well');
    worker = await gate.spawnWorker();
    await gate.reaches(id, 'done');
    expect((await decisions()).map(({ decisionID }) => decisionID)).toEqual(found);
    expect(acted()).toBe(1);
  });

  it('a worker killed between record and action: the action is done once, on the recorded decision', async () => {
    const writes = await written();
    // The record can be written; the action cannot begin, because its lease cannot be confirmed.
    s3Proxy.behave('hanging');
    await deploy();
    await eventually('the record', async () => (await written()) > writes);
    await worker.kill();
    expect(acted()).toBe(0);
    const found = await standing();
    expect(found).toHaveLength(1);
    s3Proxy.behave('well');
    worker = await gate.spawnWorker();
    await gate.reaches(id, 'done');
    expect((await decisions()).map(({ decisionID }) => decisionID)).toEqual(found);
    expect(acted()).toBe(1);
    await serves((await decisions())[0]!);
  });

  it('a deployment does not act while DynamoDB is down: it pauses on AuditWriteFailed, alerts, and resumes by itself', async () => {
    const [failed, writes, pauses] = [
      await metric('gate_audit_write_failures_total', { sink: 'dynamodb' }),
      await written(),
      await metric('gate_pauses_total', { reason: 'AuditWriteFailed' }),
    ];
    dynamoDbProxy.behave('failing');
    await deploy();
    await gate.pausedOn(id, 'AuditWriteFailed');
    await eventually('the alert', () => JSON.stringify(gate.alerts.received).includes(id));
    expect(acted()).toBe(0);
    expect(await metric('gate_audit_write_failures_total', { sink: 'dynamodb' })).toBeGreaterThan(failed);
    expect(await written()).toBe(writes);
    expect((await readyz()).status).toBe('ready');
    dynamoDbProxy.behave('well');
    await gate.reaches(id, 'done');
    // counted with its record, which the store takes now
    expect(await metric('gate_pauses_total', { reason: 'AuditWriteFailed' })).toBe(pauses + 1);
    expect(acted()).toBe(1);
    const stored = await records();
    expect(stored.map(({ kind }) => kind).sort()).toEqual(['acted', 'decision', 'ended', 'pause', 'resolved']);
    expect(await written()).toBe(writes + stored.length);
    await serves((await decisions())[0]!);
  });

  it.each(['half a body', 'hanging', 'throttling'] as const)(
    'while S3 answers by %s, the release in force stays; the next one is taken when S3 is well again',
    async (behaviour) => {
      const { manifestVersion } = await healthz();
      const direct = { endpoint: s3.endpoint, forcePathStyle: true };
      const { store } = await openObjectStore(MANIFEST, direct);
      const manifest = JSON.parse(new TextDecoder().decode((await store.get('latest.json'))!.bytes)) as object;
      const next = `${manifestVersion}+${behaviour.slice(0, 4)}`;
      s3Proxy.behave(behaviour);
      await store.put('latest.json', new TextEncoder().encode(JSON.stringify({ ...manifest, version: next })));
      await eventually('an unavailable source', async () => (await readyz()).lastError !== undefined);
      expect(await readyz()).toMatchObject({ status: 'ready', manifestVersion });
      s3Proxy.behave('well');
      await inForce(next);
      expect((await readyz()).lastError).toBeUndefined();
    },
  );

  it('a deployment decides and records while S3 is down, but acts only after S3 has confirmed the release', async () => {
    const release = await healthz();
    const pauses = await metric('gate_pauses_total', { reason: 'PolicyUnavailable' });
    s3Proxy.behave('resetting');
    await deploy();
    await gate.pausedOn(id, 'PolicyUnavailable');
    await eventually('the alert', () => JSON.stringify(gate.alerts.received).includes(id));
    expect((await decisions())[0]).toMatchObject({
      outcome: 'allow',
      manifestVersion: release.manifestVersion,
      policySHA: release.policySHA,
    });
    expect(acted()).toBe(0);
    expect(await metric('gate_pauses_total', { reason: 'PolicyUnavailable' })).toBe(pauses + 1);
    await serves(release);
    expect((await readyz()).lastError).toContain('latest.json');
    s3Proxy.behave('well');
    await resumed();
    expect((await readyz()).lastError).toBeUndefined();
  });

  it('a worker started while S3 is down decides on its copy on disk, says so, and acts after S3 has confirmed it', async () => {
    const release = await healthz();
    s3Proxy.behave('resetting');
    await worker.kill();
    worker = await gate.spawnWorker();
    await eventually('the copy', async () => (await healthz()).fromCache);
    expect((await readyz()).fromCache).toBe(true);
    await serves(release);
    expect(await metric('gate_release_from_cache')).toBe(1);
    await deploy();
    await gate.pausedOn(id, 'PolicyUnavailable');
    const { manifestVersion, policySHA } = release;
    expect((await decisions())[0]).toMatchObject({ outcome: 'allow', manifestVersion, policySHA });
    expect(acted()).toBe(0);
    s3Proxy.behave('well');
    await eventually('the confirmation', async () => (await healthz()).fromCache === undefined);
    expect(await metric('gate_release_from_cache')).toBe(0);
    await resumed();
  });

  /** Waits for what the pause waits for, resumes as an operator would, and sees the stage done, once. */
  async function resumed(): Promise<void> {
    await recovered();
    expect(await gate.cli('resume', id, ...OPERATOR)).toMatchObject({ code: 0 });
    await gate.reaches(id, 'done');
    expect(acted()).toBe(1);
  }

  /** Ids of the deployment's decisions that stand in the table now. */
  async function standing(): Promise<(string | undefined)[]> {
    const { Items = [] } = await client.send(new ScanCommand({ TableName: TABLE, ConsistentRead: true }));
    return Items.filter(({ pk }) => pk?.S === `${id}#canary`).map(({ decisionID }) => decisionID?.S);
  }
});
