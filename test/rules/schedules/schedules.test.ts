import { describe, expect, it } from '@jest/globals';
import type { Trigger } from '../../../src/rules/document/rule-policy';
import { shortestIntervalMs, triggerFaults, triggerText } from '../../../src/rules/document/trigger';
import { readPolicies } from '../../../src/rules/document/read-policies';
import type { PinnedPolicies } from '../../../src/rules/execution/policy-source';
import { reconcileSchedules, type ScheduleBook } from '../../../src/rules/schedules/reconcile-schedules';
import { scheduleChanges, type FoundSchedule } from '../../../src/rules/schedules/schedule-changes';
import type { SchedulePause } from '../../../src/rules/schedules/schedule-pause';
import { wantedSchedules } from '../../../src/rules/schedules/wanted-schedules';
import { keepSchedules } from '../../../src/rules/service/keep-schedules';
import { aDocument } from '../service/service-harness';
import { PARCELS } from '../parcels';

const PREFIX = 'gate/rules/q/';
const PAUSE: SchedulePause = { actor: 'ann', reason: 'repairs', since: '2026-11-26T10:00:00.000Z' };
const EVERY = { every: '15m' };

/** Policies by name, whose ids are `id-NAME`. */
function pinned(...documents: ReturnType<typeof aDocument>[]): PinnedPolicies {
  const { policies } = readPolicies(
    documents.map((document) => ({ where: { file: 'test' }, document })),
    PARCELS,
  );
  const pins = policies.map(({ name, type }) => [name, { policyId: `id-${name}`, name, type, revision: 1 }] as const);
  return { policies, setRevision: 1, pins: new Map(pins) };
}
const wanted = (documents: ReturnType<typeof aDocument>[], pauses: SchedulePause[] = []) =>
  wantedSchedules(pinned(...documents), pauses, PREFIX);
const asFound = (list: readonly FoundSchedule[]): FoundSchedule[] =>
  list.map(({ id, paused, note }) => ({ id, paused, note: note! }));
const named = (changes: ReturnType<typeof scheduleChanges>) => ({
  create: changes.create.map(({ id }) => id),
  update: changes.update.map(({ id }) => id),
  same: changes.same.map(({ id }) => id),
  remove: changes.remove,
  held: changes.held,
});

describe('triggers', () => {
  it.each<[Trigger, number, string]>([
    [{ every: '10s' }, 10_000, 'every 10s'],
    [{ every: '366d' }, 366 * 86_400_000, 'every 366d'],
    [{ cron: '*/15 * * * *' }, 15 * 60_000, 'at */15 * * * * (UTC)'],
    [{ cron: '0,50 6-20 * * mon-fri', timeZone: 'Europe/Berlin' }, 600_000, 'at 0,50 6-20 * * mon-fri (Europe/Berlin)'],
    [{ cron: '5/20 0 29 feb *', timeZone: 'UTC' }, 20 * 60_000, 'at 5/20 0 29 feb * (UTC)'],
    [{ cron: '0 6 * JAN-mar 0' }, 3_600_000, 'at 0 6 * JAN-mar 0 (UTC)'],
    [{ cron: '* * * * *' }, 60_000, 'at * * * * * (UTC)'],
  ])('%j is good, and no two of its runs are closer than %d ms', (trigger, intervalMs, text) => {
    expect(triggerFaults(trigger)).toEqual([]);
    expect([shortestIntervalMs(trigger), triggerText(trigger)]).toEqual([intervalMs, text]);
  });

  it.each<[Trigger, string]>([
    [{ every: '9s' }, 'expected an interval from 10s to 366d, got 9s'],
    [{ every: '0s' }, 'expected an interval from 10s to 366d, got 0s'],
    [{ every: '367d' }, 'expected an interval from 10s to 366d, got 367d'],
    [{ every: '99999999999999d' }, 'expected an interval from 10s to 366d, got 99999999999999d'],
    [{ every: '10500ms' }, 'expected whole seconds, got 10500ms'],
    [{ cron: '* * * *' }, 'expected minute, hour, day of month, month and day of week such as */15 * * * *'],
    [{ cron: '@every 1s' }, 'expected minute, hour'],
    [{ cron: '60 * * * *' }, 'expected a minute from 0 to 59, as 5, 1-5, */5 or 1,5, got "60"'],
    [{ cron: '*/0 * * * *' }, 'got "*/0"'],
    [{ cron: '5-1 * * * *' }, 'got "5-1"'],
    [{ cron: '0 0 0 * *' }, 'expected a day of month from 1 to 31'],
    [{ cron: '0 0 * * 7' }, 'expected a day of week from 0 to 6 or sun'],
    [{ cron: '0 0 * foo *' }, 'expected a month from 1 to 12 or jan'],
    [{ cron: '0 0 30 2 *' }, 'expected a time that comes, but no such month has a day 30'],
    [{ cron: '* * * * *', timeZone: 'Mars/Base' }, 'expected a time zone such as Europe/Berlin, got "Mars/Base"'],
    [{ cron: '* * * * *', timeZone: '+01:00' }, 'expected a time zone'],
    [{ cron: '* * * * *', timeZone: 'europe/berlin' }, 'did you mean Europe/Berlin?'],
  ])('%j is refused', (trigger, sentence) => {
    expect(triggerFaults(trigger).map((fault) => fault.sentence)).toEqual([expect.stringContaining(sentence)]);
  });

  it('a policy whose trigger is wrong is refused with its place', () => {
    expect(() => pinned(aDocument('a', { trigger: { every: '1s' } }))).toThrow(
      'test: expected an interval from 10s to 366d, got 1s',
    );
    expect(() => pinned(aDocument('a', { trigger: { every: '1h', cron: '* * * * *' } }))).toThrow(/trigger/);
  });

  it('a trigger is inherited, and replaced as a whole', () => {
    const parent = aDocument('parent', { trigger: { cron: '0 6 * * *', timeZone: 'Europe/Berlin' } });
    const list = wanted([
      parent,
      { name: 'same', extends: 'parent' },
      { name: 'own', extends: 'parent', trigger: { every: '1h' } },
    ]);
    expect(list.map(({ id, trigger }) => [id, triggerText(trigger)])).toEqual([
      [`${PREFIX}id-own`, 'every 1h'],
      [`${PREFIX}id-parent`, 'at 0 6 * * * (Europe/Berlin)'],
      [`${PREFIX}id-same`, 'at 0 6 * * * (Europe/Berlin)'],
    ]);
  });
});

describe('the schedules that the store wants', () => {
  it('a schedule executes its policy alone, and catches up within one interval', () => {
    expect(wanted([aDocument('a', { trigger: EVERY, scope: { operation: 'load_parcel' } }), aDocument('b')])).toEqual([
      {
        id: `${PREFIX}id-a`,
        trigger: EVERY,
        workflowType: 'ruleExecution',
        catchUpMs: 900_000,
        execution: {
          question: { policies: ['a'], operation: 'load_parcel' },
          actor: 'schedule',
          reason: 'a runs every 15m',
        },
        paused: false,
        note: expect.stringMatching(/^every 15m \[[0-9a-f]{16}\]$/),
      },
    ]);
  });

  it('a disabled policy, a paused one, and all while all are paused, have a paused schedule', () => {
    const documents = [aDocument('a', { trigger: EVERY, enabled: false }), aDocument('b', { trigger: EVERY })];
    const states = (pauses: SchedulePause[]) => wanted(documents, pauses).map(({ paused }) => paused);
    expect(states([])).toEqual([true, false]);
    expect(states([{ ...PAUSE, policyId: 'id-b' }])).toEqual([true, true]);
    expect(states([PAUSE])).toEqual([true, true]);
    expect(states([{ ...PAUSE, policyId: 'id-other' }])).toEqual([true, false]);
    // Temporal keeps notes as plain text.
    expect(JSON.stringify(wanted(documents, [PAUSE]).map(({ note }) => note))).not.toMatch(/ann|repairs/);
  });
});

describe('the difference of what is wanted and what is there', () => {
  const a = aDocument('a', { trigger: EVERY });
  const [one] = wanted([a]);
  const ID = one!.id;
  const none = { create: [], update: [], same: [], remove: [], held: [] };

  it.each<[string, FoundSchedule[], object]>([
    ['nothing', [], { ...none, create: [ID] }],
    ['the same', asFound([one!]), { ...none, same: [ID] }],
    ['another trigger', asFound(wanted([aDocument('a', { trigger: { every: '1h' } })])), { ...none, update: [ID] }],
    ['another operation', asFound(wanted([{ ...a, scope: { operation: 'load_parcel' } }])), { ...none, update: [ID] }],
    ['one that is paused for a pause that is over', asFound(wanted([a], [PAUSE])), { ...none, update: [ID] }],
    ['one that a person let run', [{ id: ID, paused: false, note: 'go' }], { ...none, update: [ID] }],
    ['one without a note', [{ id: ID, paused: false }], { ...none, update: [ID] }],
    ['one that a person paused', [{ id: ID, paused: true, note: 'stop!' }], { ...none, held: [ID] }],
    ['one of a policy that is gone', [{ id: 'x', paused: true }], { ...none, create: [ID], remove: ['x'] }],
  ])('where there is %s', (_what, found, changes) => {
    expect(named(scheduleChanges([one!], found))).toEqual(changes);
  });

  it('a pause of the store holds a schedule that a person paused, so that it runs once that pause is over', () => {
    const found = [{ id: ID, paused: true, note: 'stop!' }];
    expect(named(scheduleChanges(wanted([a], [PAUSE]), found))).toEqual({ ...none, update: [ID] });
  });
});

describe('reconciling', () => {
  /** A book that keeps what it is told; `fails` names schedules that it refuses. */
  function aBook(fails: string[] = []) {
    /** ids of schedules whose hidden parts a person changed */
    const changed = new Set<string>();
    const inspected: string[] = [];
    const kept = new Map<string, FoundSchedule>();
    const calls: string[] = [];
    const act = (what: string, id: string, change: () => void): Promise<void> => {
      calls.push(`${what} ${id.slice(PREFIX.length)}`);
      if (fails.includes(id)) return Promise.reject(new Error('not now'));
      change();
      return Promise.resolve();
    };
    const book: ScheduleBook = {
      prefix: PREFIX,
      isKept: async ({ id }) => {
        inspected.push(id);
        return !changed.has(id);
      },
      list: () => Promise.resolve([...kept.values()]),
      put: async (id, wanted) => {
        const one = await wanted();
        await act(one === undefined ? 'remove' : 'put', id, () => {
          if (one === undefined) kept.delete(id);
          else kept.set(id, asFound([one])[0]!);
          changed.delete(id);
        });
      },
    };
    return { ...book, kept, calls, changed, inspected };
  }
  const source = (...documents: ReturnType<typeof aDocument>[]) => ({ current: async () => pinned(...documents) });
  const pauses = () => Promise.resolve([]);

  it('what could not be done does not keep the rest from it, and is done by the next time', async () => {
    const fails = [`${PREFIX}id-a`];
    const book = aBook(fails);
    book.kept.set('old', { id: 'old', paused: false });
    const policies = source(aDocument('a', { trigger: EVERY }), aDocument('b', { trigger: EVERY }));
    expect(await reconcileSchedules({ policies, pauses, book, pass: 0 })).toEqual({
      ...{ created: 1, updated: 0, removed: 1, held: [] },
      failures: [`${PREFIX}id-a: not now`],
    });
    fails.pop();
    expect(await reconcileSchedules({ policies, pauses, book, pass: 0 })).toMatchObject({ created: 1, failures: [] });
    book.calls.length = 0;
    expect(await reconcileSchedules({ policies, pauses, book, pass: 0 })).toMatchObject({
      created: 0,
      updated: 0,
      removed: 0,
    });
    expect(book.calls).toEqual([]);
  });

  it('a part that no list shows is looked at in turn, and made as it should be', async () => {
    const book = aBook();
    const policies = source(...[...Array(100).keys()].map((index) => aDocument(`p-${index}`, { trigger: EVERY })));
    const reconcile = (pass: number) => reconcileSchedules({ policies, pauses, book, pass });
    expect(await reconcile(0)).toMatchObject({ created: 100 });
    book.changed.add(`${PREFIX}id-p-7`);
    const updated = [(await reconcile(1)).updated, (await reconcile(2)).updated];
    expect(updated.sort()).toEqual([0, 1]);
    expect(book.inspected).toHaveLength(120);
    expect(new Set(book.inspected).size).toBe(100);
  });

  it('what is written is what the store wants at that moment, not what it wanted when the pass began', async () => {
    const [paused, gone] = ['a', 'b'].map((name) => aDocument(name, { trigger: EVERY }));
    const policies = source(paused!, gone!);
    let isLater = false;
    const book = aBook();
    const slow: ScheduleBook = {
      ...book,
      put: async (id, wanted) => {
        // The pass was held up, and meanwhile one policy was paused and one deleted.
        isLater = true;
        policies.current = async () => pinned(paused!);
        await book.put(id, wanted);
      },
    };
    const later = async () => (isLater ? [{ ...PAUSE, policyId: 'id-a' }] : []);
    await reconcileSchedules({ policies, pauses: later, book: slow, pass: 0 });
    expect([...book.kept.values()]).toMatchObject([{ id: `${PREFIX}id-a`, paused: true }]);
  });

  it('a store that cannot be read changes nothing', async () => {
    const book = aBook();
    book.kept.set('old', { id: 'old', paused: false });
    const away = () => Promise.reject(new Error('away'));
    await expect(reconcileSchedules({ policies: { current: away }, pauses, book, pass: 0 })).rejects.toThrow('away');
    await expect(reconcileSchedules({ policies: source(), pauses: away, book, pass: 0 })).rejects.toThrow('away');
    expect(book.calls).toEqual([]);
  });

  it('a change under way is followed by another look, and a failure is logged once', async () => {
    const logged: string[] = [];
    let looks = 0;
    let go = (): void => undefined;
    const due: (() => void)[] = [];
    const kept = keepSchedules({
      reconcile: async () => {
        looks += 1;
        await new Promise<void>((resolve) => (go = resolve));
        throw new Error('away');
      },
      timers: { after: (_ms, run) => (due.push(run), () => void due.splice(due.indexOf(run), 1)) },
      logger: { info: () => undefined, warn: (_details, message) => void logged.push(message) },
    });
    const settle = async () => {
      go();
      await new Promise((resolve) => setImmediate(resolve));
    };
    kept.soon();
    kept.soon();
    expect(looks).toBe(1);
    await settle();
    expect(looks).toBe(2);
    await settle();
    expect([looks, due.length, logged.length]).toEqual([2, 1, 1]);
    kept.soon();
    expect([looks, due.length]).toEqual([3, 0]);
    const stopping = kept.stop();
    await settle();
    await stopping;
    kept.soon();
    expect([looks, due.length]).toEqual([3, 0]);
  });
});
