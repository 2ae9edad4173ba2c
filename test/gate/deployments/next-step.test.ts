import { describe, expect, it } from '@jest/globals';
import {
  advance,
  initialProgress,
  type GateEvent,
  type GateProgress,
} from '../../../src/gate/deployments/gate-progress';
import { asksAtOnce, lapsesPause, nextAskAtMs, nextStep } from '../../../src/gate/deployments/next-step';
import type { CompiledBehaviour } from '../../../src/gate/deployments/stage-behaviour';
import { aDecision, aPause } from './a-status';

const behaviour: CompiledBehaviour = {
  onDeny: 'wait',
  mode: 'enforce',
  autoResume: false,
  recheckEveryMs: 100,
  recheckAtMostMs: 300_000,
  overrideValidForMs: 900,
  remindAfterMs: 100,
  remindAtMostMs: 1000,
  resolveAfterMs: 100,
};

const at = (...events: GateEvent[]): GateProgress =>
  events.reduce(
    advance,
    advance(initialProgress('d1', ['canary'], undefined), { type: 'stage-entered', stage: 'canary' }),
  );
/** `aPause` began at 1000, and it is 2000 */
const over: Partial<CompiledBehaviour> = { pauseTimeout: { afterMs: 1000, end: 'fail' } };
const late: Partial<CompiledBehaviour> = { pauseTimeout: { afterMs: 1001, end: 'fail' } };
const found = (outcome: 'allow' | 'deny' | 'error'): GateEvent => ({
  type: 'decided',
  recorded: aDecision({ outcome }),
});
const paused: GateEvent = { type: 'paused', slot: 'pause', pause: aPause() };
const deniedAt = (sinceMs: number): GateEvent => ({ type: 'denied', sinceMs });

describe('nextStep', () => {
  it.each<[string, GateEvent[], Partial<CompiledBehaviour>, boolean, string]>([
    ['an allow', [found('allow')], {}, false, 'allow'],
    ['a denial that waits', [found('deny')], {}, false, 'wait'],
    ['a denial that fails', [found('deny')], { onDeny: 'fail' }, false, 'deny'],
    ['an error', [found('error')], {}, false, 'pause'],
    ['no decision at all', [], {}, false, 'pause'],
    ['an error in a pause', [paused, found('error')], { autoResume: true }, false, 'pause'],
    ['an error on a resume', [paused, found('error')], {}, true, 'pause'],
    ['an allow in a pause', [paused, found('allow')], {}, false, 'await-operator'],
    ['a denial in a pause', [paused, found('deny')], { onDeny: 'fail' }, false, 'await-operator'],
    ['an allow in a pause, with autoResume', [paused, found('allow')], { autoResume: true }, false, 'end-pause'],
    ['an allow on a resume', [paused, found('allow')], {}, true, 'end-pause'],
    ['a denial on a resume', [paused, found('deny')], {}, true, 'end-pause'],
    ['an error at the end of pauseTimeout', [paused, found('error')], over, false, 'pause-over'],
    ['an error on a resume after pauseTimeout', [paused, found('error')], over, true, 'pause-over'],
    ['an allow at the end of pauseTimeout', [paused, found('allow')], over, false, 'pause-over'],
    ['an allow on a resume at the end of pauseTimeout', [paused, found('allow')], over, true, 'end-pause'],
    [
      'an allow at its end, with autoResume',
      [paused, found('allow')],
      { ...over, autoResume: true },
      false,
      'end-pause',
    ],
    ['an error before pauseTimeout', [paused, found('error')], late, false, 'pause'],
    ['an error without a pause', [found('error')], over, false, 'pause'],
    ...(['allow', 'deny', 'error'] as const).map(
      (outcome): [string, GateEvent[], Partial<CompiledBehaviour>, boolean, string] => [
        `${outcome} of a stage that only observes`,
        [paused, found(outcome)],
        { mode: 'observe' },
        false,
        'observe',
      ],
    ),
  ])('nextStep after %s', (_what, events, changes, resumed, expected) => {
    expect(nextStep(at(...events), { ...behaviour, ...changes }, { resumed, nowMs: 2000 })).toBe(expected);
  });

  it.each([
    [1499, 'wait'],
    [1500, 'deny'],
    [1501, 'deny'],
  ])('nextStep gives up a denial 500 ms after the first one, not before: at %s it is %s', (nowMs, expected) => {
    const progress = at(deniedAt(1000), found('deny'));
    expect(nextStep(progress, { ...behaviour, giveUpAfterMs: 500 }, { resumed: false, nowMs })).toBe(expected);
  });

  it('nextStep counts a first denial from the time of its decision', () => {
    const progress = at(found('deny'));
    const given = { ...behaviour, giveUpAfterMs: 500 };
    expect(nextStep(progress, given, { resumed: false, nowMs: 1499 })).toBe('wait');
    expect(nextStep(progress, given, { resumed: false, nowMs: 1500 })).toBe('deny');
  });
});

describe('asksAtOnce', () => {
  it('asksAtOnce is false while the stage waits or is paused', () => {
    expect(asksAtOnce(at())).toBe(true);
    expect(asksAtOnce(at(deniedAt(5)))).toBe(false);
    expect(asksAtOnce(at(paused))).toBe(false);
  });
});

describe('nextAskAtMs', () => {
  it.each<[string, GateEvent[], number | undefined, number]>([
    ['recheckEvery later', [deniedAt(1000)], undefined, 1100],
    ['when the denial is given up, if that is sooner', [deniedAt(1000)], 50, 1050],
    ['recheckEvery later when it is given up after that', [deniedAt(1000)], 5000, 1100],
    ['recheckEvery later in a pause, which giveUpAfter does not bound', [deniedAt(1000), paused], 50, 1100],
  ])('nextAskAtMs is %s', (_what, events, giveUpAfterMs, expected) => {
    expect(nextAskAtMs(at(...events), { ...behaviour, giveUpAfterMs }, 1000)).toBe(expected);
  });
});

describe('lapsesPause', () => {
  it('lapsesPause is true from the third lapse in a row on', () => {
    const release = { policySha: 'a', configRev: 'b', manifestVersion: 'v1' };
    const lapsed: GateEvent = { type: 'lease-lapsed', release };
    expect([at(), at(lapsed, lapsed), at(lapsed, lapsed, lapsed)].map(lapsesPause)).toEqual([false, false, true]);
  });
});
