import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startLevelServer, type LevelServer } from '../../src/dev/level-server';
import { createGate, createGateActivities, gatePlugin, type GateLibrary } from '../../src';
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
