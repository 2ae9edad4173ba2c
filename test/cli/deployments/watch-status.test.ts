import { describe, expect, it } from '@jest/globals';
import { watchStatus } from '../../../src/cli/deployments/watch-status';
import { Results } from '../../../src/cli/results';
import type { FoundStatus } from '../../../src/clients/deployment-client';
import { aPause, aStatus } from '../../gate/deployments/a-status';

/** Watches while each answer is given once, the last one for ever. */
async function watched(answers: FoundStatus[], output: 'text' | 'json', signal = new AbortController().signal) {
  let stdout = '';
  let stderr = '';
  const io = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env: {},
    cwd: '/',
    signal,
    data: { write: () => true },
    results: new Results((text) => (stdout += text)),
  };
  const ask = async (): Promise<FoundStatus> => (answers.length > 1 ? answers.shift() : answers[0]) as FoundStatus;
  const code = await watchStatus(io, 'd1', { everyMs: 1, output, ask }).catch((error: unknown) => error);
  return { code, stdout, stderr };
}

const open = (changes: Parameters<typeof aStatus>[0]): FoundStatus => ({
  found: 'status',
  closed: false,
  status: aStatus(changes),
});
const closed = (state: 'done' | 'terminated'): FoundStatus => ({
  found: 'status',
  closed: true,
  status: aStatus({ state }),
});

describe('gate status --watch', () => {
  it('gate status --watch prints each change once, and ends with the exit code of the end', async () => {
    const paused = open({ state: 'paused', pause: aPause() });
    const reminded = open({ state: 'paused', pause: { ...aPause(), remindersSent: 2, nextReminderAtMs: 9 } });
    const answers = [open({ state: 'deciding' }), paused, paused, reminded, closed('terminated')];
    const { code, stdout } = await watched(answers, 'json');
    const states = stdout.trimEnd().split('\n');
    expect(states.map((line) => (JSON.parse(line) as { state: string }).state)).toEqual([
      'deciding',
      'paused',
      'terminated',
    ]);
    expect(code).toBe(1);
  });

  it('gate status --watch prints text with the time of each change', async () => {
    const { code, stdout } = await watched([open({ state: 'deciding' }), closed('done')], 'text');
    expect(stdout).toMatch(/^\d{4}-.*Z\nDeployment d1, stage canary: deciding\n[^]*\n\d{4}-.*Z\nDeployment d1: done\n/);
    expect(code).toBe(0);
  });

  it('gate status --watch waits for a worker that does not answer, and says so once', async () => {
    const silent: FoundStatus = { found: 'unanswered', closed: false };
    const { code, stderr } = await watched([silent, silent, closed('done')], 'text');
    expect(stderr).toBe('No worker answers for deployment d1; still watching\n');
    expect(code).toBe(0);
  });

  it('gate status --watch ends with exit code 2 for an unknown deployment, and 4 when it is stopped', async () => {
    expect((await watched([{ found: 'unknown' }], 'text')).code).toMatchObject({ code: 2 });
    const stopped = await watched([open({ state: 'deciding' })], 'text', AbortSignal.abort());
    expect(stopped.code).toMatchObject({ code: 4, message: 'stopped watching; deployment d1 continues' });
  });
});
