import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const DEMO = join(resolve(__dirname, '..', '..'), 'dist', 'dev', 'demo.js');

describe('npm run demo', () => {
  it('tells the whole story, and ends by itself with exit code 0', async () => {
    const child = spawn(process.execPath, [DEMO], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ code, failed: stderr.includes('The demo failed') ? stderr : '' }).toEqual({ code: 0, failed: '' });
    for (const line of [
      'The canary stage was allowed and acted',
      'max_pending limit exceeded: current 3100 > configured 2000',
      'The alert receiver got one message',
      'LevelServer restarted',
      'The Temporal UI shows all of it: http://127.0.0.1:',
      'The demo is over; nothing is left running.',
    ]) {
      expect(stdout).toContain(line);
    }
    expect(stdout).not.toContain('\u001b');
  }, 120_000);
});
