import { describe, expect, it } from '@jest/globals';
import type { CarriedGate } from '../../../src/gate/deployments/deployment-state';
import {
  advance,
  carriedProgress,
  initialProgress,
  toStatus,
  type GateEvent,
  type GateProgress,
} from '../../../src/gate/deployments/gate-progress';
import { aDecision, aHold, aPause } from './a-status';

const RELEASE = { policySha: 'a', configRev: 'b', manifestVersion: 'v1' };
const begun = initialProgress('d1', ['canary', 'fleet'], undefined);
const after = (...events: GateEvent[]): GateProgress => events.reduce(advance, begun);
const canary: GateEvent = { type: 'stage-entered', stage: 'canary' };
const fleet: GateEvent = { type: 'stage-entered', stage: 'fleet' };
const paused: GateEvent = { type: 'paused', slot: 'pause', pause: aPause() };

/** `canary deciding, fleet pending` */
const shown = (progress: GateProgress): string =>
  progress.stages.map(({ name, state }) => `${name} ${state}`).join(', ');

describe('advance', () => {
  it.each<[string, GateEvent[], string, string]>([
    ['no event', [], 'deciding', 'canary pending, fleet pending'],
    ['the first stage', [canary], 'deciding', 'canary deciding, fleet pending'],
    ['the same stage once more', [canary, { type: 'waiting' }, canary], 'waiting', 'canary waiting, fleet pending'],
    ['the next stage', [canary, { type: 'action-started' }, fleet], 'deciding', 'canary done, fleet deciding'],
    [
      'a stage not announced',
      [canary, { type: 'stage-entered', stage: 'eu' }],
      'deciding',
      'canary done, fleet pending, eu deciding',
    ],
    [
      'a denial that waits',
      [canary, { type: 'denied', sinceMs: 5 }, { type: 'waiting' }],
      'waiting',
      'canary waiting, fleet pending',
    ],
    ['an allow', [canary, { type: 'waiting' }, { type: 'allowed' }], 'deciding', 'canary deciding, fleet pending'],
    [
      'an override',
      [canary, { type: 'waiting' }, { type: 'overridden' }],
      'deciding',
      'canary deciding, fleet pending',
    ],
    ['an action', [canary, { type: 'action-started' }], 'acting', 'canary acting, fleet pending'],
    [
      'a lapsed lease',
      [canary, { type: 'action-started' }, { type: 'lease-lapsed', release: RELEASE }],
      'deciding',
      'canary deciding, fleet pending',
    ],
    [
      'an unconfirmed lease',
      [canary, { type: 'action-started' }, { type: 'lease-unconfirmed' }],
      'deciding',
      'canary deciding, fleet pending',
    ],
    ['a pause', [canary, paused], 'paused', 'canary paused, fleet pending'],
    [
      'the end of a pause',
      [canary, paused, { type: 'unpaused', slot: 'pause' }],
      'deciding',
      'canary deciding, fleet pending',
    ],
    [
      'a stage that passed',
      [canary, { type: 'action-started' }, { type: 'stage-passed' }],
      'deciding',
      'canary done, fleet pending',
    ],
    [
      'an abort',
      [canary, { type: 'waiting' }, { type: 'ended', state: 'aborted' }],
      'aborted',
      'canary aborted, fleet pending',
    ],
    [
      'the end after the last stage',
      [fleet, { type: 'stage-passed' }, { type: 'ended', state: 'done' }],
      'done',
      'canary pending, fleet done',
    ],
    [
      'a stage that passes after the end',
      [canary, { type: 'ended', state: 'failed' }, { type: 'stage-passed' }],
      'failed',
      'canary done, fleet pending',
    ],
  ])('advance gives the next state after %s', (_what, events, state, stages) => {
    const progress = after(...events);
    expect(progress.state).toBe(state);
    expect(shown(progress)).toBe(stages);
  });

  it('advance keeps the newest decision, and its outcome at the stage', () => {
    const progress = after(canary, { type: 'decided', recorded: aDecision() });
    expect(progress.lastDecision).toEqual(aDecision());
    expect(progress.stages[0]).toEqual({ name: 'canary', state: 'deciding', outcome: 'deny' });
  });

  it('advance counts a denial from the first one of the stage, until it is allowed or overridden', () => {
    const denied = after(canary, { type: 'denied', sinceMs: 5 }, { type: 'denied', sinceMs: 9 });
    expect(denied.deniedSinceMs).toBe(5);
    expect(advance(denied, { type: 'allowed' })).not.toHaveProperty('deniedSinceMs');
    const overridden = advance(denied, { type: 'overridden' });
    expect(overridden).not.toHaveProperty('deniedSinceMs');
    expect(overridden.stages[0]).toMatchObject({ overridden: true });
  });

  it('advance knows when it asks again only while that is scheduled', () => {
    const scheduled = after(canary, { type: 'ask-scheduled', atMs: 7 });
    expect(scheduled.nextAskAtMs).toBe(7);
    expect(advance(scheduled, { type: 'ask-unscheduled' })).not.toHaveProperty('nextAskAtMs');
  });

  it('advance counts lapsed leases within a stage, and keeps the release found until the stage has passed', () => {
    const lapsed: GateEvent = { type: 'lease-lapsed', release: RELEASE };
    const twice = after(canary, lapsed, lapsed);
    expect(twice).toMatchObject({ leaseLapses: 2, requiredRelease: RELEASE });
    expect(advance(twice, { type: 'lapses-counted' })).toMatchObject({ leaseLapses: 0, requiredRelease: RELEASE });
    expect(advance(twice, fleet)).toMatchObject({ leaseLapses: 0 });
    const passed = advance(twice, { type: 'stage-passed' });
    expect(passed.leaseLapses).toBe(0);
    expect(passed).not.toHaveProperty('requiredRelease');
  });

  it('advance keeps the pause as it was changed last', () => {
    const changed = aPause({ remindersSent: 2, recovered: true });
    expect(after(canary, paused, { type: 'paused', slot: 'pause', pause: changed })).toMatchObject({
      state: 'paused',
      pause: changed,
    });
  });

  it.each<GateEvent>([
    { type: 'unpaused', slot: 'pause' },
    { type: 'unpaused', slot: 'auditOutage' },
    { type: 'ask-unscheduled' },
  ])('$type changes nothing where nothing of it is under way', (event) => {
    expect(advance(after(canary), event)).toEqual(after(canary));
  });

  it('advance never changes the state that it was given', () => {
    const before = after(canary, paused);
    const copy = structuredClone(before);
    advance(before, { type: 'decided', recorded: aDecision() });
    advance(before, { type: 'ended', state: 'aborted', reason: 'r' });
    expect(before).toEqual(copy);
  });
});

describe('toStatus', () => {
  it('toStatus shows the first stage before any has begun', () => {
    expect(toStatus(begun)).toEqual({
      deploymentId: 'd1',
      state: 'deciding',
      stage: 'canary',
      stageIndex: 0,
      stages: begun.stages,
    });
  });

  it('toStatus shows an outage of the store before any other pause, and as a pause whatever the stage does', () => {
    const outage = aPause({ id: 'outage', reason: 'AuditWriteFailed' });
    const progress = after(canary, { type: 'paused', slot: 'auditOutage', pause: outage });
    expect(toStatus(progress)).toMatchObject({ state: 'paused', pause: { id: 'outage' } });
    expect(toStatus(advance(progress, paused))).toMatchObject({ pause: { id: 'outage' } });
    const reminded = advance(progress, { type: 'paused', slot: 'auditOutage', pause: { ...outage, remindersSent: 2 } });
    expect(toStatus(reminded).pause?.remindersSent).toBe(2);
    expect(toStatus(advance(reminded, { type: 'unpaused', slot: 'auditOutage' }))).toMatchObject({ state: 'deciding' });
  });

  it('toStatus shows the end and its reason, even where a pause was left open', () => {
    const status = toStatus(after(canary, paused, { type: 'ended', state: 'aborted', reason: 'by ann' }));
    expect(status).toMatchObject({ state: 'aborted', endReason: 'by ann' });
  });
});

describe('a pause on demand', () => {
  const held: GateEvent = { type: 'held', hold: aHold() };

  it.each<[string, GateEvent[], GateProgress['state'], boolean | undefined]>([
    ['of a stage that decides', [canary, held], 'paused', undefined],
    ['of a stage that waits', [canary, { type: 'waiting' }, held], 'paused', undefined],
    ['while an action runs', [canary, { type: 'action-started' }, held], 'acting', true],
    [
      'after the action of the stage',
      [canary, { type: 'action-started' }, held, { type: 'stage-passed' }],
      'deciding',
      true,
    ],
    ['at the stage after it', [canary, held, { type: 'stage-passed' }, fleet], 'paused', undefined],
  ])('a pause on demand %s is shown as it is', (_what, events, state, afterAction) => {
    const status = toStatus(after(...events));
    expect([status.state, status.hold?.afterAction, status.hold?.actor]).toEqual([state, afterAction, 'ann']);
  });

  it('a pause on demand ends with the deployment', () => {
    expect(toStatus(after(canary, held, { type: 'ended', state: 'aborted' }))).not.toHaveProperty('hold');
  });

  it('a pause on demand that is released leaves the pause beside it', () => {
    const status = toStatus(after(canary, paused, held, { type: 'released' }));
    expect([status.state, status.hold, status.pause?.reason]).toEqual(['paused', undefined, aPause().reason]);
  });
});

describe('carried over', () => {
  const carry = (progress: GateProgress): GateProgress => {
    const carried: CarriedGate = {
      ...carriedProgress(progress),
      handled: [],
      notes: [],
      shownAttributes: [],
    };
    return initialProgress('d1', ['ignored'], structuredClone(carried));
  };

  it.each<[string, GateEvent[]]>([
    ['a stage that decides', [canary]],
    [
      'a stage that waits',
      [canary, { type: 'decided', recorded: aDecision() }, { type: 'denied', sinceMs: 5 }, { type: 'waiting' }],
    ],
    ['a pause', [canary, paused]],
    ['a pause on demand beside it', [canary, paused, { type: 'held', hold: aHold() }]],
    ['stages that are done', [canary, { type: 'stage-passed' }, fleet]],
  ])('%s is found again as it was', (_what, events) => {
    expect(carry(after(...events))).toEqual(after(...events));
  });

  it('what is carried has the version that earlier releases read, but for a pause on demand', () => {
    const held = after(canary, { type: 'held', hold: aHold() });
    expect([canary, paused].map((event) => carriedProgress(after(canary, event)).version)).toEqual([1, 1]);
    expect([carriedProgress(held).version, carriedProgress(advance(held, { type: 'released' })).version]).toEqual([
      2, 1,
    ]);
  });

  it('an action in progress is never carried, and the time to ask again is worked out again', () => {
    expect(carry(after(canary, { type: 'ask-scheduled', atMs: 7 }))).not.toHaveProperty('nextAskAtMs');
  });
});
