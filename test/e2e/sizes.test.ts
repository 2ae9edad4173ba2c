import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import type { GateRecord } from '../../src/audit/audit-record';
import { DeploymentClient } from '../../src/clients/deployment-client';
import { workflowIdOf } from '../../src/kernel/names';
import { jsonBytes, LIMITS } from '../../src/kernel/limits';
import { loadSettings } from '../../src/settings/load-settings';
import { gateDataConverter } from '../../src/settings/open-data-converter';
import * as fc from 'fast-check';
import { startS3Server, type S3Server } from '../../src/dev/s3-server';
import { startDynamoDb, type TestDynamoDb } from '../support/dynamodb';
import { bytes as bytesOf, rawPayload, rawSignal } from '../support/raw-messages';
import { AROUND, SIZES, sized, sizedDeployment, sizes, type Sizes } from '../support/sized-deployments';
import { quickRelease, startGateHarness, WAIT, ROOT, type GateHarness } from '../support/gate-harness';

/** Three facts of any size; every region that is not green, and every reason that a fact brings, denies. */
const POLICY = `package gate

response := {"allow": allow, "deny_reasons": deny_reasons}

default allow := false

allow if count(deny_reasons) == 0

deny_reasons contains sprintf("region_not_healthy: %s", [region]) if {
	some region, health in input.one.regions
	health.status != "green"
}

deny_reasons contains reason if some reason in input.two.reasons

deny_reasons contains "three_not_ok: three" if not input.three.ok
`;
const text = { type: 'string' };
const object = (properties: object) => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties),
  properties,
});
const SCHEMA = object({
  one: object({
    filler: text,
    regions: { type: 'object', minProperties: 0, additionalProperties: object({ status: text }) },
  }),
  two: object({ filler: text, reasons: { type: 'array', minItems: 0, items: text } }),
  three: object({ filler: text, ok: { type: 'boolean' } }),
});
/** More of them: `GATE_SIZE_CASES=200 npx jest test/e2e/sizes.test.ts`; a failure prints its seed, for `GATE_SIZE_SEED`. */
const CASES = Number(process.env.GATE_SIZE_CASES ?? 4);
const SEED = Number(process.env.GATE_SIZE_SEED ?? randomInt(2 ** 31));

const regions = (count: number, status: unknown): object =>
  Object.fromEntries(Array.from({ length: count }, (_item, at) => [`region-${at}`, { status }]));

it('every limit has sizes around it that are generated here, or a test of its own', () => {
  expect(Object.keys(AROUND).sort()).toEqual(Object.keys(LIMITS).sort());
  const elsewhere = Object.values(AROUND).flatMap((one) => ('elsewhere' in one ? [one.elsewhere] : []));
  expect(elsewhere.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

describe.each([
  ['in the clear, with the embedded store', false] as const,
  ['encrypted, with DynamoDB and S3', true] as const,
])('on a real server, %s, whatever a deployment carries', (_name, isEncrypted) => {
  /** what depends on neither store nor keys is tried once */
  const once = isEncrypted ? it.skip : it;
  let gate: GateHarness;
  let connection: Connection;
  let client: Client;
  let id: string;
  let s3: S3Server;
  let dynamoDb: TestDynamoDb;

  beforeAll(async () => {
    gate = await startGateHarness();
    if (isEncrypted) {
      gate.env.KEY = randomBytes(32).toString('base64');
      const settings = JSON.parse(readFileSync(gate.settingsFile, 'utf8')) as { temporal: object };
      const temporal = { ...settings.temporal, encryptionKeys: [{ id: 'k', key: { env: 'KEY' } }] };
      [s3, dynamoDb] = await Promise.all([
        startS3Server({ folder: join(gate.folder, 's3'), logFile: join(gate.folder, 's3.log'), buckets: ['facts'] }),
        startDynamoDb(),
      ]);
      // The SDK reads the environment of the process.
      for (const name of ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL_DYNAMODB'])
        delete process.env[name];
      Object.assign(process.env, s3.env, dynamoDb.env);
      const bigFacts = { bucket: 'facts', s3: { endpoint: s3.endpoint, region: s3.region, forcePathStyle: true } };
      const store = { type: 'dynamodb', endpoint: dynamoDb.endpoint, region: s3.region, bigFacts };
      writeFileSync(gate.settingsFile, JSON.stringify({ ...settings, temporal, audit: { store } }));
      expect((await gate.cli('audit', 'setup')).code).toBe(0);
    }
    mkdirSync(join(gate.folder, 'policy'));
    writeFileSync(join(gate.folder, 'policy', 'gate.rego'), POLICY);
    writeFileSync(join(gate.folder, 'policy', 'input.json'), JSON.stringify(SCHEMA));
    const { facts } = quickRelease(gate.levels.url) as { facts: Record<string, unknown> };
    const provider = facts.max_pending;
    gate.writeRelease(
      quickRelease(gate.levels.url, { facts: { one: provider, two: provider, three: provider }, sizes: SIZES }),
    );
    gate.writeManifest({ policy: 'policy', config: 'release.json', version: 'v1' });
    await gate.startWorker();
    connection = await Connection.connect({ address: gate.temporal.address });
    const loaded = await loadSettings(gate.settingsFile, gate.env, gate.folder);
    const dataConverter = await gateDataConverter(loaded, gate.env);
    client = new Client({ connection, namespace: gate.temporal.namespace, dataConverter });
  });
  afterAll(async () => {
    await connection?.close();
    await gate?.stop();
    await dynamoDb?.close();
    await s3?.stop();
  });
  beforeEach(() => {
    id = `d-${randomUUID()}`;
    facts({});
  });

  /** The three facts, each with so many bytes. */
  function facts(over: { one?: object; two?: object; three?: object }, bytes = 0): void {
    const { one = {}, two = {}, three = {} } = over;
    gate.levels.setMetric('one', { value: sized({ regions: {}, ...one }, bytes) });
    gate.levels.setMetric('two', { value: sized({ reasons: [], ...two }, bytes) });
    gate.levels.setMetric('three', { value: sized({ ok: true, ...three }, bytes) });
  }
  async function deploy(stage: object = {}, attributes?: object, wait: readonly string[] = WAIT) {
    const file = join(gate.folder, `${id}.json`);
    const stages = [{ name: 'canary', ...stage }];
    writeFileSync(file, JSON.stringify({ id, stages, ...(attributes ? { attributes } : {}) }));
    return await gate.cli('deploy', '-f', file, ...wait);
  }
  async function decisions(): Promise<GateRecord[]> {
    const records = await gate.json<GateRecord[]>('audit', 'list', '--deployment', id);
    return records.filter(({ kind }) => kind === 'decision').reverse();
  }
  const execution = async () => (await client.workflow.getHandle(workflowIdOf(id)).describe()).raw;
  const historyBytes = async () => Number((await execution()).workflowExecutionInfo?.historySizeBytes);

  it('three facts of 950,000 bytes each are decided upon, and the record has all of them', async () => {
    facts({}, 950_000);
    expect((await deploy()).code).toBe(0);
    const [decision] = await decisions();
    expect(decision).toMatchObject({ outcome: 'allow', policySHA: expect.any(String) });
    for (const { value } of decision!.usedFacts) expect(jsonBytes(value)).toBe(950_000);
    expect(await historyBytes()).toBeLessThan(2 * LIMITS.carriedFactsBytes);
  });

  /** What the deployment must come to; undefined where facts are so near to the limit of all that it depends on times. */
  function expectedCode({ attributes, deployment, fact, faults, reasons }: Sizes): number | undefined {
    if (attributes > LIMITS.attributesBytes || deployment > LIMITS.deploymentBytes) return 2;
    if (faults > 0 || fact > SIZES.factBytes || 3 * fact > SIZES.snapshotBytes) return 3;
    if (3 * fact > SIZES.snapshotBytes - 2_000) return undefined;
    return reasons.count > 0 ? 1 : 0;
  }

  it(`no deployment is ended or wedged by what it carries (seed ${SEED})`, async () => {
    const carries = async (one: Sizes): Promise<void> => {
      id = `d-${randomUUID()}`;
      const { count, chars } = one.reasons;
      const reasons = Array.from({ length: count }, (_item, at) => `r${at}: ${'x'.repeat(Math.max(0, chars - 8))}`);
      facts({ one: { regions: regions(one.faults, 5) }, two: { reasons } }, one.fact);
      const file = join(gate.folder, `${id}.json`);
      writeFileSync(file, JSON.stringify(sizedDeployment(id, one, `${gate.levels.url}/devices`)));
      const { code, stderr } = await gate.cli('deploy', '-f', file, ...WAIT);
      const expected = expectedCode(one);
      if (expected !== undefined) expect([code, stderr.slice(0, 500)]).toEqual([expected, expect.any(String)]);
      if (code === 2) return;
      if (code === 3) await isMended(one);
      const handle = client.workflow.getHandle(workflowIdOf(id));
      await handle.result().catch(() => undefined);
      expect((await handle.describe()).status.name).toBe(code === 1 ? 'FAILED' : 'COMPLETED');
      const { events } = await handle.fetchHistory();
      expect((events ?? []).filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([]);
      expect(jsonBytes(await gate.json('status', id))).toBeLessThan(LIMITS.statusBytes);
      expect(jsonBytes(await gate.json('explain', id))).toBeLessThan(LIMITS.statusBytes);
    };
    /** It takes what arrives, and ends well. */
    const isMended = async ({ message, signals, operator }: Sizes): Promise<void> => {
      const target = { client, workflowId: workflowIdOf(id) };
      const argument = [rawPayload(bytesOf(JSON.stringify('m'.repeat(Math.max(0, message - 2)))))];
      for (let sent = 0; sent < signals; sent += 1) await rawSignal(target, 'resume', argument);
      facts({});
      const resume = async (reason: string) =>
        (await gate.cli('resume', id, '--actor', 'ann', '--reason', reason, '--timeout', '5m')).code;
      if (operator > LIMITS.operatorChars) expect(await resume('r'.repeat(operator))).not.toBe(0);
      expect(await resume('r'.repeat(Math.min(operator, LIMITS.operatorChars)))).toBe(0);
      await gate.reaches(id, 'done');
    };
    await fc.assert(fc.asyncProperty(sizes, carries), { seed: SEED, numRuns: CASES, endOnFailure: true });
  });

  once('a fact over its limit pauses the deployment, with its name, size and limit', async () => {
    facts({}, SIZES.factBytes + 1);
    expect((await deploy()).code).toBe(3);
    const { pause } = await gate.pausedOn(id, 'FactInvalid');
    expect(pause?.faults.map((fault) => fault.fact_id)).toEqual(['one', 'three', 'two']);
    expect(pause?.faults[0]?.message).toContain('has 1000001 bytes as JSON, more than the 1000000 that a fact may');
    facts({});
    expect(
      (await gate.cli('resume', id, '--actor', 'ann', '--reason', 'it is smaller now', '--timeout', '5m')).code,
    ).toBe(0);
    await gate.reaches(id, 'done');
  });

  once('facts over the limit of all of them pause the deployment, with the biggest ones', async () => {
    facts({}, 990_000);
    expect((await deploy()).code).toBe(3);
    const { pause } = await gate.pausedOn(id, 'FactInvalid');
    expect(pause?.faults[0]?.message).toMatch(/have \d+ bytes as JSON, more than the 2900000 allowed: \w+ has 990000/);
  });

  it('8,500 red regions in 230 KB deny the deployment, and the reason says how many there were', async () => {
    facts({ one: { regions: regions(8_500, 'red') } });
    expect((await deploy({}, { note: 'a'.repeat(60_000) })).code).toBe(1);
    const [decision] = await decisions();
    expect(decision?.reasons.find((reason) => reason.startsWith('reasons_left_out'))).toMatch(/gave 8500 reasons/);
    expect(jsonBytes(decision?.usedFacts[0]?.value)).toBeGreaterThan(230_000);
    expect(await gate.json('status', id)).toMatchObject({ state: 'denied' });
  });

  once('reasons of characters of three and four bytes, and one reason of a megabyte, deny the deployment', async () => {
    facts({
      two: {
        reasons: [
          '€'.repeat(100_000),
          `wide: ${'🚀'.repeat(400)}`,
          ...Array.from({ length: 300 }, (_i, at) => `€${'€'.repeat(250)} ${at}: x`),
        ],
      },
    });
    expect((await deploy()).code).toBe(1);
    const [decision] = await decisions();
    expect(jsonBytes(decision?.reasons)).toBeLessThan(LIMITS.reasons.bytes + 2_000);
  });

  it('a waiting stage goes on when big facts that denied it allow', async () => {
    facts({ one: { regions: regions(4_000, 'red') } }, 400_000);
    await deploy({ onDeny: 'wait' }, { risk: 'low' }, []);
    await gate.reaches(id, 'waiting');
    facts({ one: { regions: regions(4_000, 'green') } }, 400_000);
    await gate.reaches(id, 'done');
    const [first, ...others] = await decisions();
    expect(first).toMatchObject({ outcome: 'deny', deployment: { attributes: { risk: 'low' } } });
    expect(others.at(-1)).toMatchObject({ outcome: 'allow', deployment: { attributes: { risk: 'low' } } });
    expect(jsonBytes(others.at(-1)?.usedFacts)).toBeGreaterThan(1_200_000);
    expect(await historyBytes()).toBeLessThan(LIMITS.carriedFactsBytes * 4);
  });

  it('a big fact beside one that fails is in the record of the error', async () => {
    facts({}, 500_000);
    gate.levels.setMetric('two', { value: { filler: '', reasons: [] }, ageMs: 120_000 });
    expect((await deploy()).code).toBe(3);
    await gate.pausedOn(id, 'FactStale');
    const [decision] = await decisions();
    expect(decision).toMatchObject({ outcome: 'error', errorDetails: [{ type: 'FactStale', factId: 'two' }] });
    expect(jsonBytes(decision?.usedFacts)).toBeGreaterThan(1_000_000);
  });

  once('attributes up to their limit travel once in the start and once in a decision', async () => {
    const filler = 'a'.repeat(LIMITS.attributesBytes - '{"a":""}'.length);
    expect((await deploy({}, { a: filler })).code).toBe(0);
    const [decision] = await decisions();
    expect(decision?.deployment).toMatchObject({ attributes: { a: filler } });
    expect(await historyBytes()).toBeLessThan(2.5 * LIMITS.attributesBytes);
  });

  once.each([LIMITS.attributesBytes + 1, 900_000])('attributes of %d bytes are refused at the start', async (bytes) => {
    const attributes = { a: 'a'.repeat(bytes - '{"a":""}'.length) };
    expect(await deploy({}, attributes)).toMatchObject({ code: 2, stderr: expect.stringContaining(`got ${bytes}`) });
    const deployments = new DeploymentClient({ client, taskQueue: 'any', deadlineMs: 5_000 });
    const starting = deployments.start({ id, attributes, stages: [{ name: 'canary' }] });
    await expect(starting).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message: expect.stringContaining(`${bytes}`),
    });
  });

  once('the same id with other attributes is refused, with what differs', async () => {
    expect((await deploy({}, { a: 'x'.repeat(1_000) })).code).toBe(0);
    expect(await deploy({}, { a: 'short' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('attributes.a: '),
    });
  });
});
