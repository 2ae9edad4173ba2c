import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  stepIncident,
  wakeAtMs,
  type Incident,
  type IncidentEvent,
  type IncidentMessage,
} from '../../src/alerts/incident';

const TIMES = { remindAfterMs: 900_000, remindAtMostMs: 86_400_000, resolveAfterMs: 120_000 };
const LABELS = { alertname: 'DeploymentPaused', stage: 'canary' };
const trouble = (id = 'pause-1', labels = LABELS): IncidentEvent => ({ type: 'trouble', id, labels });

interface Told extends IncidentMessage {
  id: string;
  wasTroubled: boolean;
}

/** An incident under the timer that its owner keeps: a `time` event whenever one is due. */
class Life {
  nowMs = 1_000;
  incident?: Incident;
  isTroubled = false;
  healthySinceMs = 0;
  readonly told: Told[] = [];
  private pauses = 0;

  after(ms: number): this {
    const untilMs = this.nowMs + ms;
    while (this.incident !== undefined && wakeAtMs(this.incident, TIMES) <= untilMs) {
      this.nowMs = Math.max(this.nowMs, wakeAtMs(this.incident, TIMES));
      this.step({ type: 'time' });
    }
    this.nowMs = untilMs;
    return this;
  }

  fails(): this {
    this.isTroubled = true;
    this.pauses += 1;
    return this.step(trouble(`pause-${this.pauses}`, { ...LABELS, stage: `stage-${this.pauses}` }));
  }

  recovers(): this {
    if (this.isTroubled) this.healthySinceMs = this.nowMs;
    this.isTroubled = false;
    return this.step({ type: 'healthy' });
  }

  ends(): this {
    this.isTroubled = false;
    return this.step({ type: 'over' });
  }

  statuses(): string[] {
    return this.told.map(({ status, reminder }) => `${status} ${reminder}`);
  }

  private step(event: IncidentEvent): this {
    const { incident, message } = stepIncident(this.incident, event, this.nowMs, TIMES);
    const id = incident?.id ?? this.incident?.id ?? '';
    if (message) this.told.push({ ...message, id, wasTroubled: this.isTroubled });
    this.incident = incident;
    return this;
  }
}

describe('an incident', () => {
  it('an incident opens once, is reminded of at growing intervals, and is resolved once', () => {
    const life = new Life().fails().after(3_600_000).recovers().after(119_999);
    expect(life.statuses()).toEqual(['firing 0', 'firing 1', 'firing 2']);
    expect(life.told.map(({ atMs }) => atMs - 1_000)).toEqual([0, 900_000, 2_700_000]);
    life.after(1).recovers().after(1e9);
    expect(life.statuses().slice(3)).toEqual(['resolved 3']);
    expect(life.incident).toBeUndefined();
  });

  it('an incident whose source fails three times and answers once, for 45 seconds, sends one message', () => {
    const life = new Life();
    for (let round = 0; round < 45; round += 1) {
      if (round % 4 === 3) life.recovers();
      else life.fails();
      life.after(1_000);
    }
    expect(life.statuses()).toEqual(['firing 0']);
    expect(life.recovers().after(120_000).statuses()).toEqual(['firing 0', 'resolved 1']);
  });

  it('an incident keeps the labels and the id that it opened with', () => {
    const life = new Life().fails();
    const { id, labels } = life.incident!;
    life.recovers().after(60_000).fails().after(900_000);
    expect(life.incident).toMatchObject({ id, labels });
    expect(new Set(life.told.map((message) => message.id))).toEqual(new Set([id]));
  });

  it('an incident that is healthy when a reminder is due says nothing, and says so at once when it is in trouble again', () => {
    const life = new Life().fails().after(850_000).recovers().after(100_000);
    expect(life.statuses()).toEqual(['firing 0']);
    expect(life.fails().statuses()).toEqual(['firing 0', 'firing 1']);
  });

  it('an incident is resolved at once when what it is about has ended, in trouble or not', () => {
    expect(new Life().fails().ends().statuses()).toEqual(['firing 0', 'resolved 1']);
    expect(new Life().fails().recovers().ends().ends().statuses()).toEqual(['firing 0', 'resolved 1']);
  });

  it('an incident that an earlier release has told of opens without a message, and is reminded of when that is due', () => {
    const told = { startedAtMs: 5, remindersSent: 3, nextReminderAtMs: 2_000 };
    const step = (nowMs: number) =>
      stepIncident(undefined, { type: 'trouble', id: 'p', labels: LABELS, told }, nowMs, TIMES);
    expect(step(1_999)).toEqual({ incident: { id: 'p', labels: LABELS, ...told } });
    expect(step(2_000).message).toEqual({ status: 'firing', reminder: 3, atMs: 2_000 });
  });

  it.each(['healthy', 'time', 'over'] as const)('no incident comes of %s', (type) => {
    expect(stepIncident(undefined, { type }, 1, TIMES)).toEqual({});
  });

  it('an incident has one message a reminder interval, and a last one that tells the present state, whatever its source does', () => {
    const act = fc.constantFrom('fails', 'recovers', 'ends', 'nothing' as const);
    const waitMs = fc.oneof(fc.nat(10_000), fc.nat(300_000), fc.nat(200_000_000));
    fc.assert(
      fc.property(fc.array(fc.tuple(act, waitMs), { maxLength: 60 }), (acts) => {
        const life = new Life();
        for (const [what, ms] of acts) {
          if (what !== 'nothing') life[what]();
          life.after(ms);
        }
        const ids = [...new Set(life.told.map(({ id }) => id))];
        for (const id of ids) {
          const messages = life.told.filter((message) => message.id === id);
          // Numbered without a gap; the first opens it, and only the last may resolve it.
          expect(messages.map(({ reminder }) => reminder)).toEqual(messages.map((_, index) => index));
          expect(messages.slice(0, -1).every(({ status }) => status === 'firing')).toBe(true);
          const firing = messages.filter(({ status }) => status === 'firing');
          for (const [index, { atMs }] of firing.slice(1).entries()) {
            const interval = Math.min(TIMES.remindAtMostMs, TIMES.remindAfterMs * 2 ** index);
            expect(atMs - firing[index]!.atMs).toBeGreaterThanOrEqual(interval);
          }
          expect(messages.every(({ status, wasTroubled }) => wasTroubled === (status === 'firing'))).toBe(true);
        }
        // What is open is in trouble, or has not been healthy for long enough; what is not open is healthy.
        if (life.incident === undefined)
          expect([life.isTroubled, life.told.at(-1)?.status ?? 'resolved']).toEqual([false, 'resolved']);
        else if (!life.isTroubled) expect(life.nowMs - life.healthySinceMs).toBeLessThan(TIMES.resolveAfterMs);
        else expect(life.told.at(-1)?.status).toBe('firing');
      }),
      { numRuns: 500 },
    );
  });
});
