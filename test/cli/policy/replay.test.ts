import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createGate } from '../../../src';
import { startLevelServer, type LevelServer } from '../../../src/dev/level-server';
import { quickRelease } from '../../support/gate-harness';
import { runCli } from '../run-cli';

const POLICY = join(__dirname, '..', '..', '..', 'policy');

/** Real decisions in an embedded store, made by the library, and put to other releases by the command. */
describe('gate replay', () => {
  let folder: string;
  let levels: LevelServer;
  const write = (name: string, document: unknown): string => {
    writeFileSync(join(folder, name), typeof document === 'string' ? document : JSON.stringify(document));
    return name;
  };
  const gate = (...args: string[]) =>
    runCli(folder, ['replay', ...args], { GATE_SETTINGS: join(folder, 'settings.json') });
  const json = async (...args: string[]) => JSON.parse((await gate(...args, '-o', 'json')).stdout) as unknown;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-replay-'));
    levels = await startLevelServer();
    const release = quickRelease(levels.url);
    write('release.json', release);
    write('lower.json', { ...release, limits: { maxDelta: 500, maxPending: 100 } });
    write('higher.json', { ...release, limits: { maxDelta: 500, maxPending: 9000 } });
    write('latest.json', { policy: POLICY, config: 'release.json', version: 'v7' });
    write('settings.json', {
      release: { manifest: 'latest.json' },
      audit: { store: { folder: 'store' } },
      logLevel: 'silent',
    });
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done() });
    const library = await createGate(join(folder, 'settings.json'), { stdout });
    levels.setMetric('pending_delta', { value: 100 });
    levels.setMetric('region_health', { value: { eu: { status: 'green' } } });
    for (const [stage, max_pending] of Object.entries({ canary: 800, prod: 800, fleet: 3100 })) {
      levels.setMetric('max_pending', { value: max_pending });
      await library.decide({ deploymentId: 'firmware', stage, attributes: { risk: 'low' } });
    }
    levels.setMetric('max_pending', { behaviour: { status: 503 } });
    await library.decide({ deploymentId: 'firmware', stage: 'late' });
    await library.close();
  });
  afterAll(async () => {
    await levels?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('gate replay reproduces every decision under the release in force, from the store', async () => {
    const result = await gate();
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toContain('4 decisions put to');
    expect(result.stdout).toMatch(/the same +3\n/);
    expect(result.stdout).toContain('does not hold the fact max_pending, which failed then (FactSourceUnavailable): 1');
  });

  it('gate replay shows who would have been denied, for people, programs and pull requests', async () => {
    const text = await gate('--config', 'lower.json');
    expect(text.code).toBe(0);
    expect(text.stdout).toContain('Newly denied: 2');
    expect(text.stdout).toMatch(/firmware \/ canary .*\n +was +allow\n +now +deny: max_pending limit exceeded/);
    expect(await json('--policy', POLICY, '--config', 'lower.json', '--stage', 'prod')).toMatchObject({
      decisions: 1,
      newly_denied: 1,
      reasons: { max_pending_limit_exceeded: { then: 0, now: 1 } },
      rows: { newly_denied: [{ deployment_id: 'firmware', stage: 'prod', old_outcome: 'allow', new_outcome: 'deny' }] },
    });
    expect((await gate('--config', 'higher.json', '-o', 'markdown')).stdout).toContain('#### Newly allowed: 1');
  });

  it('gate replay ends with 1 for what a pipeline may not let pass', async () => {
    expect((await gate('--config', 'higher.json', '--fail-on', 'newly-allowed')).code).toBe(1);
    expect((await gate('--config', 'higher.json', '--fail-on', 'newly-denied,changed')).code).toBe(0);
    expect((await gate('--config', 'lower.json', '--fail-on', 'changed', '--fail-on', 'newly-denied')).code).toBe(1);
  });

  it('gate replay takes nothing that was replayed for no good verdict', async () => {
    const misspelt = await gate('--config', 'higher.json', '--stage', 'porduction', '--fail-on', 'newly-allowed');
    expect(misspelt).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('0 decisions'),
      stderr: expect.stringContaining('no recorded decision matches, so that --fail-on has nothing to go by'),
    });
    const unread = ['--outcome', 'error', '--fail-on', 'changed'];
    expect(await gate(...unread)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('none of the 1 decisions could be replayed'),
    });
    expect((await gate('--outcome', 'error', '--fail-on', 'not-replayable')).code).toBe(1);
    expect((await gate('--stage', 'porduction')).code).toBe(0);
  });

  it('gate replay reads an export, and says which lines are none', async () => {
    const env = { GATE_SETTINGS: join(folder, 'settings.json') };
    const { code } = await runCli(folder, ['audit', 'export', '-o', 'jsonl', '--to', 'all.jsonl'], env);
    expect(code).toBe(0);
    const shown = await gate('--from', 'all.jsonl', '--release', 'latest.json');
    expect(shown.stderr).toBe('');
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/the same +3\n/) });
    const all = async (...format: string[]) => (await runCli(folder, ['audit', ...format], env)).stdout;
    write('all.json', await all('list', '-o', 'json'));
    expect(await gate('--from', 'all.json')).toMatchObject({ code: 0, stdout: expect.stringMatching(/the same +3\n/) });
    write('events.jsonl', await all('export', '-o', 'opa'));
    const events = await gate('--from', 'events.jsonl');
    expect(events).toMatchObject({ code: 0, stdout: expect.stringMatching(/the same +3\n/) });
    expect(events.stdout).toContain('the event does not hold the ages of its facts: 1');
    write('all.csv', await all('export', '-o', 'csv'));
    expect(await gate('--from', 'all.csv')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('all.csv: a CSV export'),
    });
    write('broken.jsonl', '{"kind":\n\n[]\n');
    expect(await gate('--from', 'broken.jsonl')).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('0 decisions'),
      stderr: expect.stringMatching(/2 lines are no audit record(.|\n)*broken\.jsonl:1: (.|\n)*broken\.jsonl:3: /),
    });
    for (const [name, text] of Object.entries({ 'empty.jsonl': '', 'blank.jsonl': '\n\n', 'none.json': '[]\n' })) {
      write(name, text);
      expect(await gate('--from', name)).toMatchObject({
        code: 0,
        stderr: `gate: warning: ${name} holds no record, so no decision was replayed\n`,
      });
    }
  });

  it('gate replay reports a decision that its own release does not reproduce, and what it called', async () => {
    const env = { GATE_SETTINGS: join(folder, 'settings.json') };
    const { stdout } = await runCli(folder, ['audit', 'list', '--stage', 'fleet', '-o', 'json'], env);
    const [record] = JSON.parse(stdout) as { reasons: string[] }[];
    write('tampered.jsonl', JSON.stringify({ ...record, reasons: ['max_pending limit exceeded: something else'] }));
    const result = await gate('--from', 'tampered.jsonl');
    expect(result.code).toBe(1);
    expect(result.stdout).toContain('Not reproduced by the very release that made them: 1');
    expect(result.stdout).toContain(
      'the record was altered, or one of the built-ins that it calls answers differently: count, sprintf',
    );
  });

  it('gate replay ends at a signal, also while it waits for who writes its export or for its store', async () => {
    execFileSync('mkfifo', [join(folder, 'export.fifo')]);
    const writer = openSync(join(folder, 'export.fifo'), 'r+');
    const stop = new AbortController();
    const env = { GATE_SETTINGS: join(folder, 'settings.json') };
    try {
      const waiting = runCli(folder, ['replay', '--from', 'export.fifo'], env, stop.signal);
      stop.abort('SIGINT');
      const wanted = { code: 4, stdout: '', stderr: expect.stringContaining('stopped before all decisions') };
      expect(await waiting).toMatchObject(wanted);
      expect(await runCli(folder, ['replay'], env, stop.signal)).toMatchObject(wanted);
      const later = new AbortController();
      const listen = later.signal.addEventListener.bind(later.signal);
      later.signal.addEventListener = (...args: Parameters<typeof listen>) => {
        listen(...args);
        later.abort('SIGTERM'); // as soon as the replay of the store listens
      };
      expect(await runCli(folder, ['replay'], env, later.signal)).toMatchObject(wanted);
    } finally {
      closeSync(writer);
    }
  });

  it.each<[string, string[], string]>([
    ['a policy that is not there', ['--policy', 'none'], 'none'],
    ['a release and a policy', ['--release', 'latest.json', '--policy', 'x'], 'cannot be used with'],
    ['an unknown class', ['--fail-on', 'everything'], 'newly-allowed, newly-denied, changed'],
    ['an export that is not there', ['--from', 'none.jsonl'], 'cannot be read (ENOENT)'],
    ['a time that is none', ['--since', 'yesterday'], 'since'],
    ['an outcome that is none', ['--outcome', 'maybe'], 'outcome'],
    ['a configuration that lacks facts', ['--config', 'facts.json'], 'which no configured provider collects'],
    ['a manifest that is not there', ['--release', 'nowhere.json'], 'nowhere.json'],
  ])('gate replay refuses %s', async (_what, args, why) => {
    write('facts.json', { facts: {} });
    const result = await gate(...args);
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 2, stderr: expect.stringContaining(why) });
    expect(result.stdout).toBe('');
  });
});
