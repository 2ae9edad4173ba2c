import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually';

const DEMOS = join(resolve(__dirname, '..', '..'), 'dist', 'dev');

describe.each([
  [
    'npm run demo',
    'demo.js',
    [
      'The canary stage was allowed and acted',
      'max_pending limit exceeded: current 3100 > configured 2000',
      'The alert receiver got one message',
      'LevelServer restarted',
      'The Temporal UI shows all of it: http://127.0.0.1:',
    ],
  ],
  [
    'npm run demo:releases',
    'demo-releases.js',
    [
      'published: s3://gate/releases/latest.json names v1',
      'max_pending limit exceeded: current 3100 > configured 2000',
      'The alert receiver got one message',
      'decisions put to ./policy with release-v2.json',
      'firmware-3 was decided again, on fresh facts, and is done',
      'published: s3://gate/releases/latest.json names v2 (it named v1)',
      'manifest_version="v2"',
      'The same 1500 devices that v1 let pass are denied; the record names v2',
      'v2 stays in force, and /readyz says why: ',
      'rolled back: s3://gate/releases/latest.json names v1',
    ],
  ],
])('%s', (_command, file, told) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-demo-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('the demo tells the whole story, ends by itself with exit code 0, and leaves nothing behind', async () => {
    const child = spawn(process.execPath, [join(DEMOS, file)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: folder },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ code, failed: stderr.includes('The demo failed') ? stderr : '' }).toEqual({ code: 0, failed: '' });
    for (const line of [...told, 'The demo is over; nothing is left running.']) expect(stdout).toContain(line);
    expect(stdout).not.toContain('\u001b');
    expect(readdirSync(folder)).toEqual([]);
    const servers = new Set(stdout.match(/http:\/\/127\.0\.0\.1:\d+/g));
    expect(servers.size).toBeGreaterThan(2);
    for (const server of servers) await expect(fetch(server)).rejects.toMatchObject({ message: 'fetch failed' });
  });
});

/** What Ctrl-C ends while it starts: how it is started, and how it ends. */
const STARTS = [
  { name: 'npm run demo', args: [join(DEMOS, 'demo.js')], code: 130 },
  { name: 'gate dev', args: [join(DEMOS, '..', 'cli', 'main.js'), 'dev'], code: 0 },
];

describe.each(STARTS)('Ctrl-C while $name starts', ({ args, code: expectedCode }) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-demo-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Sends the signal when the program says `when`, and waits for its end. */
  async function stopAt(when: string, env: NodeJS.ProcessEnv): Promise<void> {
    const temp = join(folder, 'tmp');
    mkdirSync(temp, { recursive: true });
    const started = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env, TMPDIR: temp, XDG_DATA_HOME: join(folder, 'data') },
    });
    let printed = '';
    let sent = false;
    for (const stream of [started.stdout, started.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        if (sent || !printed.includes(when)) return;
        sent = started.kill('SIGINT');
      });
    const [code] = (await once(started, 'exit')) as [number | null];
    expect(printed).toContain(when);
    expect({ code, printed }).toEqual({
      code: expectedCode,
      printed: expect.stringMatching(/Stopped; nothing is left running\.\n$/),
    });
    expect(readdirSync(temp)).toEqual([]);
    const addresses = join(folder, 'data', 'planning-engine', 'dev', 'addresses.json');
    expect(existsSync(addresses)).toBe(false);
    // What was killed is still listed until the system has taken note.
    await eventually('the end of all that it started', () => runningIn(folder).length === 0);
  }

  it.each([
    ['a tool is downloaded', 'temporal: downloading', 'go-is-not-reached'],
    ['a tool is built', 'temporal: building', 'sleep 600'],
    ['the Temporal server starts', 'Starting a Temporal dev server', undefined],
    ['the worker starts', 'Starting a worker', undefined],
  ])('it ends before that does, and leaves nothing behind, when it is stopped while %s', async (_what, when, go) => {
    // Answers nothing, as a network that hangs.
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const downloads = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'go'), `#!/bin/sh\ntouch '${folder}'\n${go}\n`);
    chmodSync(join(bin, 'go'), 0o755);
    const noTools = {
      XDG_CACHE_HOME: join(folder, 'cache'),
      PATH: `${bin}:/usr/bin:/bin`,
      // Nothing listens on port 1: the download fails at once, and Go is next.
      PLANNING_ENGINE_TEMPORAL_URL: when.includes('building') ? 'http://127.0.0.1:1' : downloads,
      PLANNING_ENGINE_TEMPORAL: '',
    };
    try {
      await stopAt(when, go === undefined ? {} : noTools);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});

/** Processes whose command line or environment names the folder, where the system tells them. */
function runningIn(folder: string): string[] {
  if (!existsSync('/proc/self/cmdline')) return [];
  const named = (pid: string): boolean => {
    try {
      return ['cmdline', 'environ'].some((file) => readFileSync(join('/proc', pid, file), 'utf8').includes(folder));
    } catch {
      return false;
    }
  };
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && named(pid));
}
