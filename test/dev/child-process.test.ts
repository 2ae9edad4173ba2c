import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { transformSync } from '@swc/core';
import { afterAll, describe, expect, it } from '@jest/globals';
import { startNodeChild } from '../../src/dev/child-process';
import { ended, stopChild } from '../../src/dev/supervise';

const folder = mkdtempSync(join(tmpdir(), 'gate-child-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const logFile = join(folder, 'child.log');
let scripts = 0;
const script = (text: string): string => {
  const path = join(folder, `${++scripts}.js`);
  writeFileSync(path, text);
  return path;
};
const STAY = 'setInterval(() => {}, 1e6);';

describe('a Node child', () => {
  it('a Node child is ready when it prints its first JSON object', async () => {
    const path = script(
      `console.log('hello'); console.log(JSON.stringify({port: process.env.P, a: process.argv[2]})); ${STAY}`,
    );
    const child = await startNodeChild(path, { args: ['x'], env: { P: '7' }, logFile });
    expect(child.ready).toEqual({ port: '7', a: 'x' });
    await child.stop();
    expect(await child.exited).toBeNull();
    expect(() => process.kill(child.pid, 0)).toThrow('ESRCH');
  });

  it('a child of gate is ready when it says so, whatever records it copies to its output before', async () => {
    const record = JSON.stringify({ decisionID: 'd-1', kind: 'acted' });
    const path = script(`console.log('${record}'); console.log('{"ready": true, "port": 7}'); ${STAY}`);
    const child = await startNodeChild(path, { env: { GATE_READY_LINE: '1' }, logFile });
    expect(child.ready).toEqual({ ready: true, port: 7 });
    await child.stop();
  });

  it('a Node child can be killed as a crash would', async () => {
    const child = await startNodeChild(script(`process.on('SIGTERM', () => {}); console.log('{}'); ${STAY}`), {
      logFile,
    });
    await child.kill();
    expect(() => process.kill(child.pid, 0)).toThrow('ESRCH');
  });

  it('a Node child that ends before it is ready is an error with what it said on stderr', async () => {
    const start = startNodeChild(script(`console.error('no configuration'); process.exit(2);`), { logFile });
    await expect(start).rejects.toThrow(/it ended \(exit code 2\): .*no configuration/s);
    expect(readFileSync(logFile, 'utf8')).toContain('no configuration');
  });

  it('a Node child that is not ready in time is stopped', async () => {
    await expect(startNodeChild(script(STAY), { logFile, readyTimeoutMs: 50 })).rejects.toThrow(/50 ms passed/);
  });

  it('a Node child that does not heed SIGTERM gets SIGKILL', async () => {
    const path = script(`process.on('SIGTERM', () => {}); console.log('ready'); ${STAY}`);
    const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    await stopChild(child, 20);
    expect(child.signalCode).toBe('SIGKILL');
    await ended(child);
  });

  it('a Node child dies with its parent, even when the parent is killed with SIGKILL', async () => {
    // The parent has to be another process than this one, and plain JavaScript.
    const source = readFileSync(join(__dirname, '../../src/dev/supervise.ts'), 'utf8');
    const supervise = join(folder, 'supervise.js');
    writeFileSync(
      supervise,
      transformSync(source, { jsc: { parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }).code,
    );
    const parent = spawn(process.execPath, [
      '-e',
      `const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(STAY)}]);
       require(${JSON.stringify(supervise)}).dieWithParent(child);
       console.log(child.pid);`,
    ]);
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(printed.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    while (isAlive(pid)) await delay(10);
  });
});

/** On Linux a zombie, which nobody has waited for yet, counts as dead. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
