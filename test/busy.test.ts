import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually } from './support/eventually';

const BUSY = resolve(__dirname, '..', 'scripts', 'busy.mjs');

const busy = (script: string) =>
  spawn(process.execPath, [BUSY, '1', '--', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });

/** Signal 0 asks whether a process is there. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a command beside busy loops', () => {
  it('a command beside busy loops gives its exit code', async () => {
    expect(await once(busy('exit 3'), 'exit')).toEqual([3, null]);
  });

  it('a command beside busy loops ends by a signal together with what it started', async () => {
    const process = busy(`sh -c 'trap "" TERM; echo $$; exec sleep 1000' & wait`);
    const [pid] = (await once(process.stdout, 'data')) as [Buffer];
    process.kill('SIGTERM');
    expect(await once(process, 'exit')).toEqual([143, null]);
    await eventually('the sleeper to be gone', () => !exists(Number(pid)));
  });
});
