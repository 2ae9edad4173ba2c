import fc from 'fast-check';
import { describe, expect, it, test } from '@jest/globals';
import type { JsonObject, JsonValue } from '../../../src/kernel/json';
import { compileCondition } from '../../../src/rules/conditions/compile-condition';
import type { Condition, Operator } from '../../../src/rules/conditions/condition';
import { explainCondition, missingMetrics } from '../../../src/rules/conditions/explain-condition';
import type { ConditionFunctions } from '../../../src/rules/conditions/functions';
import { conditionFaults } from '../../../src/rules/conditions/read-condition';
import { RuleMatcher } from '../../../src/rules/matching/rule-matcher';

const NONE: ConditionFunctions = new Map();
const over = (metrics: JsonObject) => ({ metrics, nowMs: 0 });
const truth = (condition: Condition, metrics: JsonObject) => compileCondition(condition, NONE)(over(metrics));

describe('each operator is true, false or unknown', () => {
  const OF: [Operator, JsonValue | undefined, { true: JsonValue[]; false: JsonValue[]; type: JsonValue[] }][] = [
    ['eq', 1, { true: [1], false: [2, '1', true, [1], { a: 1 }], type: [] }],
    ['eq', { a: [1], b: 2 }, { true: [{ b: 2, a: [1] }], false: [{ a: [1] }, 'x'], type: [] }],
    ['ne', 1, { true: [2, '1', [1]], false: [1], type: [] }],
    ['lt', 5, { true: [4.9, -1], false: [5, 6], type: ['4', true, [4], {}] }],
    ['lte', 5, { true: [5, 4], false: [5.1], type: ['5'] }],
    ['gt', 5, { true: [6], false: [5, 4], type: ['6', [6]] }],
    ['gte', 5, { true: [5, 6], false: [4], type: ['5'] }],
    ['in', ['a', 1], { true: ['a', 1], false: ['b', '1', true, []], type: [] }],
    ['in', [{ a: 1 }], { true: [{ a: 1 }], false: [{ a: 2 }, 'a'], type: [] }],
    ['not_in', ['a', 1], { true: ['b', '1'], false: ['a', 1], type: [] }],
    ['between', [1, 3], { true: [1, 2, 3], false: [0.9, 3.1], type: ['2', [2]] }],
    ['contains', 'ab', { true: ['cab', ['ab']], false: ['ba', ['cab'], []], type: [1, true, {}] }],
    ['contains', 1, { true: [[1]], false: [['1'], []], type: ['1', 1] }],
    ['contains', { a: 1 }, { true: [[{ a: 1 }]], false: [[{ a: 2 }, 1]], type: ['x'] }],
    ['matches', '^a+$', { true: ['aa'], false: ['ab', ''], type: [1, ['aa']] }],
    ['starts_with', 'ab', { true: ['abc'], false: ['cab'], type: [1] }],
    ['ends_with', 'ab', { true: ['cab'], false: ['abc'], type: [['ab']] }],
  ];
  it.each(OF)('%s %j', (operator, value, answers) => {
    const condition = { metric: 'node.x', operator, value };
    expect(conditionFaults(condition as never, '', NONE)).toEqual([]);
    for (const outcome of ['true', 'false'] as const) {
      for (const x of answers[outcome]) expect([x, truth(condition, { node: { x } })]).toEqual([x, outcome]);
    }
    for (const x of answers.type) {
      expect(explainCondition(condition, NONE, over({ node: { x } }))).toMatchObject({
        outcome: 'unknown',
        reason: 'type',
      });
    }
    for (const metrics of [{}, { node: null }, { node: {} }, { node: { x: null } }, { node: 'text' }] as JsonObject[]) {
      expect(truth(condition, metrics)).toBe('unknown');
      expect(missingMetrics(explainCondition(condition, NONE, over(metrics)))).toEqual(['node.x']);
    }
  });

  test('exists and not_exists are never unknown', () => {
    for (const metrics of [{}, { node: { x: null } }] as JsonObject[]) {
      expect(truth({ metric: 'node.x', operator: 'exists' }, metrics)).toBe('false');
      expect(truth({ metric: 'node.x', operator: 'not_exists' }, metrics)).toBe('true');
    }
    expect(truth({ metric: 'node.x', operator: 'exists' }, { node: { x: false } })).toBe('true');
  });

  test('a value may be another metric, of which a missing one is named', () => {
    const condition: Condition = { metric: 'node.used', operator: 'lt', value: { metric: 'node.size' } };
    expect(truth(condition, { node: { used: 1, size: 2 } })).toBe('true');
    expect(truth(condition, { node: { used: 1, size: '2' } })).toBe('unknown');
    expect(missingMetrics(explainCondition(condition, NONE, over({ node: { used: 1 } })))).toEqual(['node.size']);
  });

  test('a pattern that other engines take exponential time for ends', () => {
    const condition: Condition = { metric: 'node.x', operator: 'matches', value: '(a+)+$' };
    expect(truth(condition, { node: { x: `${'a'.repeat(50_000)}b` } })).toBe('false');
  });
});

describe('a tree of conditions', () => {
  const METRICS: JsonObject = { t: 1, f: 0 };
  const leaf = (name: 't' | 'f' | 'u'): Condition => ({ metric: name, operator: 'eq', value: 1 });
  it.each([
    [['t', 't'], 'true', 'true'],
    [['t', 'u'], 'unknown', 'true'],
    [['u', 'f'], 'false', 'unknown'],
    [['f', 'f'], 'false', 'false'],
    [['t', 'f', 'u'], 'false', 'true'],
    [['u'], 'unknown', 'unknown'],
  ] as const)('%j: all is %s, any is %s', (names, all, any) => {
    expect(truth({ all: names.map(leaf) }, METRICS)).toBe(all);
    expect(truth({ any: names.map(leaf) }, METRICS)).toBe(any);
  });
  test('not unknown is unknown', () => {
    expect(['t', 'f', 'u'].map((name) => truth({ not: leaf(name as 't') }, METRICS))).toEqual([
      'false',
      'true',
      'unknown',
    ]);
  });
});

const METRIC_NAMES = ['a', 'b', 'node.c', 'node.labels["x/y"]'];
const scalar = fc.oneof(fc.constantFrom('x', 'y', ''), fc.integer({ min: 0, max: 3 }), fc.boolean());
const comparison = fc.oneof(
  fc.record({ metric: fc.constantFrom(...METRIC_NAMES), operator: fc.constantFrom('eq', 'ne'), value: scalar }),
  fc.record({
    metric: fc.constantFrom(...METRIC_NAMES),
    operator: fc.constantFrom('lt', 'lte', 'gt', 'gte'),
    value: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({ metric: fc.constantFrom(...METRIC_NAMES), operator: fc.constantFrom('exists', 'not_exists') }),
  fc.record({ metric: fc.constantFrom(...METRIC_NAMES), operator: fc.constant('in'), value: fc.array(scalar) }),
);
const { condition: conditions } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    comparison as fc.Arbitrary<Condition>,
    fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 4 }) }),
    fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('condition') }),
  ),
}));
const value = fc.option(scalar as fc.Arbitrary<JsonValue>);
const states = fc.record({
  a: value,
  b: value,
  node: fc.record({ c: value, labels: fc.record({ 'x/y': value }) }),
}) as fc.Arbitrary<JsonObject>;

describe('for random conditions and states', () => {
  test('the explanation comes to the outcome of the evaluation', () => {
    fc.assert(
      fc.property(conditions, states, (condition, state) => {
        expect(explainCondition(condition, NONE, over(state)).outcome).toBe(truth(condition, state));
      }),
    );
  });
  test('the index finds exactly the conditions that are true', () => {
    fc.assert(
      fc.property(fc.array(conditions, { maxLength: 20 }), states, (list, state) => {
        const matched = new RuleMatcher(list, NONE).matching(over(state));
        expect(matched).toEqual(list.flatMap((each, at) => (truth(each, state) === 'true' ? [at] : [])));
      }),
    );
  });
});
