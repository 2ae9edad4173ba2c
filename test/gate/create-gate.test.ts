import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startLevelServer, type LevelServer } from '../../src/dev/level-server';
import {
  createGate,
  createGateActivities,
  gatePlugin,
  loadSettings,
  publish,
  type ActionContext,
  type Alert,
  type AuditRecord,
  type AuditStore,
  type GateLibrary,
  type JsonValue,
  type PlainSettings,
  type PolicyEvaluator,
  type RegisteredProvider,
  type ReleaseSource,
} from '../../src';
import { openAuditDatabase } from '../../src/audit/stores/postgres/open-audit-database';
import { createPostgresAuditStore } from '../../src/audit/stores/postgres/store';
import { createServices } from '../../src/gate/services';
import { createEvaluator } from '../../src/rego/evaluation/evaluator';
import { openReleaseSource } from '../../src/releases/sources/open-release-source';
import { quickRelease } from '../support/gate-harness';

describe('createGate, without Temporal', () => {
  let folder: string;
  let levels: LevelServer;
  let gate: GateLibrary;
  let settings: string;
  let copies: string;

  const stdout = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      copies += chunk.toString();
      done();
    },
  });
  const write = (name: string, document: unknown): string => {
    writeFileSync(join(folder, name), JSON.stringify(document));
    return join(folder, name);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-library-'));
    levels = await startLevelServer();
    write('release.json', quickRelease(levels.url));
    write('latest.json', { policy: resolve(__dirname, '..', '..', 'policy'), config: 'release.json', version: 'v7' });
    settings = write('settings.json', {
      release: { manifest: 'latest.json' },
      audit: { store: { folder: 'store' } },
      logLevel: 'silent',
    });
    gate = await createGate(settings, { stdout });
  });
  afterAll(async () => {
    await gate?.close();
    await levels?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    copies = '';
    levels.setMetric('pending_delta', { value: 100 });
    levels.setMetric('max_pending', { value: 800 });
    levels.setMetric('region_health', { value: { eu: { status: 'green' } } });
  });

  it('a gate without Temporal snapshots, evaluates and records, each on its own', async () => {
    const snapshot = await gate.snapshot({ deploymentId: 'd1', stage: 'canary', attributes: { risk: 'low' } });
    expect(snapshot.facts.map(({ id, value }) => [id, value])).toEqual([
      ['max_pending', 800],
      ['pending_delta', 100],
      ['region_health', { eu: { status: 'green' } }],
    ]);
    expect(snapshot.release.manifestVersion).toBe('v7');
    const decision = await gate.evaluate(snapshot);
    expect(decision).toMatchObject({ outcome: 'allow', denyReasons: [], leaseLimit: { maxAgeMs: 45_000 } });
    const record = await gate.record(snapshot, decision);
    expect(record).toMatchObject({
      decisionID: snapshot.decisionId,
      deploymentID: 'd1',
      outcome: 'allow',
      manifestVersion: 'v7',
    });
    expect(await gate.record(snapshot, { ...decision, outcome: 'deny', denyReasons: ['later'] })).toEqual(record);
  });

  it.each([
    ['allow', {}, []],
    ['deny', { max_pending: { value: 2001 } }, ['max_pending limit exceeded: current 2001 > configured 2000']],
    ['error', { max_pending: { behaviour: { status: 503 } } }, []],
    ['error', { max_pending: { value: 1, ageMs: 60_000 } }, []],
  ] as const)(
    'a gate without Temporal decides %s for %j, and records it before it answers',
    async (outcome, metrics, reasons) => {
      for (const [id, metric] of Object.entries(metrics)) levels.setMetric(id, metric);
      const { decision, record } = await gate.decide({ deploymentId: 'd2', stage: 'canary' });
      expect(decision).toMatchObject({ outcome, denyReasons: reasons });
      expect(decision.faults).toHaveLength(outcome === 'error' ? 1 : 0);
      expect(record).toMatchObject({ outcome, reasons, deploymentID: 'd2' });
    },
  );

  it('a gate without Temporal copies every record to stdout, one JSON line each', async () => {
    const { record } = await gate.decide({ deploymentId: 'd3', stage: 'canary' });
    const lines = () => copies.split('\n').filter((line) => line !== '');
    for (let waits = 0; waits < 100 && lines().length === 0; waits += 1)
      await new Promise((resume) => setImmediate(resume));
    expect(lines().map((line) => JSON.parse(line) as unknown)).toEqual([record]);
  });

  it('a gate without Temporal is not opened while no release can be loaded, and leaves nothing open', async () => {
    write('broken.json', { policy: 'nowhere', config: 'release.json', version: 'v8' });
    const broken = write('broken-settings.json', {
      release: { manifest: 'broken.json' },
      audit: { store: { folder: 'other' } },
      logLevel: 'silent',
    });
    await expect(createGate(broken, { stdout })).rejects.toMatchObject({
      type: 'PolicyUnavailable',
      message: expect.stringContaining('nowhere'),
    });
    await expect(createGate(broken, { stdout })).rejects.toMatchObject({ type: 'PolicyUnavailable' });
  });

  describe('with parts of the program’s own', () => {
    const ownSettings = () =>
      write('parts-settings.json', {
        release: { manifest: 'nowhere.json' },
        audit: { store: { folder: 'unused' } },
        actions: { modules: {} },
        logLevel: 'silent',
      });
    const fromFile = async (): Promise<ReleaseSource> =>
      openReleaseSource(await loadSettings(settings, {}, folder), { env: {} });

    it('a gate decides with the program’s own store, release source and evaluator, and leaves them open', async () => {
      const database = await openAuditDatabase({ folder: join(folder, 'own-store') });
      const auditStore = createPostgresAuditStore(database);
      const threads = createEvaluator({ threads: 1 });
      let evaluations = 0;
      const evaluator: PolicyEvaluator = {
        evaluate: (request) => {
          evaluations += 1;
          return threads.evaluate(request);
        },
      };
      try {
        const own = await createGate(ownSettings(), { stdout, auditStore, evaluator, releaseSource: await fromFile() });
        const { record } = await own.decide({ deploymentId: 'own', stage: 'canary' });
        await own.close();
        expect(record).toMatchObject({ outcome: 'allow', manifestVersion: 'v7' });
        expect(evaluations).toBeGreaterThan(1);
        expect(await auditStore.get(record.decisionID)).toEqual(record);
      } finally {
        await auditStore.close();
        await threads.close();
      }
    });

    it('a gate takes no allow from an evaluator that does not account for it', async () => {
      const evaluator = {
        evaluate: async () => ({ response: { allow: true, deny_reasons: [] }, evalDurationNs: 1 }),
      } as unknown as PolicyEvaluator;
      const auditStore = { record: async (record: AuditRecord) => record } as unknown as AuditStore;
      const opening = createGate(ownSettings(), { stdout, auditStore, evaluator, releaseSource: await fromFile() });
      await expect(opening).rejects.toMatchObject({
        message: expect.stringContaining('Expected the evaluator to account for its answer'),
      });
    });

    it('a gate sends alerts to the program’s own receivers, and runs its actions by their names', async () => {
      const sent: Alert[] = [];
      const done: string[] = [];
      const loaded = await loadSettings(ownSettings(), {}, folder);
      const services = await createServices(loaded, {
        stdout,
        auditStore: { close: async () => undefined } as AuditStore,
        releaseSource: await fromFile(),
        alertReceivers: [{ name: 'own', send: async (alert) => void sent.push(alert) }],
        actions: { promote: { run: async ({ idempotencyKey }) => void done.push(idempotencyKey) } },
      });
      try {
        const alert: Alert = {
          status: 'firing',
          fingerprint: 'f',
          name: 'DeploymentPaused',
          summary: 's',
          description: 'd',
          startsAtMs: 0,
          reminder: 0,
        };
        await services.alerts.send(alert);
        expect(sent).toEqual([alert]);
        const context: ActionContext = {
          deployment_id: 'd',
          stage: 's',
          stage_index: 0,
          attributes: {},
          stage_attributes: {},
          decision_id: 'x',
        };
        const signal = new AbortController().signal;
        await services.actions.run({ type: 'module', name: 'promote' }, context, { idempotencyKey: 'k', signal });
        expect(done).toEqual(['k']);
      } finally {
        await services.close();
      }
      const twice = {
        ...loaded,
        settings: {
          ...loaded.settings,
          actions: { ...loaded.settings.actions, modules: { promote: { module: './no.js' } } },
        },
      };
      await expect(
        createServices(twice, { actions: { promote: { run: async () => undefined } } }),
      ).rejects.toMatchObject({
        type: 'ConfigInvalid',
        message: expect.stringContaining('Expected one action promote'),
      });
    });
  });

  it('a gate opens with plain settings, and tells every fault of others', async () => {
    const plain: PlainSettings = {
      release: { manifest: join(folder, 'latest.json'), cacheFolder: join(folder, 'plain-cache') },
      audit: { store: { folder: join(folder, 'plain-store') }, stdout: false },
      logLevel: 'silent',
    };
    const opened = await createGate(plain);
    try {
      const { record } = await opened.decide({ deploymentId: 'd1', stage: 'canary' });
      expect(record).toMatchObject({ outcome: 'allow', manifestVersion: 'v7' });
    } finally {
      await opened.close();
    }
    const wrong = { ...plain, http: { port: '9100' }, logLevels: 'silent' } as unknown as PlainSettings;
    for (const opening of [createGate(wrong), createGateActivities(wrong)])
      await expect(opening).rejects.toMatchObject({ type: 'ConfigInvalid', faults: { length: 2 } });
    for (const none of [null, [], () => plain, { settings: plain }])
      await expect(createGate(none as PlainSettings)).rejects.toMatchObject({ type: 'ConfigInvalid' });
  });

  it('a program publishes a policy whose facts are its own, which no check without them takes', async () => {
    const own = (factId: string, value: JsonValue): RegisteredProvider => ({
      provider: { factId, description: 'ours', schema: {}, source: 'ours', collect: async () => ({ value }) },
      ...{ type: 'ours', configKey: factId, ttlMs: 0, maxAgeMs: 45_000, timeoutMs: 5_000 },
    });
    const providers = [
      own('pending_delta', 100),
      own('max_pending', 800),
      own('region_health', { eu: { status: 'green' } }),
    ];
    const { facts: _theirs, ...rest } = quickRelease(levels.url) as { facts: object };
    const config = write('without-facts.json', { ...rest, facts: {} });
    const loaded = await loadSettings(
      write('own-facts.json', {
        release: { manifest: 'own/latest.json', cacheFolder: 'own-cache' },
        audit: { store: { folder: 'own-store' }, stdout: false },
        logLevel: 'silent',
      }),
      process.env,
      folder,
    );
    const policy = { path: resolve(__dirname, '..', '..', 'policy') };
    const request = { settings: loaded, release: { version: 'own', policy, config }, env: process.env, cwd: folder };
    await expect(publish(request)).rejects.toThrow('max_pending, which no configured provider collects');
    await publish({ ...request, providers });
    const withOwn = await createGate(loaded, { providers });
    try {
      const { record } = await withOwn.decide({ deploymentId: 'd1', stage: 'canary' });
      expect(record).toMatchObject({ outcome: 'allow', manifestVersion: 'own' });
    } finally {
      await withOwn.close();
    }
  });

  it('a gate without Temporal gives activities and a plugin for a worker of one’s own', async () => {
    const settingsWithoutStore = write('own-settings.json', {
      release: { manifest: 'latest.json' },
      audit: { store: { type: 'none' } },
      logLevel: 'silent',
    });
    const open = await createGateActivities(settingsWithoutStore, { stdout });
    try {
      expect(Object.keys(open.activities).sort()).toEqual([
        'collectFacts',
        'compensateAction',
        'decide',
        'evaluatePolicy',
        'findClosed',
        'readDefaults',
        'readLooks',
        'recheck',
        'recordBigDecision',
        'recordClosed',
        'recordDecision',
        'runAction',
        'sendAlert',
      ]);
      expect((await open.activities.readDefaults()).stages.recheckEvery).toBe('200ms');
      expect(gatePlugin(open).name).toBe('planning-engine.gate');
    } finally {
      await open.close();
    }
  });
});
