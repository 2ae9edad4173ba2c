import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createGate, createGateActivities, gatePlugin } from '../../src';
import type { GateRecord } from '../../src/audit/audit-record';
import { toLoaded } from '../../src/gate/create-gate';
import { startLevelServer, type LevelServer } from '../../src/dev/level-server';
import { createServices, type Services } from '../../src/gate/services';
import { quickRelease } from '../support/gate-harness';

const SECRET = 'SECRET-4711';
const SCHEMA = { type: 'object', properties: { serial: { type: 'string' } }, additionalProperties: false };
const POLICY = `package gate

response := {"allow": count(deny_reasons) == 0, "deny_reasons": deny_reasons}

deny_reasons contains sprintf("serial blocked: %s", [input.serial]) if input.serial != "fine"
`;
const masks = (body: string): string => `package system.log\n\n${body}\n`;
const TARGET = { deploymentId: 'd1', stage: 'canary', attributes: { customer: SECRET } };

/** Masks of the settings and of a release, through all parts of a worker but Temporal. */
describe('masked decisions', () => {
  let folder: string;
  let levels: LevelServer;
  let copies: string;
  const open: Services[] = [];

  const stdout = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      copies += chunk.toString();
      done();
    },
  });
  const write = (name: string, content: unknown): string => {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
    return join(folder, name);
  };
  const release = (name: string, mask?: string): void => {
    mkdirSync(join(folder, name), { recursive: true });
    write(`${name}/gate.rego`, POLICY);
    write(`${name}/input.json`, SCHEMA);
    if (mask !== undefined) write(`${name}/mask.rego`, masks(mask));
    write(`${name}-latest.json`, { policy: name, config: 'release.json', version: 'v1' });
  };
  const settings = (name: string, mask: string[], withKeys: boolean): string =>
    write(`settings-${name}.json`, {
      temporal: withKeys ? { encryptionKeys: [{ id: 'k1', key: { env: 'KEY' } }] } : {},
      release: { manifest: `${name}-latest.json`, refreshInterval: '1h' },
      audit: { store: { type: 'none' }, stdout: true, mask },
      logLevel: 'silent',
    });
  const options = { env: { KEY: randomBytes(32).toString('hex') }, stdout };
  const services = async (name: string, mask: string[], withKeys = true): Promise<Services> => {
    const opened = await createServices(await toLoaded(settings(name, mask, withKeys), options.env), {
      ...options,
      overTemporal: true,
    });
    open.push(opened);
    return opened;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-masked-'));
    levels = await startLevelServer();
    const { facts } = quickRelease(levels.url) as { facts: Record<string, unknown> };
    write('release.json', { facts: { serial: facts.max_pending } });
    release('plain');
    release('masking', 'mask contains "/input/serial"');
    release('failing', 'mask := 1 if input.path\n\nmask := 2 if input.decision_id');
    release('odd', 'mask contains 1');
  });
  afterAll(async () => {
    await levels?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    copies = '';
    levels.setMetric('serial', { value: SECRET });
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });

  it('masked decisions are refused over Temporal while nothing encrypts its history', async () => {
    await expect(services('plain', ['/input/serial'], false)).rejects.toMatchObject({
      type: 'ConfigInvalid',
      faults: [
        {
          where: expect.stringMatching(/:1:[0-9]+ audit\.mask$/),
          message: expect.stringContaining('temporal.encryptionKeys'),
        },
      ],
    });
    const { releases } = await services('masking', [], false);
    expect(releases.status()).toMatchObject({ lastError: expect.stringContaining('temporal.encryptionKeys') });
    expect(() => releases.current()).toThrow();
  });

  it.each(['failing', 'odd'])('masked decisions are not made under a release whose masks are %s', async (name) => {
    const { releases } = await services(name, []);
    expect(releases.status()).toMatchObject({ lastError: expect.stringContaining('data.system.log.mask') });
  });

  it('masked decisions carry the masks of the release, which what is recorded and counted obeys', async () => {
    const { releases, collect, evaluate, registry, hidesAttributes } = await services('masking', []);
    const target = { ...TARGET, stageIndex: 0, stageAttributes: {} };
    const snapshot = await collect(releases.current(), target);
    expect(snapshot.mask).toEqual(['/input']);
    expect(await evaluate(releases.current(), snapshot)).toMatchObject({
      outcome: 'deny',
      denyReasons: [`serial blocked: ${SECRET}`],
      mask: ['/input/serial'],
    });
    expect(hidesAttributes({ attributes: TARGET.attributes, stage_attributes: {} })).toBe(true);
    expect(await registry.metrics()).not.toContain(SECRET);
    levels.setMetric('serial', { value: 4711 });
    await expect(collect(releases.current(), target)).rejects.toMatchObject({ failure: { mask: ['/input/serial'] } });
  });

  it('masked decisions hide what an action sent that was allowed under them, though another release is in force by now', async () => {
    const manifest = (policy: string, version: string) =>
      write('changing-latest.json', { policy, config: 'release.json', version });
    manifest('masking', 'v1');
    const { releases, reload, hidesAttributes } = await services('changing', []);
    const context = { attributes: TARGET.attributes, stage_attributes: {} };
    const allowedUnder = releases.current().ref;
    manifest('plain', 'v2');
    await reload();
    expect(releases.current().ref.manifestVersion).toBe('v2');
    expect(hidesAttributes(context)).toBe(false);
    expect(hidesAttributes(context, releases.current().ref)).toBe(false);
    expect(hidesAttributes(context, allowedUnder)).toBe(true);
    // A worker that never held it cannot say what it masks.
    expect(hidesAttributes(context, { ...allowedUnder, policySha: '0'.repeat(64) })).toBe(true);
  });

  const unanswered: GateRecord = {
    schemaVersion: 1,
    decisionID: 'd1',
    kind: 'decision',
    deploymentID: 'd1',
    stage: 'canary',
    timestamp: '2026-01-01T00:00:00.000Z',
    outcome: 'error',
    reasons: [],
    errorDetails: [{ type: 'PolicyUnavailable', message: 'nothing is loaded' }],
    usedFacts: [],
    actor: 'gate',
    deployment: { id: 'd1', stage: 'canary', attributes: TARGET.attributes, stage_attributes: {} },
  };
  it.each([
    ['masking', true, null],
    ['plain', true, TARGET.attributes],
    ['nowhere', true, null],
    ['nowhere', false, TARGET.attributes],
  ])(
    'masked decisions that were made under no known release hide everything where %s is in force (keys: %s)',
    async (name, keys, kept) => {
      const { audit } = await services(name, [], keys);
      const { deployment, errorDetails } = await audit.record(unanswered);
      expect(deployment).toMatchObject({ attributes: kept });
      expect(errorDetails).toEqual(unanswered.errorDetails);
      expect(copies.includes(SECRET)).toBe(kept !== null);
    },
  );

  it('masked decisions tell the caller of the library everything, and the record nothing of it', async () => {
    const gate = await createGate(settings('masking', ['/input/deployment/attributes/customer'], false), options);
    try {
      const denied = await gate.decide(TARGET);
      expect(denied.decision.denyReasons).toEqual([`serial blocked: ${SECRET}`]);
      expect(denied.record).toMatchObject({
        reasons: ['serial_blocked'],
        masked: ['/input/deployment/attributes/customer', '/input/serial'],
      });
      levels.setMetric('serial', { value: [SECRET] });
      const failed = await gate.decide(TARGET);
      expect(failed.record).toMatchObject({
        outcome: 'error',
        errorDetails: [{ type: 'FactInvalid', message: 'The fact is not as described; more is masked' }],
      });
      expect(copies.split('\n')).toHaveLength(3);
      expect(copies).not.toContain(SECRET);
    } finally {
      await gate.close();
    }
  });

  it('masked decisions are encrypted by a worker of one’s own that has the plugin', async () => {
    const open = await createGateActivities(settings('masking', [], true), options);
    try {
      const configured = gatePlugin(open).configureWorker({ taskQueue: 'q' });
      const { payloadCodecs = [] } = (configured.dataConverter ?? {}) as { payloadCodecs?: unknown[] };
      expect(payloadCodecs).toHaveLength(1);
    } finally {
      await open.close();
    }
  });
});
