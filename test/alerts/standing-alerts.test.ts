import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Alert } from '../../src/alerts/alert';
import { createAlertMemory } from '../../src/alerts/service/alert-memory';
import { createStandingAlerts, type StandingAlerts } from '../../src/alerts/standing-alerts';

const ALERT: Alert = {
  ...{ status: 'firing', fingerprint: 'f-1', name: 'ReleaseRefused', summary: 'refused', description: 'bad wasm' },
  ...{ startsAtMs: 1_000, reminder: 0 },
};
const NAMES = ['ReleaseRefused'];

let folder: string;
let sent: Alert[];
let isDown: boolean;
let nowMs: number;
let forgotten: unknown[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'standing-'));
  [sent, forgotten, isDown, nowMs] = [[], [], false, 1_000];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** As a worker that starts: what an earlier one left in the folder is taken up. */
const starts = (team = 'core'): StandingAlerts =>
  createStandingAlerts({
    send: async (alert) => {
      if (isDown) throw new Error('down');
      sent.push(alert);
    },
    labels: ({ name }) => ({ alertname: name, team }),
    nowMs: () => nowMs,
    onUndelivered: () => undefined,
    memory: createAlertMemory(join(folder, 'alerts')),
    onForgotten: (error) => forgotten.push(error),
    intervals: { remindAfterMs: 100, remindAtMostMs: 300 },
  });
const told = (): string[] => sent.map(({ status, reminder }) => `${status} ${reminder}`);

describe('a standing alert', () => {
  it('a standing alert is told once, reminded of at growing intervals, and resolved once', async () => {
    const alerts = starts();
    alerts.raise(ALERT);
    alerts.raise({ ...ALERT, startsAtMs: 1_050, description: 'bad limit' });
    const at: number[] = [];
    for (nowMs = 1_000; nowMs <= 2_000; nowMs += 50) {
      const before = sent.length;
      await alerts.remind();
      if (sent.length > before) at.push(nowMs);
    }
    expect(at).toEqual([1_000, 1_100, 1_300, 1_600, 1_900]);
    expect(sent[1]).toMatchObject({
      startsAtMs: 1_000,
      description: 'bad limit',
      reminder: 1,
      nextReminderAtMs: 1_300,
    });
    alerts.lower({ names: NAMES }, 'in force');
    alerts.lower({ names: NAMES }, 'in force');
    await alerts.remind();
    expect(told()).toEqual(['firing 0', 'firing 1', 'firing 2', 'firing 3', 'firing 4', 'resolved 5']);
  });

  it('a standing alert of a worker that died is resolved by the next one, under its own labels and start', async () => {
    const first = starts();
    first.raise(ALERT);
    await first.remind();
    nowMs = 5_000;
    const next = starts('another');
    next.lower({ names: NAMES }, 'in force');
    await next.remind();
    expect(sent.at(-1)).toMatchObject({
      ...{ status: 'resolved', fingerprint: 'f-1', startsAtMs: 1_000, endsAtMs: 5_000, summary: 'in force' },
      labels: { alertname: 'ReleaseRefused', team: 'core' },
    });
    const third = starts();
    third.lower({ names: NAMES }, 'in force');
    await third.remind();
    expect(told()).toEqual(['firing 0', 'resolved 1']);
    expect(readdirSync(join(folder, 'alerts'))).toEqual([]);
  });

  it('a standing alert of a worker that died is not told again by one that finds the same', async () => {
    const first = starts();
    first.raise(ALERT);
    await first.remind();
    const next = starts();
    next.raise({ ...ALERT, startsAtMs: 1_040 });
    await next.remind();
    expect(told()).toEqual(['firing 0']);
  });

  it('a message that no receiver took is sent with the next reminder, also by the next worker', async () => {
    isDown = true;
    const first = starts();
    first.raise(ALERT);
    await first.remind();
    isDown = false;
    const next = starts();
    await next.remind();
    isDown = true;
    next.lower({ names: NAMES }, 'in force');
    await next.remind();
    expect(told()).toEqual(['firing 0']);
    isDown = false;
    const third = starts();
    await third.remind();
    expect(told()).toEqual(['firing 0', 'resolved 1']);
  });

  it('a standing alert is not lowered with the others where it is excepted, and there are at most so many', async () => {
    const alerts = starts();
    for (const fingerprint of ['a', 'b', 'c']) alerts.raise({ ...ALERT, fingerprint }, 2);
    alerts.lower({ names: NAMES, except: new Set(['b']) }, 'in force');
    alerts.lower({ names: ['GateWedged'] }, 'another matter');
    await alerts.remind();
    expect(sent.map(({ status, fingerprint }) => `${status} ${fingerprint}`)).toEqual([
      'firing a',
      'firing b',
      'resolved a',
    ]);
  });

  it('a memory that cannot be kept is told of, and people are told all the same', async () => {
    writeFileSync(join(folder, 'alerts'), 'a file where the folder should be');
    const alerts = starts();
    alerts.raise(ALERT);
    await alerts.remind();
    expect(told()).toEqual(['firing 0']);
    expect(forgotten.length).toBeGreaterThan(0);
  });

  it('a file of the memory that was altered is as none', async () => {
    const memory = createAlertMemory(folder);
    await memory.put({ alert: ALERT, messagesSent: 1, nextMessageAtMs: 0 });
    writeFileSync(join(folder, 'half.json'), '{"alert": {"fingerprint"');
    writeFileSync(join(folder, 'other.json'), '{"alert": {"fingerprint": 1}}');
    expect(await memory.load()).toEqual([{ alert: ALERT, messagesSent: 1, nextMessageAtMs: 0 }]);
  });
});
