import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, openSync, closeSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts } from '../../src/dev/free-ports';
import { startTemporalServer, type TemporalServer } from '../../src/dev/temporal-server';
import { createPostgresAuditStore } from '../../src/audit/stores/postgres/store';
import { openAuditDatabase } from '../../src/audit/stores/postgres/open-audit-database';
import { aRecord } from '../audit/a-record';

const ROOT = resolve(__dirname, '..', '..');
const GATE = join(ROOT, 'dist', 'cli', 'main.js');
const run = promisify(execFile);
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gate-process-'));
  const store = join(folder, 'store');
  mkdirSync(store);
  const settings = join(folder, 'settings.json');
  writeFileSync(settings, JSON.stringify({ audit: { store: { folder: store } } }));
  const { PATH, HOME, XDG_CACHE_HOME } = process.env;
  env = { PATH, HOME, XDG_CACHE_HOME, XDG_DATA_HOME: folder, GATE_SETTINGS: settings };
  const records = createPostgresAuditStore(await openAuditDatabase({ folder: store }));
  for (let n = 0; n < 1_000; n += 1) await records.record(aRecord({ decisionID: `decision-${n}` }));
  await records.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the gate process', () => {
  it('the gate process ends at the first Ctrl-C when its command has nothing to finish', async () => {
    const gate = spawn(process.execPath, [GATE, 'evaluate', '--policy', join(ROOT, 'policy'), '--facts', '-'], { env });
    try {
      const ended = once(gate, 'exit');
      // More than a pipe holds: written when the command reads, and then waits for the rest.
      await new Promise((resolve) => gate.stdin.write(' '.repeat(1_000_000), resolve));
      gate.kill('SIGINT');
      const [code, signal] = (await ended) as [number | null, string | null];
      expect({ code, signal }).toEqual({ code: null, signal: 'SIGINT' });
    } finally {
      gate.kill('SIGKILL');
    }
  });

  it('the gate process prints no error when the reader of its output leaves', async () => {
    const script = `'${process.execPath}' '${GATE}' audit export | head -1`;
    const { stdout, stderr } = await run('sh', ['-c', script], { env });
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1 });
    expect(stderr).toBe('');
  });

  it('the gate process reports a full output once, without a stack, and ends with exit code 2', async () => {
    const full = openSync('/dev/full', 'w');
    try {
      const gate = spawn(process.execPath, [GATE, 'audit', 'list', '-o', 'jsonl'], {
        env,
        stdio: ['ignore', full, 'pipe'],
      });
      let stderr = '';
      gate.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      const [code] = (await once(gate, 'close')) as [number | null];
      expect(stderr).toMatch(/^gate: cannot write to standard output: .*ENOSPC.*\n$/);
      expect(code).toBe(2);
    } finally {
      closeSync(full);
    }
  });

  it.each([
    ['the commands cannot be made', "addHelpText = () => { throw new Error('lost \\u001b[2J') };"],
    [
      'nothing awaits a failure, in a command that took the signals and never ends',
      "parseAsync = () => { process.on('SIGINT', () => {}); void Promise.reject(new Error('lost \\u001b[2J')); setInterval(() => {}, 1e6); return new Promise(() => {}); };",
    ],
  ])(
    'the gate process tells of a failure that it did not foresee, without a stack, and ends: %s',
    async (_why, fault) => {
      const preload = join(folder, 'fault.cjs');
      writeFileSync(preload, `require(${JSON.stringify(require.resolve('commander'))}).Command.prototype.${fault}`);
      const message = 'unexpected failure: lost \\u001b[2J';
      for (const asked of [[], ['-o', 'json']]) {
        const gate = run(process.execPath, ['--require', preload, GATE, 'list', ...asked], { env });
        const { code, stdout, stderr } = (await gate.catch((error: unknown) => error)) as Record<string, unknown>;
        expect({ code, stderr }).toEqual({ code: 2, stderr: `gate: ${message}\n` });
        if (asked.length === 0) expect(stdout).toBe('');
        else expect(JSON.parse(stdout as string)).toMatchObject({ error: { type: 'Unexpected', faults: [{}] } });
      }
    },
  );

  it('the gate process tells that a server of rule policies is out of reach by its address, as StoreUnavailable', async () => {
    const [port] = await freePorts(1);
    const args = ['rules', 'list', '--server', `http://127.0.0.1:${port}`, '-o', 'json'];
    const failed = (await run(process.execPath, [GATE, ...args], { env }).catch((error: unknown) => error)) as {
      code: number;
      stdout: string;
    };
    const message = expect.stringContaining(`http://127.0.0.1:${port} does not answer`);
    const type = 'StoreUnavailable';
    expect({ code: failed.code, ...(JSON.parse(failed.stdout) as object) }).toEqual({
      code: 2,
      error: { type, message, faults: [{ type, message }] },
    });
  });

  describe('beside a Temporal server', () => {
    let temporal: TemporalServer;
    beforeAll(async () => {
      temporal = await startTemporalServer({
        dbFile: join(folder, 'temporal.db'),
        logFile: join(folder, 'temporal.log'),
      });
    });
    afterAll(() => temporal?.stop());

    it.each(['SIGINT', 'SIGTERM'] as const)(
      'a worker that waits for its store ends at %s without another look at it, with exit code 0',
      async (signal) => {
        const settings = join(folder, 'no-store.json');
        // Nothing listens on port 1.
        writeFileSync(settings, JSON.stringify({ audit: { store: { url: 'postgres://gate@127.0.0.1:1/gate' } } }));
        const gate = spawn(process.execPath, [GATE, 'worker', '--settings', settings], {
          env: { ...env, TEMPORAL_ADDRESS: temporal.address },
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        try {
          let stderr = '';
          await new Promise<void>((resolve) =>
            gate.stderr.on(
              'data',
              (text: Buffer) => (stderr += text.toString()).includes('waiting for it') && resolve(),
            ),
          );
          const ended = once(gate, 'exit');
          gate.kill(signal);
          expect(await ended).toEqual([0, null]);
          expect(stderr).toMatch(/127\.0\.0\.1:1\/gate refuses connections.*; waiting for it\n$/);
        } finally {
          gate.kill('SIGKILL');
        }
      },
    );
  });

  it('a worker that cannot reach Temporal says so, ends with exit code 2, and has made no store', async () => {
    const settings = join(folder, 'without-temporal.json');
    const store = join(folder, 'not-made');
    const cache = join(folder, 'no-cache');
    writeFileSync(
      settings,
      JSON.stringify({ audit: { store: { folder: store } }, release: { cacheFolder: cache }, http: { port: 0 } }),
    );
    // Nothing listens on port 1.
    const gate = run(process.execPath, [GATE, 'worker', '--settings', settings], {
      env: { ...env, TEMPORAL_ADDRESS: '127.0.0.1:1' },
    });
    await expect(gate).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^gate: Temporal at 127\.0\.0\.1:1 cannot be reached: the connection was refused\./,
      ),
    });
    expect([store, cache].map((path) => existsSync(path))).toEqual([false, false]);
  });

  it('a worker that may not listen beyond loopback opens neither its store nor a connection to Temporal', async () => {
    const settings = join(folder, 'open.json');
    const store = join(folder, 'never-opened');
    writeFileSync(settings, JSON.stringify({ http: { host: '0.0.0.0' }, audit: { store: { folder: store } } }));
    const gate = run(process.execPath, [GATE, 'worker', '--settings', settings], {
      env: { ...env, TEMPORAL_ADDRESS: '127.0.0.1:1' },
    });
    await expect(gate).rejects.toMatchObject({
      code: 2,
      stderr: `gate: ConfigInvalid: ${settings}:1:2: Expected http.bearerToken, because http.host 0.0.0.0 is not a loopback address\n`,
    });
    expect(existsSync(store)).toBe(false);
  });

  it('a server that may not listen beyond loopback names the places of its settings, and opens no store', async () => {
    const settings = join(folder, 'open-server.json');
    const store = join(folder, 'never-opened-either');
    writeFileSync(settings, JSON.stringify({ server: { host: '0.0.0.0' }, audit: { store: { folder: store } } }));
    const gate = run(process.execPath, [GATE, 'server', '--settings', settings], {
      env: { ...env, TEMPORAL_ADDRESS: '127.0.0.1:1' },
    });
    const { code, stderr } = (await gate.catch((error: unknown) => error)) as { code: number; stderr: string };
    expect(code).toBe(2);
    expect(stderr.split('\n').slice(1, -1)).toEqual([
      `  ConfigInvalid: ${settings}:1:1: Expected access.tokens or access.jwt, because server.host 0.0.0.0 is not a loopback address`,
      expect.stringMatching(/:1:2: Expected server\.tls, because .* tokens must not be read on the way$/),
    ]);
    expect(existsSync(store)).toBe(false);
  });

  it('gate audit export writes into a named pipe and leaves it a pipe', async () => {
    const pipe = join(folder, 'pipe');
    await run('mkfifo', [pipe]);
    const reader = run('wc', ['-l', pipe]);
    const { stderr } = await run(process.execPath, [GATE, 'audit', 'export', '--to', pipe], { env });
    expect(stderr).toBe('1000 records\n');
    expect((await reader).stdout).toMatch(/^1000 /);
    expect(statSync(pipe).isFIFO()).toBe(true);
  });
});
