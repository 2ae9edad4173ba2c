import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import type { GateRecord } from '../../src/audit/audit-record';
import { DeploymentClient } from '../../src/clients/deployment-client';
import { workflowIdOf } from '../../src/kernel/names';
import { jsonBytes, LIMITS } from '../../src/kernel/limits';
import { loadSettings } from '../../src/settings/load-settings';
import { gateDataConverter } from '../../src/settings/open-data-converter';
import { quickRelease, startGateHarness, WAIT, type GateHarness } from '../support/gate-harness';

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
const SIZES = { factBytes: 1_000_000, snapshotBytes: 2_900_000 };

/** A value with so many bytes as JSON. */
function sized(value: object, bytes: number): object {
  const bare = jsonBytes({ filler: '', ...value });
  return { filler: 'f'.repeat(Math.max(0, bytes - bare)), ...value };
}
const regions = (count: number, status: string): object =>
  Object.fromEntries(Array.from({ length: count }, (_item, at) => [`region-${at}`, { status }]));

describe.each([['in the clear', false] as const, ['encrypted', true] as const])(
  'on a real server, %s, whatever a deployment carries',
  (_name, isEncrypted) => {
    let gate: GateHarness;
    let connection: Connection;
    let client: Client;
    let id: string;

    beforeAll(async () => {
      gate = await startGateHarness();
      if (isEncrypted) {
        gate.env.KEY = randomBytes(32).toString('base64');
        const settings = JSON.parse(readFileSync(gate.settingsFile, 'utf8')) as { temporal: object };
        const temporal = { ...settings.temporal, encryptionKeys: [{ id: 'k', key: { env: 'KEY' } }] };
        writeFileSync(gate.settingsFile, JSON.stringify({ ...settings, temporal }));
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

    it.each(isEncrypted ? [20_000, 950_000] : [0, 20_000, LIMITS.carriedFactsBytes, 950_000])(
      'three facts of %d bytes each are decided upon, and the record has all of them',
      async (bytes) => {
        facts({}, bytes);
        expect((await deploy()).code).toBe(0);
        const [decision] = await decisions();
        expect(decision).toMatchObject({ outcome: 'allow', policySHA: expect.any(String) });
        for (const { value } of decision!.usedFacts) expect(jsonBytes(value)).toBeGreaterThanOrEqual(bytes);
        expect(await historyBytes()).toBeLessThan(2 * LIMITS.carriedFactsBytes);
      },
    );

    it.each(isEncrypted ? [1] : [-1, 0, 1])(
      'facts whose bytes are those that may be carried, %d more, are decided upon',
      async (more) => {
        facts({}, 1_000);
        expect((await deploy()).code).toBe(0);
        const [{ usedFacts } = { usedFacts: [] }] = await decisions();
        const bare = usedFacts.map((fact) => ({
          ...{
            id: fact.id,
            value: fact.value,
            observedAtMs: Date.now(),
            collectedAtMs: Date.now(),
            source: fact.source,
          },
        }));
        id = `d-${randomUUID()}`;
        const left = LIMITS.carriedFactsBytes - jsonBytes(bare) + more;
        gate.levels.setMetric('one', { value: sized({ regions: {} }, 1_000 + left) });
        expect((await deploy()).code).toBe(0);
      },
    );

    it('a fact over its limit pauses the deployment, with its name, size and limit', async () => {
      facts({}, SIZES.factBytes + 1);
      expect((await deploy()).code).toBe(3);
      const { pause } = await gate.pausedOn(id, 'FactInvalid');
      expect(pause?.faults.map((fault) => fault.fact_id)).toEqual(['one', 'three', 'two']);
      expect(pause?.faults[0]?.message).toContain('has 1000001 bytes as JSON, more than the 1000000 that a fact may');
      facts({});
      expect((await gate.cli('resume', id, '--actor', 'ann', '--reason', 'it is smaller now')).code).toBe(0);
      await gate.reaches(id, 'done');
    });

    it('facts over the limit of all of them pause the deployment, with the biggest ones', async () => {
      facts({}, 990_000);
      expect((await deploy()).code).toBe(3);
      const { pause } = await gate.pausedOn(id, 'FactInvalid');
      expect(pause?.faults[0]?.message).toMatch(
        /have \d+ bytes as JSON, more than the 2900000 allowed: \w+ has 990000/,
      );
    });

    it('8,500 red regions in 230 KB deny the deployment, and the reason says how many there were', async () => {
      facts({ one: { regions: regions(8_500, 'red') } });
      expect((await deploy({}, { note: 'a'.repeat(60_000) })).code).toBe(1);
      const [decision] = await decisions();
      expect(decision?.reasons.find((reason) => reason.startsWith('reasons_left_out'))).toMatch(/gave 8500 reasons/);
      expect(jsonBytes(decision?.usedFacts[0]?.value)).toBeGreaterThan(230_000);
      expect(await gate.json('status', id)).toMatchObject({ state: 'denied' });
    });

    it('reasons of characters of three and four bytes, and one reason of a megabyte, deny the deployment', async () => {
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

    it('attributes up to their limit travel once in the start and once in a decision', async () => {
      const filler = 'a'.repeat(LIMITS.attributesBytes - '{"a":""}'.length);
      expect((await deploy({}, { a: filler })).code).toBe(0);
      const [decision] = await decisions();
      expect(decision?.deployment).toMatchObject({ attributes: { a: filler } });
      expect(await historyBytes()).toBeLessThan(2.5 * LIMITS.attributesBytes);
    });

    it.each([LIMITS.attributesBytes + 1, 900_000])('attributes of %d bytes are refused at the start', async (bytes) => {
      const attributes = { a: 'a'.repeat(bytes - '{"a":""}'.length) };
      expect(await deploy({}, attributes)).toMatchObject({ code: 2, stderr: expect.stringContaining(`got ${bytes}`) });
      const deployments = new DeploymentClient({ client, taskQueue: 'any', deadlineMs: 5_000 });
      const starting = deployments.start({ id, attributes, stages: [{ name: 'canary' }] });
      await expect(starting).rejects.toMatchObject({
        type: 'ConfigInvalid',
        message: expect.stringContaining(`${bytes}`),
      });
    });

    it('the same id with other attributes is refused, with what differs', async () => {
      expect((await deploy({}, { a: 'x'.repeat(1_000) })).code).toBe(0);
      expect(await deploy({}, { a: 'short' })).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('attributes.a: '),
      });
    });
  },
);
