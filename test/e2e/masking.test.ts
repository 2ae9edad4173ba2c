import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import type { ShownStatus } from '../support/shown-status';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import pino from 'pino';
import { startCodecServer } from '../../src/api/codec-server';
import type { AuditRecord } from '../../src/audit/audit-record';
import { loadSettings } from '../../src/settings/load-settings';
import type { LoadedSettings } from '../../src/settings/load-settings';
import { openPayloadCodec } from '../../src/settings/open-data-converter';
import { findTool } from '../../src/platform/tools/find-tool';
import { startWorker, type RunningWorker } from '../../src/worker';
import { quickRelease, startGateHarness, WAIT, type CliResult, type GateHarness } from '../support/gate-harness';
import { eventually } from '../support/temporal-env';

/** A fact's value, an attribute of the deployment and one of the stage; no other text of the test holds one of these words. */
const SERIAL = 'SECRET-Serial-4711';
const CUSTOMER = 'SECRET-Customer-0815';
const SITE = 'SECRET-Site-1234';

const POLICY = `package gate

response := {"allow": allow, "deny_reasons": deny_reasons}

default allow := false

allow if input.fleet.mode in {"allow", "broken"}

deny_reasons contains sprintf("serial blocked: %s of %s", [input.fleet.serial, input.deployment.attributes.customer]) if {
	input.fleet.mode in {"deny", "broken"}
}
`;
const MASKS = `package system.log

mask contains "/input/fleet/serial" if input.input.fleet.serial

mask contains "/input/deployment/attributes/customer"
`;
const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    fleet: {
      type: 'object',
      additionalProperties: false,
      required: ['serial', 'mode'],
      properties: { serial: { type: 'string' }, mode: { type: 'string', enum: ['allow', 'deny', 'broken'] } },
    },
  },
};
const OLD_KEY = { id: 'old', env: 'KEY_OLD', text: randomBytes(32).toString('base64') };
const NEW_KEY = { id: 'new', env: 'KEY_NEW', text: randomBytes(32).toString('hex') };

/** Real Temporal, a real worker, and everything that leaves it, searched for three masked values. */
describe('a masked value', () => {
  let gate: GateHarness;
  let worker: Pick<RunningWorker, 'httpUrl' | 'stop'>;
  let loaded: LoadedSettings;
  let connection: Connection;
  let client: Client;
  /** the caller's own files hold the values, so they lie where nothing is searched */
  let inputs: string;
  let id: string;
  const written: string[] = [];
  const printed: CliResult[] = [];

  beforeAll(async () => {
    inputs = mkdtempSync(join(tmpdir(), 'gate-masking-'));
    gate = await startGateHarness();
    Object.assign(gate.env, { [OLD_KEY.env]: OLD_KEY.text, [NEW_KEY.env]: NEW_KEY.text });
    writeSettings([OLD_KEY]);
    mkdirSync(join(gate.folder, 'policy'));
    writeFileSync(join(gate.folder, 'policy', 'gate.rego'), POLICY);
    writeFileSync(join(gate.folder, 'policy', 'mask.rego'), MASKS);
    writeFileSync(join(gate.folder, 'policy', 'input.json'), JSON.stringify(SCHEMA));
    const { facts } = quickRelease(gate.levels.url) as { facts: Record<string, unknown> };
    const breaker = { circuitBreaker: { failures: 1000 } };
    gate.writeRelease(quickRelease(gate.levels.url, { facts: { fleet: facts.max_pending }, ...breaker }));
    gate.writeManifest({ policy: 'policy', config: 'release.json', version: 'v1' });
    await start();
    connection = await Connection.connect({ address: gate.temporal.address });
    client = new Client({ connection, namespace: gate.temporal.namespace });
  });
  afterAll(async () => {
    await worker?.stop();
    await connection?.close();
    await gate?.stop();
    rmSync(inputs, { recursive: true, force: true });
  });
  beforeEach(() => {
    id = `d-${randomUUID()}`;
    gate.levels.setMetric('devices', {});
  });

  const writeSettings = (keys: (typeof OLD_KEY)[]): void => {
    const settings = JSON.parse(readFileSync(gate.settingsFile, 'utf8')) as Record<string, Record<string, unknown>>;
    const encryptionKeys = keys.map((key) => ({ id: key.id, key: { env: key.env } }));
    writeFileSync(
      gate.settingsFile,
      JSON.stringify({
        ...settings,
        temporal: { ...settings.temporal, encryptionKeys },
        audit: { ...settings.audit, stdout: true, mask: ['/input/deployment/stage_attributes/site'] },
        logLevel: 'debug',
      }),
    );
  };
  const start = async (): Promise<void> => {
    const keep = (): Writable =>
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          written.push(chunk.toString());
          done();
        },
      });
    loaded = await loadSettings(gate.settingsFile, gate.env, gate.folder);
    worker = await startWorker(loaded, { env: gate.env, stdout: keep(), logger: pino({ level: 'debug' }, keep()) });
  };
  const cli = async (...args: string[]): Promise<CliResult> => {
    const result = await gate.cli(...args);
    printed.push(result);
    return result;
  };
  const deploymentFile = (action?: Record<string, unknown>, customer = CUSTOMER): string => {
    const path = join(inputs, `${id}.json`);
    const stage = { name: 'canary', attributes: { site: SITE }, ...(action === undefined ? {} : { action }) };
    writeFileSync(path, JSON.stringify({ id, attributes: { customer }, stages: [stage] }));
    return path;
  };
  const deploy = (action?: Record<string, unknown>): Promise<CliResult> =>
    cli('deploy', '-f', deploymentFile(action), ...WAIT);
  const records = (): Promise<AuditRecord[]> =>
    gate.json<AuditRecord[]>('audit', 'list', '--deployment', id, '--oldest-first');
  const setFleet = (value: unknown): void => gate.levels.setMetric('fleet', { value });
  const historyOf = async () => {
    const execution = { workflowId: `deployment/${id}` };
    const { namespace } = gate.temporal;
    const { history } = await client.workflowService.getWorkflowExecutionHistory({ namespace, execution });
    return history ?? {};
  };

  /** Everything that left the worker, by place. */
  async function everything(): Promise<Map<string, Buffer>> {
    for (const args of [['status'], ['explain'], ['status', '-o', 'json'], ['explain', '-o', 'json']]) {
      const [name = '', ...rest] = args;
      await cli(name, id, ...rest);
    }
    for (const output of ['jsonl', 'csv', 'opa']) await cli('audit', 'export', '-o', output);
    await cli('audit', 'list');
    await cli('audit', 'list', '-o', 'json');
    for (const { decisionID } of await records()) await cli('audit', 'show', decisionID);
    await cli('list');
    const { namespace } = gate.temporal;
    const found = await client.workflowService.describeWorkflowExecution({
      namespace,
      execution: { workflowId: `deployment/${id}` },
    });
    const get = async (path: string): Promise<Buffer> => Buffer.from(await (await fetch(worker.httpUrl + path)).text());
    const { History, HistoryEvent } = temporal.api.history.v1;
    const history = await historyOf();
    return new Map<string, Buffer>([
      ['the history', Buffer.from(History.encode(history).finish())],
      [
        'its JSON',
        Buffer.from(JSON.stringify((history.events ?? []).map((event) => HistoryEvent.create(event).toJSON()))),
      ],
      ['the description', Buffer.from(JSON.stringify(found))],
      ['the stdout sink and the log', Buffer.from(written.join(''))],
      ['the alerts', Buffer.from(JSON.stringify(gate.alerts.received))],
      ['/metrics', await get('/metrics')],
      ['/readyz', await get('/readyz')],
      ['the command line', Buffer.from(JSON.stringify(printed))],
      ...filesIn(gate.folder),
    ]);
  }

  async function expectNowhere(): Promise<void> {
    const places = await everything();
    const leaks = [...places].flatMap(([place, bytes]) =>
      [SERIAL, CUSTOMER, SITE].flatMap((secret) =>
        spellingsOf(secret).flatMap((text) => {
          const at = bytes.indexOf(text);
          return at < 0 ? [] : [`${place}: …${bytes.subarray(Math.max(0, at - 150), at + 80).toString('latin1')}…`];
        }),
      ),
    );
    expect(leaks).toEqual([]);
  }

  it('a masked value of an allow is nowhere in the clear', async () => {
    setFleet({ serial: SERIAL, mode: 'allow' });
    const url = `${gate.levels.url}/devices`;
    const body = { target: 1, customer: '{{ attributes.customer }}' };
    expect(await deploy({ type: 'http', method: 'PATCH', url, body, expect: 202 })).toMatchObject({ code: 0 });
    const [record] = await records();
    expect(record).toMatchObject({
      outcome: 'allow',
      usedFacts: [{ id: 'fleet', value: { serial: null, mode: 'allow' } }],
      deployment: { attributes: { customer: null }, stage_attributes: { site: null } },
      masked: [
        '/input/deployment/attributes/customer',
        '/input/deployment/stage_attributes/site',
        '/input/fleet/serial',
      ],
    });
    await expectNowhere();
  });

  it('a masked value in the reasons of a denial leaves only their codes', async () => {
    setFleet({ serial: SERIAL, mode: 'deny' });
    expect(await deploy()).toMatchObject({ code: 1, stdout: expect.stringContaining('serial_blocked') });
    const decisions = (await records()).filter(({ kind }) => kind === 'decision');
    expect(decisions).toMatchObject([{ outcome: 'deny', reasons: ['serial_blocked'] }]);
    expect(await gate.json('audit', 'list', '--reason', 'serial_blocked', '--deployment', id)).toHaveLength(1);
    const metrics = await (await fetch(`${worker.httpUrl}/metrics`)).text();
    expect(metrics).toContain('"serial_blocked"');
    await expectNowhere();
  });

  it('a masked value in the reasons that a recheck finds leaves only their codes', async () => {
    setFleet({ serial: SERIAL, mode: 'deny' });
    const stage = { name: 'canary', attributes: { site: SITE }, onDeny: 'wait' };
    const file = join(inputs, `${id}.json`);
    writeFileSync(file, JSON.stringify({ id, attributes: { customer: CUSTOMER }, stages: [stage] }));
    await cli('deploy', '-f', file);
    await eventually('two counted looks', async () => {
      const { pending_looks: looks } = await gate.json<ShownStatus>('status', id);
      return looks !== undefined && looks.count >= 2;
    });
    expect((await cli('status', id)).stdout).toContain('serial_blocked');
    await expectNowhere();
    setFleet({ serial: SERIAL, mode: SERIAL });
    await gate.pausedOn(id, 'FactInvalid');
    expect((await records()).find(({ kind }) => kind === 'recheck')).toMatchObject({
      details: { outcome: 'deny', codes: ['serial_blocked'], became: { outcome: 'error' } },
    });
    await expectNowhere();
    await cli('abort', id, '--actor', 'ann', '--reason', 'enough');
  });

  it.each([
    ['a fact of another shape', { serial: SERIAL, mode: SERIAL }, 'FactInvalid'],
    ['a fact of another type', [SERIAL], 'FactInvalid'],
    ['an answer that contradicts itself', { serial: SERIAL, mode: 'broken' }, 'PolicyEvaluation'],
  ])('a masked value in the errors about %s is nowhere in the clear', async (_what, value, type) => {
    setFleet(value);
    const before = gate.alerts.received.length;
    expect(await deploy()).toMatchObject({ code: 3, stdout: expect.stringContaining(type) });
    await eventually('the alert', () => gate.alerts.received.length > before);
    expect((await records())[0]).toMatchObject({ outcome: 'error', errorDetails: [{ type }] });
    await expectNowhere();
    await cli('abort', id, '--actor', 'ann', '--reason', 'enough');
  });

  it.each([
    ['an action that is refused', { method: 'GET', url: '/{{ attributes.customer }}', body: undefined }],
    ['an action without a listener', { method: 'GET', url: 'http://127.0.0.1:2/{{ attributes.customer }}' }],
    [
      'a compensation that fails as well',
      {
        method: 'PATCH',
        url: '/devices',
        compensation: { method: 'GET', url: '/{{ stage_attributes.site }}' },
        expect: 299,
      },
    ],
  ])(
    'a masked value in the error of %s is nowhere in the clear',
    async (_what, { url, compensation, ...action }: HttpSpec) => {
      setFleet({ serial: SERIAL, mode: 'allow' });
      const at = (path: string): string => (path.startsWith('/') ? gate.levels.url + path : path);
      const undo = compensation === undefined ? {} : { compensation: { ...compensation, url: at(compensation.url) } };
      const result = await deploy({ type: 'http', ...action, url: at(url), ...undo });
      expect(result).toMatchObject({ code: 1, stdout: expect.stringContaining('failed') });
      await expectNowhere();
    },
  );

  it('a masked value of an earlier start is not shown beside another one', async () => {
    setFleet({ serial: SERIAL, mode: 'allow' });
    await deploy();
    // As many as without encryption.
    expect((await historyOf()).events?.length).toBeLessThanOrEqual(18);
    const other = await cli('deploy', '-f', deploymentFile(undefined, 'another'));
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('attributes.customer') });
    await expectNowhere();
  });

  it('a worker with encryption keys says which release it has', async () => {
    expect(await cli('policy', 'status')).toMatchObject({ code: 0, stdout: expect.stringContaining('1 of 1 workers') });
  });

  it('a masked value can be read in the history with the key, also after the key has changed', async () => {
    setFleet({ serial: SERIAL, mode: 'deny' });
    await deploy();
    const before = (await show()).stdout;
    expect([before.includes(Buffer.from('binary/encrypted').toString('base64')), before.includes(SERIAL)]).toEqual([
      true,
      false,
    ]);
    const codec = await openPayloadCodec(loaded, gate.env);
    const server = await startCodecServer({ host: '127.0.0.1', port: 0, codec: codec!, token: 'token-1' });
    try {
      const { stdout } = await show('--codec-endpoint', server.url, '--codec-auth', 'Bearer token-1');
      const decoded = payloadsIn(stdout);
      expect(decoded).toContain(SERIAL);
      expect(decoded).toContain(CUSTOMER);
      expect(decoded).toContain(SITE);
      expect(payloadsIn(before)).not.toContain(SERIAL);
    } finally {
      await server.close();
    }

    await worker.stop();
    writeSettings([NEW_KEY, OLD_KEY]);
    await start();
    expect((await cli('status', id)).stdout).toContain('serial_blocked');
    id = `d-${randomUUID()}`;
    await deploy();
    const { events = [] } = await historyOf();
    const keyIds = JSON.stringify(events?.map((event) => temporal.api.history.v1.HistoryEvent.create(event).toJSON()));
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    expect(keyIds).toContain(`"encryption-key-id":"${base64('new')}"`);
    expect(keyIds).not.toContain(`"encryption-key-id":"${base64('old')}"`);
    await expectNowhere();
  });

  it('a masked value is nowhere in the clear when the built worker runs, with its bundled workflows', async () => {
    await worker.stop();
    const child = await gate.spawnWorker();
    worker = { httpUrl: child.ready.http as string, stop: () => child.stop() };
    setFleet({ serial: SERIAL, mode: 'deny' });
    expect(await deploy()).toMatchObject({ code: 1, stdout: expect.stringContaining('serial_blocked') });
    id = `d-${randomUUID()}`;
    setFleet([SERIAL]);
    expect(await deploy()).toMatchObject({ code: 3, stdout: expect.stringContaining('FactInvalid') });
    await expectNowhere();
    expect(readFileSync(join(gate.folder, 'worker.log'), 'utf8')).toContain('FactInvalid');
  });

  async function show(...args: string[]): Promise<{ stdout: string }> {
    const { path } = await findTool('temporal');
    const { address, namespace } = gate.temporal;
    const common = ['workflow', 'show', '--address', address, '--namespace', namespace, '-w', `deployment/${id}`];
    return promisify(execFile)(path, [...common, '--output', 'json', ...args], { env: gate.env, maxBuffer: 2 ** 26 });
  }
});

interface HttpSpec {
  method: string;
  url: string;
  body?: unknown;
  compensation?: { method: string; url: string };
  expect?: number;
}

/** What every `data` in the command line's JSON holds. */
function payloadsIn(json: string): string {
  return [...json.matchAll(/"data": "([^"]*)"/g)].map(([, data]) => Buffer.from(data ?? '', 'base64')).join('\n');
}

/** As it is, in small letters, as a reason's code, and in base64 wherever in a text it begins. */
function spellingsOf(secret: string): string[] {
  const lower = secret.toLowerCase();
  const inBase64 = [0, 1, 2].map((shift) => {
    const text = Buffer.from('x'.repeat(shift) + secret).toString('base64');
    return text.slice(shift === 0 ? 0 : 4, -4);
  });
  return [secret, lower, lower.replaceAll('-', '_'), ...inBase64];
}

/** Every file below `folder`, Temporal's database and the audit store's included. */
function filesIn(folder: string): [string, Buffer][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .flatMap((path): [string, Buffer][] => {
      try {
        return [[path.slice(folder.length + 1), readFileSync(path)]];
      } catch (error) {
        // The journal of a database that runs comes and goes.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }
    });
}
