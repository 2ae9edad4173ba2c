import { describe, expect, test } from '@jest/globals';
import { GateError } from '../../../src/kernel/failures';
import type { JsonObject, JsonValue } from '../../../src/kernel/json';
import { readPolicies } from '../../../src/rules/document/read-policies';
import type { EvaluationState, Subject } from '../../../src/rules/evaluation/evaluation-state';
import {
  evaluatePolicies,
  type Evaluation,
  type EvaluationOptions,
} from '../../../src/rules/evaluation/evaluate-policies';
import { PARCELS } from '../parcels';

const policy = (name: string, over: JsonObject = {}): JsonObject => ({
  name,
  type: 'loading',
  conditions: { metric: 'depot.open', operator: 'eq', value: true },
  actions: { load: { lane: 1 } },
  ...over,
});
const read = (...documents: JsonValue[]) =>
  readPolicies(
    documents.map((document, index) => ({ where: { file: `${index}.json` }, document })),
    PARCELS,
  );
function faultsOf(...documents: JsonValue[]): string[] {
  try {
    read(...documents);
    return [];
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    return error.faults.map(({ where, message }) => `${where} | ${message}`);
  }
}

describe('documents', () => {
  test('every fault of every document is told, with its place and the nearest name', () => {
    expect(
      faultsOf(
        policy('a', { conditions: { metric: 'depot.x', operator: 'greater', value: 1 }, priorty: 1 }),
        policy('b', { conditions: { all: [{ metric: 'depo.x', operator: 'eq', value: 1 }] }, dependsOn: ['cc'] }),
        policy('c', { actions: { laod: {} }, type: 'loading' }),
        policy('d', { actions: [{ load: { lane: 0 } }, { load: { lane: 1, colour: 'red' } }] }),
        policy('e', { conditions: { function: 'afer', args: {} } }),
        policy('f', { conditions: { function: 'after', args: { at: 'noon' } } }),
        policy('g', { effectiveFrom: '2026-02-30T00:00:00Z', scope: { operation: 'load' } }),
        policy('h', { type: 'loadin' }),
        policy('a'),
        [policy('i', { extends: 'nothing' })],
      ),
    ).toMatchInlineSnapshot(`
      [
        "0.json priorty | 0.json: unknown key priorty in the document; did you mean priority?",
        "8.json name | 8.json: the policy a is defined twice, in 0.json too",
        "0.json conditions.operator | 0.json: expected one of eq, ne, lt, lte, gt, gte, in, not_in, contains, matches, exists, not_exists, between, starts_with, ends_with, got "greater"",
        "1.json conditions.all[0].metric | 1.json: expected a metric of parcel, lorry, depot, got depo.x; did you mean depot?",
        "2.json actions.laod | 2.json: unknown action laod; did you mean load?",
        "3.json actions[0].load | 3.json: expected lane to be at least 1, got 0",
        "3.json actions[1].load | 3.json: unknown key colour in load; known are lane, note",
        "4.json conditions.function | 4.json: expected the name of a function, got "afer"; did you mean after?",
        "5.json conditions.args | 5.json: expected at to be a number",
        "6.json scope.operation | 6.json: expected an operation, one of load_parcel, got "load"",
        "6.json effectiveFrom | 6.json: expected an RFC 3339 time such as 2026-11-26T10:00:00Z, got "2026-02-30T00:00:00Z"",
        "7.json type | 7.json: expected one of loading (did you mean loading?), got "loadin"",
        "9.json extends | 9.json: no policy is named nothing",
        "1.json dependsOn | 1.json: expected the name of a policy that can be evaluated, got cc; did you mean c?",
      ]
    `);
  });

  test('a dependency that does not exist and one that comes back to itself are told once', () => {
    expect(
      faultsOf(
        policy('a', { dependsOn: ['b'] }),
        policy('b', { dependsOn: ['a', 'd'] }),
        policy('c', { dependsOn: ['a'] }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "1.json dependsOn | 1.json: expected the name of a policy that can be evaluated, got d; did you mean a?",
        "0.json dependsOn | 0.json: policies depend on one another: a → b → a",
      ]
    `);
  });
});

describe('composition', () => {
  const base = policy('base', {
    template: true,
    parameters: { limit: { type: 'number', minimum: 0 }, lane: { type: 'integer', default: 2 } },
    scope: { labels: { tier: 'gold' } },
    priority: 3,
    conditions: { metric: 'depot.queue', operator: 'lt', value: { parameter: 'limit' } },
    actions: { load: { lane: { parameter: 'lane' }, note: 'from base' } },
  });
  const open = {
    fragments: { open: { metric: 'depot.open', operator: 'eq', value: true }, ready: { all: [{ include: 'open' }] } },
  };

  test('what extends, includes and fills in is what would be written by hand', () => {
    const composed = read(base, open, {
      name: 'child',
      extends: 'base',
      arguments: { limit: { parameter: 'most' } },
      parameters: { most: { type: 'number', default: 9 } },
      scope: { operation: 'load_parcel' },
      conditions: { all: [{ inherited: true }, { include: 'ready' }, { not: { include: 'open' } }] },
      actions: { load: { note: null } },
    });
    const isOpen = { metric: 'depot.open', operator: 'eq', value: true };
    const byHand = read({
      name: 'child',
      type: 'loading',
      priority: 3,
      scope: { operation: 'load_parcel', labels: { tier: 'gold' } },
      conditions: {
        all: [{ metric: 'depot.queue', operator: 'lt', value: 9 }, { all: [isOpen] }, { not: isOpen }],
      },
      actions: { load: { lane: 2 } },
    });
    expect(composed.policies).toEqual(byHand.policies);
  });

  test('cycles, missing parents, fragments and arguments are faults', () => {
    expect(
      faultsOf(
        base,
        policy('a', { extends: 'b' }),
        policy('b', { extends: 'a' }),
        { name: 'c', extends: 'base' },
        { name: 'd', extends: 'base', arguments: { limit: '9', line: 1 } },
        policy('e', { conditions: { include: 'opne' } }),
        policy('f', { conditions: { inherited: true } }),
        policy('g', { parameters: { x: { type: 'number', default: 'y' } } }),
        policy('h', { conditions: { include: 'x' } }),
        { fragments: { x: { all: [{ include: 'y' }] }, y: { not: { include: 'x' } } } },
      ),
    ).toMatchInlineSnapshot(`
      [
        "1.json extends | 1.json: policies extend one another: a → b → a",
        "2.json extends | 2.json: policies extend one another: b → a → b",
        "3.json conditions.value | 3.json: the parameter limit has no default and is not given",
        "4.json arguments.limit | 4.json: expected a value of type number, got a text",
        "4.json arguments.line | 4.json: unknown parameter line; did you mean lane?",
        "5.json conditions | 5.json: unknown fragment opne; known are x, y",
        "6.json conditions | 6.json: expected extends beside inherited: there are no conditions to inherit",
        "7.json parameters.x.default | 7.json: expected a value of type number, got a text",
        "8.json conditions.all[0].not | 8.json: fragments include one another: x → y → x",
      ]
    `);
  });
});

describe('evaluation', () => {
  const state: EvaluationState = {
    nowMs: 1_000,
    metrics: { depot: { open: true, queue: 5 } },
    candidates: [
      { id: 'l1', metrics: { lorry: { free: 10 } } },
      { id: 'l2', metrics: { lorry: { free: 50 } } },
      { id: 'l3', metrics: { lorry: {} } },
      { id: 'l4', metrics: { lorry: { free: 90 } }, barred: 'in repair' },
    ],
  };
  const parcels: Subject[] = [
    { id: 'p1', labels: { tier: 'gold' }, metrics: { parcel: { weight: 20 } } },
    { id: 'p2', labels: {}, metrics: { parcel: {} } },
  ];
  const evaluate = (documents: JsonValue[], options: EvaluationOptions = {}): Evaluation[] =>
    evaluatePolicies(read(...documents).policies, parcels, state, PARCELS, options);
  const outcomes = (evaluations: Evaluation[]) =>
    evaluations.flatMap(({ subject, results }) =>
      results.map(({ policy: name, outcome, matched }) => [name, subject.id, outcome, matched]),
    );

  const room = policy('room', {
    conditions: {
      all: [
        { metric: 'lorry.free', operator: 'gte', value: { metric: 'parcel.weight' } },
        { metric: 'depot.open', operator: 'eq', value: true },
      ],
    },
  });

  test('a policy that reads candidates keeps those of which it is true and says why it drops the others', () => {
    const [first, second] = evaluate([room]);
    expect(first!.results[0]!.candidates).toEqual([
      {
        id: 'l1',
        kept: false,
        outcome: 'false',
        reason: 'lorry.free ≥ parcel.weight does not hold: it is 10 and parcel.weight is 20',
      },
      { id: 'l2', kept: true, outcome: 'true', reason: '' },
      { id: 'l3', kept: false, outcome: 'unknown', reason: expect.stringContaining('lorry.free is missing') },
      { id: 'l4', kept: false, outcome: 'false', reason: 'in repair' },
    ]);
    expect(second!.subject.id).toBe('p2');
    expect(second!.results[0]).toMatchObject({
      outcome: 'unknown',
      missing: ['parcel.weight', 'lorry.free'],
    });
  });

  test('a policy counts only when those it depends on matched, is for the question, and is in force', () => {
    const closed = { metric: 'depot.open', operator: 'eq', value: false };
    expect(
      outcomes(
        evaluate(
          [
            policy('always', { priority: 1 }),
            policy('gold', { scope: { labels: { tier: 'gold' } } }),
            policy('needs-gold', { dependsOn: ['gold'], scope: { labels: { tier: 'gold' } } }),
            policy('never', { conditions: closed }),
            policy('needs-never', { dependsOn: ['never'] }),
            policy('off', { enabled: false }),
            policy('needs-off', { dependsOn: ['off'] }),
            policy('later', { effectiveFrom: '2026-01-01T00:00:00Z' }),
          ],
          { operation: 'load_parcel' },
        ),
      ),
    ).toEqual([
      ['always', undefined, 'true', true],
      ['later', undefined, 'true', false],
      ['needs-never', undefined, 'true', false],
      ['needs-off', undefined, 'true', false],
      ['never', undefined, 'false', false],
      ['gold', 'p1', 'true', true],
      ['needs-gold', 'p1', 'true', true],
    ]);
  });

  test('of two that contradict each other the one first in the order acts, and the conflict is told', () => {
    const [evaluation] = evaluate([
      policy('high', { priority: 2 }),
      policy('low', { actions: { load: { lane: 2 } } }),
      policy('same', { actions: { load: { lane: 1, note: 'x' } } }),
    ]);
    expect(evaluation!.conflicts).toEqual([
      { kept: 'high', dropped: 'low', action: 'load', rule: 'highest_priority', sentence: 'lane 1 and lane 2' },
    ]);
    expect(evaluation!.actions.map(({ policies }) => policies)).toEqual([['high'], ['same']]);
    const [merged] = evaluate(
      [policy('high', { priority: 2 }), policy('same', { actions: { load: { lane: 1, note: 'x' } } })],
      {
        conflicts: { loading: 'merge' },
      },
    );
    expect(merged!.actions).toEqual([
      { policies: ['high', 'same'], action: { name: 'load', settings: { lane: 1, note: 'x' } } },
    ]);
    const [first] = evaluate([policy('high', { priority: 2 }), policy('same')], {
      conflicts: { loading: 'first_match' },
    });
    expect(first).toMatchObject({ conflicts: [{ kept: 'high', dropped: 'same' }], actions: [{ policies: ['high'] }] });
  });
});
