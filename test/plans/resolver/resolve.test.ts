import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject } from '../../../src/kernel/json';
import type { Goal } from '../../../src/plans/kinds/goal';
import type { Plan } from '../../../src/plans/kinds/plan';
import { whySentence } from '../../../src/plans/resolver/explain';
import { createPlanIndex } from '../../../src/plans/resolver/plan-index';
import { resolve } from '../../../src/plans/resolver/resolve';
import { aGoal, aPlan } from '../objects';

const AT = Date.parse('2026-11-27T10:00:00Z');
const NOW = '2026-11-27T10:00:00.000Z';
const LATER = AT + 60_000;

const resolved = (goal: Goal, plans: readonly Plan[], nowMs = AT) => resolve(goal, plans, { nowMs });
const winnerOf = (plans: readonly Plan[], goal = aGoal()): string | undefined => resolved(goal, plans).winner;
const after = (goal: Goal, plans: readonly Plan[], nowMs = AT): Goal =>
  ({ ...goal, status: resolved(goal, plans, nowMs).status }) as unknown as Goal;
const conditionIn = (status: JsonObject, type: string): JsonObject | undefined =>
  (status.conditions as JsonObject[] | undefined)?.find((each) => each.type === type);

const inSeries = (name: string, version: string, spec: JsonObject = {}, series = 's'): Plan =>
  aPlan(name, { series, version, ...spec });
const claiming = (name: string, series: string, version: string, ...supersedes: string[]): Plan =>
  inSeries(name, version, { supersedes: supersedes.map((each) => ({ name: each })) }, series);

describe('the plan of a goal', () => {
  test.each<[string, Plan[], string | undefined, JsonObject?]>([
    ['no plan at all', [], undefined],
    ['the only plan', [aPlan('a')], 'a'],
    ['a plan of another goal', [aPlan('a', { goalRef: { name: 'other' } })], undefined],
    ['a plan without a goal', [aPlan('a', { goalRef: {} })], undefined],
    ['a plan of another namespace', [aPlan('a', {}, { namespace: 'other' })], undefined],
    ['a goalRef that names this namespace', [aPlan('a', { goalRef: { name: 'g', namespace: 'default' } })], 'a'],
    ['a goalRef into another namespace', [aPlan('a', { goalRef: { name: 'g', namespace: 'other' } })], undefined],
    ['the greatest version of a series', [inSeries('a', '1.9'), inSeries('b', '1.10'), inSeries('c', '1.2')], 'b'],
    ['the greatest version across series', [inSeries('a', '1.9'), inSeries('b', '2', {}, 't')], 'b'],
    ['a version before none', [inSeries('a', '0.1'), aPlan('b')], 'a'],
    ['none before an unreadable version', [inSeries('a', 'latest'), aPlan('b')], 'b'],
    ['unreadable versions by name', [inSeries('a', 'latest'), inSeries('b', 'canary', {}, 't')], 'b'],
    ['equal versions by name', [inSeries('b', '1'), inSeries('c', '01', {}, 't'), inSeries('a', 'v1', {}, 'u')], 'c'],
    [
      'equal versions by their age first',
      [
        aPlan('a', {}, { creationTimestamp: '2026-01-02T00:00:00Z' }),
        aPlan('b', {}, { creationTimestamp: '2026-01-01T00:00:00Z' }),
      ],
      'a',
    ],
    [
      'ages below the millisecond',
      [
        aPlan('a', {}, { creationTimestamp: '2026-01-01T00:00:00.123456789+00:00' }),
        aPlan('b', {}, { creationTimestamp: '2026-01-01T00:00:00.123456788+00:00' }),
      ],
      'a',
    ],
    ['an age before none', [aPlan('a', {}, { creationTimestamp: '2026-01-01T00:00:00Z' }), aPlan('b')], 'a'],
    [
      'the series "" apart from no series',
      [inSeries('a', '1', {}, ''), aPlan('b', { supersedes: [{ name: 'a' }] })],
      'b',
    ],
    ['series apart by case', [claiming('a', 'S', '1', 'b'), inSeries('b', '2')], 'a'],
    ['the selector', [aPlan('a', {}, { labels: { t: 'x' } }), aPlan('b')], 'a', { matchLabels: { t: 'x' } }],
    [
      'matchExpressions',
      [aPlan('a', {}, { labels: { t: 'x' } }), aPlan('b', {}, { labels: { t: 'y' } })],
      'a',
      { matchExpressions: [{ key: 't', operator: 'NotIn', values: ['y'] }] },
    ],
    ['a head that supersedes another', [claiming('a', 's', '1', 'b'), inSeries('b', '9', {}, 't')], 'a'],
    [
      'a superseded head, which lets no older plan of its series in',
      [claiming('a', 's', '1', 'b9'), inSeries('b9', '9', {}, 't'), inSeries('b8', '8', {}, 't')],
      'a',
    ],
    [
      'a chain of claims',
      [claiming('a', 's', '1', 'b'), claiming('b', 't', '2', 'c'), inSeries('c', '3', {}, 'u')],
      'a',
    ],
    [
      'a claim on a plan that is not a head',
      [claiming('a', 's', '1', 'b1'), inSeries('b1', '1', {}, 't'), inSeries('b2', '2', {}, 't')],
      'b2',
    ],
    [
      'a claim of a plan that is not a head',
      [claiming('a1', 's', '1', 'b'), inSeries('a2', '2'), inSeries('b', '3', {}, 't')],
      'b',
    ],
    [
      'a claim into another namespace',
      [inSeries('a', '1', { supersedes: [{ name: 'b', namespace: 'other' }] }), inSeries('b', '2', {}, 't')],
      'b',
    ],
    ['two that supersede each other, by version', [claiming('a', 's', '2', 'b'), claiming('b', 't', '1', 'a')], 'a'],
    ['one that supersedes itself', [claiming('a', 's', '2', 'a')], 'a'],
    [
      'a cycle that a head outside supersedes in part',
      [claiming('a', 's', '3', 'b'), claiming('b', 't', '2', 'a'), claiming('c', 'u', '1', 'a')],
      'b',
    ],
    [
      'a cycle that supersedes a head outside',
      [claiming('a', 's', '1', 'b'), claiming('b', 't', '2', 'a', 'c'), inSeries('c', '9', {}, 'u')],
      'b',
    ],
  ])('the plan of a goal follows %s', (...[, plans, winner, planSelector]) => {
    const goal = aGoal(planSelector === undefined ? {} : { planSelector });
    expect(winnerOf(plans, goal)).toBe(winner);
    expect(winnerOf([...plans].reverse(), goal)).toBe(winner);
  });

  test('a chain of twenty thousand claims is followed without recursion', () => {
    const plans = Array.from({ length: 20_000 }, (_, at) => claiming(`p${at}`, `s${at}`, String(at), `p${at + 1}`));
    expect(winnerOf(plans)).toBe('p0');
  });
});

describe('the status of a goal', () => {
  test('the status names the plan, the generation and when the condition came about', () => {
    expect(resolved(aGoal({}, { generation: 3 }), [aPlan('a')])).toMatchObject({
      changed: true,
      result: 'PlanFound',
      status: {
        phase: 'Ready',
        activePlanRef: { name: 'a', namespace: 'default' },
        observedGeneration: 3,
        conditions: [
          {
            type: 'PlanResolved',
            status: 'True',
            reason: 'PlanFound',
            message: "Plan 'a' resolved for goal",
            lastTransitionTime: NOW,
            observedGeneration: 3,
          },
        ],
      },
    });
  });

  test.each<[string, Plan[], string, string]>([
    ['without plans', [], 'NoPlanFound', 'No matching plan found for goal'],
    ['with one plan', [aPlan('a')], 'NoPlanMatchesSelector', "The goal's only plan does not match its planSelector"],
    [
      'with two plans',
      [aPlan('a'), aPlan('b')],
      'NoPlanMatchesSelector',
      "None of the goal's 2 plans matches its planSelector",
    ],
  ])('a goal %s that match nothing loses its plan and says why', (_what, plans, reason, message) => {
    const goal = aGoal(
      { planSelector: { matchLabels: { t: 'x' } } },
      {},
      {
        phase: 'Ready',
        activePlanRef: { name: 'a', namespace: 'default' },
        observedGeneration: 1,
        note: 'kept',
      },
    );
    const { status } = resolved(goal, plans);
    expect(status).toMatchObject({ phase: 'Pending', note: 'kept' });
    expect(status).not.toHaveProperty('activePlanRef');
    expect(conditionIn(status, 'PlanResolved')).toMatchObject({ status: 'False', reason, message });
  });

  test('a status that says all already is the same object, and nothing is written', () => {
    const goal = after(aGoal(), [aPlan('a')]);
    const again = resolved(goal, [aPlan('a')], LATER);
    expect([again.changed, again.status === (goal.status as unknown)]).toEqual([false, true]);
  });

  test("lastTransitionTime moves only with the condition's status, and what others added stays", () => {
    const first = after(aGoal(), [aPlan('a')]);
    const [condition] = first.status!.conditions as unknown as JsonObject[];
    const noted = {
      ...first,
      status: { ...first.status, conditions: [{ ...condition!, note: 'kept' }] },
    } as unknown as Goal;
    const other = resolved(noted, [aPlan('b')], LATER);
    expect(conditionIn(other.status, 'PlanResolved')).toMatchObject({
      message: "Plan 'b' resolved for goal",
      lastTransitionTime: NOW,
      note: 'kept',
    });
    const none = conditionIn(resolved(noted, [], LATER).status, 'PlanResolved');
    expect(none).toMatchObject({ status: 'False', lastTransitionTime: '2026-11-27T10:01:00.000Z' });
    expect(none).not.toHaveProperty('note');
  });

  test.each<[string, JsonObject]>([
    ['another phase', { phase: 'Pending' }],
    ['a ref into another namespace', { activePlanRef: { name: 'a', namespace: 'other' } }],
    ['a ref with more keys', { activePlanRef: { name: 'a', namespace: 'default', uid: 'u' } }],
    ['an old generation', { observedGeneration: 0 }],
    ['no conditions', { conditions: [] }],
    ['conditions that are no list', { conditions: 'none' }],
    ['a condition without its time', { conditions: [{ type: 'PlanResolved', status: 'True' }] }],
  ])('a status with %s is repaired', (_what, over) => {
    const right = resolved(aGoal(), [aPlan('a')]).status;
    const goal = aGoal({}, {}, { ...right, ...over });
    expect(resolved(goal, [aPlan('a')])).toMatchObject({ changed: true, status: right });
  });

  test('conditions of others keep their place', () => {
    const accepted = { type: 'Accepted', status: 'True', reason: 'GoalCreated', message: '', lastTransitionTime: NOW };
    const goal = aGoal({}, {}, { phase: 'Pending', conditions: [accepted] });
    expect((resolved(goal, []).status.conditions as JsonObject[]).map(({ type }) => type)).toEqual([
      'Accepted',
      'PlanResolved',
    ]);
  });

  test('a cycle of supersedes is named, and its end as well', () => {
    const cycle = [claiming('b', 't', '1', 'a'), claiming('a', 's', '2', 'b'), claiming('c', 'u', '1', 'c')];
    const goal = after(aGoal(), cycle);
    expect(conditionIn(goal.status as JsonObject, 'SupersedesCycle')).toMatchObject({
      status: 'True',
      reason: 'CycleFound',
      message: 'Plans a, b supersede one another; plan c supersedes itself: these claims do not count',
    });
    const gone = resolved(goal, [inSeries('a', '2')], LATER).status;
    expect(conditionIn(gone, 'SupersedesCycle')).toMatchObject({ status: 'False', reason: 'NoCycle' });
    expect(conditionIn(resolved(aGoal(), [aPlan('a')]).status, 'SupersedesCycle')).toBeUndefined();
  });
});

describe('a goal that executes or has ended', () => {
  const withPhase = (phase: string, plan = 'a', generation = 1): Goal => {
    const goal = after(aGoal({}, { generation: 1 }), [aPlan(plan)]);
    return { ...goal, metadata: { ...goal.metadata, generation }, status: { ...goal.status, phase } } as Goal;
  };

  test.each(['Executing', 'Succeeded', 'Failed', 'Cancelled'])(
    'a goal that is %s keeps its phase and its plan',
    (phase) => {
      const { status, pinned, winner } = resolved(withPhase(phase), [aPlan('a'), aPlan('b')], LATER);
      expect({ pinned, winner }).toEqual({ pinned: true, winner: 'b' });
      expect(status).toMatchObject({ phase, activePlanRef: { name: 'a' } });
      expect(conditionIn(status, 'PlanChanged')).toMatchObject({
        status: 'True',
        reason: 'OtherPlanFound',
        message: "The goal stays with plan 'a', but now plan 'b' would be resolved",
      });
      expect(conditionIn(status, 'PlanResolved')).toMatchObject({ status: 'True', lastTransitionTime: NOW });
    },
  );

  test('a goal that executes says when its plan is gone, and when it is back', () => {
    const gone = after(withPhase('Executing'), [], LATER);
    expect(conditionIn(gone.status as JsonObject, 'PlanChanged')).toMatchObject({ status: 'True', reason: 'PlanGone' });
    const back = resolved(gone, [aPlan('a')], LATER).status;
    expect(conditionIn(back, 'PlanChanged')).toMatchObject({ status: 'False', reason: 'PlanCurrent' });
  });

  test.each<[string, Goal, boolean]>([
    ['a new generation', withPhase('Succeeded', 'a', 2), false],
    ['the option again', withPhase('Failed'), true],
  ])('%s brings a goal back to resolution', (_what, goal, again) => {
    const { status, pinned } = resolve(goal, [aPlan('b')], { nowMs: LATER, again });
    expect(pinned).toBe(false);
    expect(status).toMatchObject({ phase: 'Ready', activePlanRef: { name: 'b' } });
  });

  const going = (plan = 'a') => ({ execution: { name: 'go', plan } });
  test.each<[string, Goal, string[], ReturnType<typeof going>, JsonObject, string | undefined]>([
    [
      'waits for the end of its execution, and says which plan would win',
      withPhase('Executing', 'a', 2),
      ['a', 'b'],
      going(),
      { phase: 'Executing', activePlanRef: { name: 'a', namespace: 'default' }, observedGeneration: 1 },
      "Generation 2 of the goal waits for the end of execution 'go'; now plan 'b' would be resolved",
    ],
    [
      'waits also where the same plan would win',
      withPhase('Executing', 'a', 2),
      ['a'],
      going(),
      { phase: 'Executing', activePlanRef: { name: 'a', namespace: 'default' }, observedGeneration: 1 },
      "Generation 2 of the goal waits for the end of execution 'go'; now plan 'a' would be resolved",
    ],
    [
      'waits also where its time is over',
      withPhase('Failed', 'a', 2),
      [],
      going(),
      { phase: 'Failed', activePlanRef: { name: 'a', namespace: 'default' }, observedGeneration: 1 },
      "Generation 2 of the goal waits for the end of execution 'go'; now no plan would be resolved",
    ],
    [
      'waits for an execution that has not begun',
      withPhase('Ready', 'a', 2),
      ['a', 'b'],
      going(),
      { phase: 'Ready', activePlanRef: { name: 'a', namespace: 'default' }, observedGeneration: 1 },
      "Generation 2 of the goal waits for the end of execution 'go'; now plan 'b' would be resolved",
    ],
    [
      'does not wait for an execution of another plan',
      withPhase('Executing', 'a', 2),
      ['a', 'b'],
      going('b'),
      { phase: 'Ready', activePlanRef: { name: 'b', namespace: 'default' }, observedGeneration: 2 },
      undefined,
    ],
  ])('a new generation of a goal %s', (_what, goal, names, options, wanted, message) => {
    const plans = names.map((name) => aPlan(name));
    const { status } = resolve(goal, plans, { nowMs: LATER, ...options });
    expect(status).toMatchObject(wanted);
    const changed = conditionIn(status, 'PlanChanged');
    if (message === undefined) return expect(changed).toBeUndefined();
    expect(changed).toMatchObject({ status: 'True', reason: 'GenerationWaits', message, observedGeneration: 2 });
    expect(conditionIn(status, 'PlanResolved')).toMatchObject({ status: 'True', observedGeneration: 1 });
    // Nothing more is written while it goes on; its end has the goal resolved anew.
    const waiting = { ...goal, status } as unknown as Goal;
    expect(resolve(waiting, plans, { nowMs: LATER + 1, ...options }).changed).toBe(false);
    const ended = { ...waiting, status: { ...status, phase: 'Succeeded' } } as unknown as Goal;
    expect(resolve(ended, plans, { nowMs: LATER }).status).toMatchObject({
      phase: names.length === 0 ? 'Pending' : 'Ready',
      observedGeneration: 2,
    });
    expect(conditionIn(resolve(ended, plans, { nowMs: LATER }).status, 'PlanChanged')?.status).toBe('False');
  });

  test('a goal whose execution has not begun keeps its plan, and one without a plan gets one', () => {
    const { status } = resolve(withPhase('Ready'), [aPlan('a'), aPlan('b')], { nowMs: LATER, ...going() });
    expect(status).toMatchObject({ phase: 'Ready', activePlanRef: { name: 'a' } });
    expect(conditionIn(status, 'PlanChanged')).toMatchObject({ status: 'True', reason: 'OtherPlanFound' });
    const without = resolve(aGoal(), [aPlan('a')], { nowMs: LATER, ...going() }).status;
    expect(without).toMatchObject({ phase: 'Ready', activePlanRef: { name: 'a' } });
  });

  test('a goal that was sent as executing without a plan gets one and keeps its phase', () => {
    const { status } = resolved(aGoal({}, {}, { phase: 'Executing' }), [aPlan('a')]);
    expect(status).toMatchObject({ phase: 'Executing', activePlanRef: { name: 'a' }, observedGeneration: 1 });
  });
});

describe('the explanation', () => {
  const goal = aGoal({ planSelector: { matchExpressions: [{ key: 'off', operator: 'DoesNotExist' }] } });
  const plans = [
    inSeries('old', '1', { supersedes: [{ name: 'rival' }] }),
    inSeries('new', '2', { supersedes: [{ name: 'gone' }] }),
    inSeries('rival', '1.5', {}, 't'),
    inSeries('odd', 'latest', {}, 'u'),
    aPlan('off', {}, { labels: { off: 'x' } }),
    claiming('old-rival', 'v', '0.1', 'odd'),
  ];
  test('the explanation names for each plan the step that dropped or chose it', () => {
    const { winner, plans: verdicts } = resolved(goal, plans).explain();
    expect(winner).toBe('new');
    expect(verdicts.map(({ plan, step, because, notes }) => [plan, step, because, ...notes])).toEqual([
      [
        'new',
        'chosen',
        'is the greatest version of those that are left',
        'it supersedes gone, which is not the head of a series of this goal',
      ],
      [
        'old-rival',
        'version',
        'is not the greatest of those that are left: new has the greater version, 2 against 0.1',
      ],
      ['rival', 'version', 'is not the greatest of those that are left: new has the greater version, 2 against 1.5'],
      [
        'odd',
        'supersedes',
        'is superseded by old-rival',
        'its version "latest" cannot be read, and ranks below every other',
      ],
      [
        'old',
        'series',
        'is not the head of series "s": new has the greater version, 2 against 1',
        'its claim to supersede rival was not considered: it is not the head of its series',
      ],
      ['off', 'planSelector', 'does not match the goal\'s planSelector: label off is "x", expected DoesNotExist'],
    ]);
    expect(resolved(goal, [...plans].reverse()).explain()).toEqual(resolved(goal, plans).explain());
  });

  test('why a plan is not the active one is one sentence', () => {
    const explanation = resolved(goal, plans).explain();
    expect(whySentence(explanation, 'odd')).toBe(
      'Plan odd is not the active plan of goal default/g: it is superseded by old-rival; its version "latest" cannot be read, and ranks below every other.',
    );
    expect(whySentence(explanation, 'none')).toMatch(/^Plan none does not name goal default\/g/);
    const pinned = { ...after(aGoal(), [aPlan('a')]) };
    const running = { ...pinned, status: { ...pinned.status, phase: 'Executing' } } as Goal;
    expect(whySentence(resolved(running, [aPlan('a'), aPlan('b')]).explain(), 'b')).toBe(
      'Plan b is not the active plan of goal default/g: the goal keeps a while it executes and after; it would be chosen now.',
    );
  });
});

describe('properties', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const plan = fc.record({
    name: names,
    series: fc.constantFrom(undefined, '', 's', 't', 'u'),
    version: fc.constantFrom('1', '2', '1.0', 'v2', '2-rc', 'latest', '10'),
    supersedes: fc.array(names, { maxLength: 3 }),
    label: fc.constantFrom(undefined, 'x', 'y'),
    created: fc.constantFrom(undefined, '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
  });
  const plans = fc.uniqueArray(plan, { selector: ({ name }) => name, maxLength: 6 }).map((all) =>
    all.map(({ name, series, version, supersedes, label, created }) =>
      aPlan(
        name,
        {
          ...(series === undefined ? {} : { series, version }),
          supersedes: supersedes.map((each) => ({ name: each })),
        },
        {
          ...(label === undefined ? {} : { labels: { l: label } }),
          ...(created === undefined ? {} : { creationTimestamp: created }),
        },
      ),
    ),
  );
  const goal = fc
    .tuple(
      fc.constantFrom<JsonObject>({}, { planSelector: { matchLabels: { l: 'x' } } }),
      fc.constantFrom<JsonObject | undefined>(undefined, { phase: 'Executing' }, { phase: 'Planning' }),
    )
    .map(([spec, status]) => aGoal(spec, {}, status));

  test('the answer does not depend on the order of the plans', () => {
    fc.assert(
      fc.property(goal, plans, fc.infiniteStream(fc.nat()), (g, all, random) => {
        const shuffled = all
          .map((each) => ({ each, at: random.next().value as number }))
          .sort((one, other) => one.at - other.at)
          .map(({ each }) => each);
        expect(resolved(g, shuffled).status).toEqual(resolved(g, all).status);
        expect(resolved(g, shuffled).explain()).toEqual(resolved(g, all).explain());
      }),
    );
  });

  test('resolving twice changes nothing, also while an execution is under way', () => {
    const execution = fc.option(
      names.map((plan) => ({ name: 'go', plan })),
      { nil: undefined },
    );
    fc.assert(
      fc.property(goal, plans, execution, fc.constantFrom(1, 2), (g, all, running, generation) => {
        const first = after(g, all);
        const goal = { ...first, metadata: { ...first.metadata, generation } };
        const { status } = resolve(goal, all, { nowMs: AT, execution: running });
        const second = { ...goal, status } as unknown as Goal;
        expect(resolve(second, all, { nowMs: LATER, execution: running }).changed).toBe(false);
      }),
    );
  });

  test('a goal keeps its plan while it is executed, and the generation that this was begun for', () => {
    fc.assert(
      fc.property(goal, plans, plans, fc.constantFrom(1, 2), (g, all, others, generation) => {
        const first = after(g, all);
        const active = (first.status?.activePlanRef as { name: string } | undefined)?.name;
        fc.pre(active !== undefined);
        const goal = { ...first, metadata: { ...first.metadata, generation } };
        const { status } = resolve(goal, others, { nowMs: LATER, execution: { name: 'go', plan: active! } });
        const { phase, activePlanRef } = first.status!;
        expect(status).toMatchObject({ phase, activePlanRef, observedGeneration: 1 });
      }),
    );
  });

  test('a plan of another goal changes nothing', () => {
    fc.assert(
      fc.property(goal, plans, fc.boolean(), (g, all, isAbroad) => {
        const stranger = isAbroad
          ? aPlan('z', { series: 's', version: '99' }, { namespace: 'abroad' })
          : aPlan('z', {
              goalRef: { name: 'other' },
              supersedes: all.map(({ metadata }) => ({ name: metadata.name })),
            });
        expect(resolved(g, [...all, stranger]).status).toEqual(resolved(g, all).status);
      }),
    );
  });

  test('a goal with a plan that its selector takes always has a winner', () => {
    fc.assert(
      fc.property(goal, plans, (g, all) => {
        const { result, winner } = resolved(g, all);
        expect(winner !== undefined).toBe(result === 'PlanFound');
        const taken = all.filter(({ metadata }) => g.spec.planSelector === undefined || metadata.labels?.l === 'x');
        expect(winner !== undefined).toBe(taken.length > 0);
      }),
    );
  });

  test('an index that was changed plan by plan answers as one of the plans that are left', () => {
    const goalRef = fc.constantFrom<JsonObject>({ name: 'g' }, { name: 'h' }, {});
    const change = fc.record({ name: names, goalRef, remove: fc.boolean(), version: fc.constantFrom('1', '2', '3') });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const index = createPlanIndex();
        const left = new Map<string, Plan>();
        for (const { name, goalRef: ref, remove, version } of changes) {
          const plan = aPlan(name, { goalRef: ref, series: 's', version });
          const before = ['g', 'h'].map((each) => resolved(aGoal({}, { name: each }), [...left.values()]).status);
          const touched = remove ? index.remove(plan.metadata) : index.put(plan);
          if (remove) left.delete(name);
          else left.set(name, plan);
          for (const [at, each] of ['g', 'h'].entries()) {
            const goalNow = aGoal({}, { name: each });
            const wanted = resolved(goalNow, [...left.values()]).status;
            expect(resolved(goalNow, [...index.plansOf(goalNow.metadata)]).status).toEqual(wanted);
            // Whatever changes is told.
            if (JSON.stringify(wanted) !== JSON.stringify(before[at]))
              expect(touched.map(({ name: told }) => told)).toContain(each);
          }
        }
      }),
    );
  });
});
