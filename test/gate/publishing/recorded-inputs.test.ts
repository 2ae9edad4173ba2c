import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditStore, GateRecord } from '../../../src/audit/audit-record';
import { createDynamoDbAuditStore } from '../../../src/audit/stores/dynamodb/store';
import { setUpTable } from '../../../src/audit/stores/dynamodb/table';
import { recordedInputs } from '../../../src/gate/publishing/recorded-inputs';
import type { JsonObject } from '../../../src/kernel/json';
import { readArchive } from '../../../src/rego/bundle/archive/read-archive';
import { writeArchive } from '../../../src/rego/bundle/archive/write-archive';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { parseSettings } from '../../../src/settings/load-settings';
import { aRecord } from '../../audit/a-record';
import { runCli } from '../../cli/run-cli';
import { gate, schemaOf, withPolicy } from '../../rego/toolchain/policy-fixture';
import { startDynamoDb, type TestDynamoDb } from '../../support/dynamodb';
import { plainBundle, LIMIT_POLICY } from '../../support/plain-bundle';

const TABLE = 'publish';
const environment = { ...process.env };
const AT = Date.now() - 60_000;

/** What a release is put to before it is published: decisions of a real store. */
describe('recorded decisions', () => {
  let folder: string;
  let server: TestDynamoDb;
  let store: AuditStore;
  let settings: { audit: { store: JsonObject } };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-recorded-'));
    server = await startDynamoDb();
    const client = server.client();
    await setUpTable(client, TABLE);
    store = createDynamoDbAuditStore({ client, table: TABLE, retentionMs: 86_400_000 });
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'local' });
    const dynamodb = { type: 'dynamodb', table: TABLE, endpoint: server.endpoint, region: 'local' };
    settings = { audit: { store: dynamodb } };
    writeFileSync(join(folder, 'settings.json'), JSON.stringify({ ...settings, release: { manifest: 'latest.json' } }));
    writeFileSync(join(folder, 'config.json'), '{"limits": {"max": 10}}');
  });
  afterAll(async () => {
    process.env = environment;
    await store?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const loaded = (more: JsonObject = settings) => ({
    settings: parseSettings(more, { file: 'settings' }, folder),
    baseDir: folder,
  });
  const surroundings = () => ({ env: process.env, cwd: folder });
  const recorded = (n: number, over: Partial<GateRecord> = {}): Promise<unknown> =>
    store.record(
      aRecord({
        decisionID: `d-${n}`,
        timestamp: new Date(AT + n).toISOString(),
        usedFacts: [],
        deployment: { id: 'd', stage: 's', stage_index: 0, attributes: { n, name: 'seen' }, stage_attributes: {} },
        ...over,
      }),
    );
  const publish = async (version: string, bundle: Uint8Array) => {
    writeFileSync(join(folder, `${version}.tar.gz`), bundle);
    const argv = [
      'policy',
      'publish',
      '--policy',
      `${version}.tar.gz`,
      '--config',
      'config.json',
      '--version',
      version,
    ];
    return runCli(folder, [...argv, '--settings', 'settings.json'], process.env);
  };

  it('recorded decisions are the newest that hold nothing masked, as the policy saw them', async () => {
    await recorded(1);
    await recorded(2, { masked: ['/input/deployment/attributes/name'] });
    await recorded(3, { kind: 'override', outcome: 'allow' });
    await recorded(4);
    const { inputs, unread } = await recordedInputs(loaded(), surroundings());
    expect(unread).toBeUndefined();
    expect(inputs.map(({ decisionTimeMs }) => decisionTimeMs - AT)).toEqual([4, 1]);
    expect(inputs[0]!.input).toEqual({
      deployment: { id: 'd', stage: 's', stage_index: 0, attributes: { n: 4, name: 'seen' }, stage_attributes: {} },
      decision_time: new Date(AT + 4).toISOString(),
    });
  });

  it('recorded decisions are 200 at most', async () => {
    for (let n = 100; n < 310; n++) await recorded(n);
    const { inputs } = await recordedInputs(loaded(), surroundings());
    expect(inputs).toHaveLength(200);
    expect(inputs.at(-1)!.decisionTimeMs).toBe(AT + 110);
  });

  it('recorded decisions are none without a store, and say so where it cannot be read', async () => {
    expect(await recordedInputs(loaded({ audit: { store: { type: 'none' } } }), surroundings())).toEqual({
      inputs: [],
    });
    const gone = { ...settings.audit.store, table: 'gone' };
    const { inputs, unread } = await recordedInputs(loaded({ audit: { store: gone } }), surroundings());
    expect(inputs).toEqual([]);
    expect(unread).toMatch(/gone/);
  });

  it('recorded decisions on which a plan and its Rego differ keep a bundle from being published', async () => {
    const built = async (name: string) => {
      const rules = `input.deployment.attributes.name == "${name}"`;
      const files = { 'gate.rego': gate(rules), 'input.json': schemaOf({}) };
      return (await withPolicy(files, (dir) => buildPolicy(dir))).bytes;
    };
    const good = await built('not seen');
    const published = await publish('v1', good);
    const warned = 'gate: warning: attributes.json: gives no type to name, which the policy reads\n';
    expect(published).toMatchObject({ code: 0, stderr: warned });
    expect(published.stdout).toMatch(/OPA decides alike on \d+ generated inputs and 200 recorded decisions/);

    const files = new Map(await readArchive(good));
    files.set('plan.json', (await readArchive(await built('seen'))).get('plan.json')!);
    const refused = await publish('v2', await writeArchive(files));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/OPA answers .*, the plan's evaluator .*, for the input \{.*"name":"/);
  });

  it('recorded decisions are not compared where OPA left the entrypoint out of the Rego of a bundle', async () => {
    const published = await publish('v3', await plainBundle(LIMIT_POLICY));
    expect(published.code).toBe(0);
    expect(published.stdout).not.toContain('OPA decides alike');
  });
});
