import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

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
