import { describe, expect, it } from '@jest/globals';
import type { JsonObject, JsonValue } from '../../../src/kernel/json';
import { evaluateRule } from './evaluate-fixture';

interface Case {
  rules: string;
  input?: JsonValue;
  data?: JsonObject;
  reasons: string[];
}

/** What the compiled module is known to answer in another way than OPA, and what it is not. */
const CASES: Record<string, Case> = {
  'a sum of fractions': { rules: 'response := input.a + input.b', input: { a: 0.1, b: 0.2 }, reasons: ['fraction'] },
  'a quotient that is a fraction': { rules: 'response := input.a / 3', input: { a: 1 }, reasons: ['fraction'] },
  'nothing divided by nothing': {
    rules: 'response := "none" if not (input.a / input.b) > 1',
    input: { a: 0, b: 0 },
    reasons: ['zero-by-zero'],
  },
  'something divided by nothing': {
    rules: 'response := "none" if not (input.a / 0) > 1',
    input: { a: 1 },
    reasons: [],
  },
  'a rounded fraction': { rules: 'response := round(input.a)', input: { a: 1.5 }, reasons: ['fraction'] },
  'a sum over a list with a fraction': {
    rules: 'response := sum(input.a)',
    input: { a: [1, 2.5] },
    reasons: ['fraction'],
  },
  'arithmetic with integers': { rules: 'response := (input.a * 3) + 1', input: { a: 4 }, reasons: [] },
  'a fraction that is only compared': { rules: 'response := input.a > 0.2', input: { a: 0.3 }, reasons: [] },
  'a product beyond 2^53': {
    rules: 'response := input.a * 10',
    input: { a: 999999999999999 },
    reasons: ['large-integer'],
  },
  'a literal beyond 2^53': { rules: 'response := 9007199254740993', reasons: ['large-integer'] },
  'an input beyond 2^53': { rules: 'response := 1', input: 9007199254740994, reasons: ['large-integer'] },
  'data beyond 2^53': { rules: 'response := 1', data: { a: [9007199254740994] }, reasons: ['large-integer'] },
  'the time as a number': { rules: 'response := time.now_ns() > 5', reasons: ['large-integer'] },
  'a list that is filled from a set': { rules: 'response := [x | some x in {"b", "a"}]', reasons: ['unordered-list'] },
  'a list that is filled from an object': {
    rules: 'response := [x | some x in input.a]',
    input: { a: { x: 1, y: 2 } },
    reasons: ['unordered-list'],
  },
  'a list that is filled from an object of one': {
    rules: 'response := [x | some x in input.a]',
    input: { a: { x: 1 } },
    reasons: [],
  },
  'a list that is filled from a list': {
    rules: 'response := [x | some x in input.a]',
    input: { a: [1, 2] },
    reasons: [],
  },
  'a set that is filled from an object': {
    rules: 'response := {x | some x in input.a}',
    input: { a: { x: 1, y: 2 } },
    reasons: [],
  },
  'lists of one that are made in an iteration': {
    rules: 'response := {[x, y] | some x, y in input.a}',
    input: { a: { x: 1, y: 2 } },
    reasons: [],
  },
  'a set that is joined': { rules: 'response := concat(",", {"a", "b"})', reasons: ['unordered-list'] },
  'a set that is written out': { rules: 'response := json.marshal({"a", "b"})', reasons: ['unordered-list'] },
  'a walk': { rules: 'response := {p | walk(input, [p, _])}', input: { a: 1 }, reasons: ['walk'] },
  'a number as a key into data': { rules: 'response := data.a[2]', data: { a: { '2': 'x' } }, reasons: ['number-key'] },
  'a number as a position in data': { rules: 'response := data.a[1]', data: { a: ['x', 'y'] }, reasons: [] },
  'a text as a position in data': {
    rules: 'response := data.a["1"]',
    data: { a: ['x', 'y'] },
    reasons: ['number-key'],
  },
  'nothing replaced': {
    rules: 'response := replace(input.a, "", "x")',
    input: { a: 'ab' },
    reasons: ['empty-replacement'],
  },
  'something replaced': { rules: 'response := replace(input.a, "b", "x")', input: { a: 'ab' }, reasons: [] },
  'the validity of base64': { rules: 'response := base64.is_valid(input.a)', input: { a: 'ab' }, reasons: ['base64'] },
  'the validity of JSON': {
    rules: 'response := json.is_valid(input.a)',
    input: { a: '1' },
    reasons: ['json-validity'],
  },
};

describe('the compiled module', () => {
  it.each(Object.entries(CASES))(
    'the compiled module has a vote unless there is a reason against it: %s',
    async (_, { reasons, ...rest }) => {
      const evaluation = await evaluateRule(rest.rules, rest);
      expect(evaluation.doubts().map(({ reason }) => reason)).toEqual(reasons);
      for (const { reason, at } of evaluation.doubts())
        if (reason !== 'large-integer') expect(at).toMatchObject({ row: 3 });
    },
  );
});

describe('what an evaluation touched', () => {
  it.each<[string, string, string[] | undefined]>([
    ['a field', 'response := input.a', ['a']],
    ['a field that is absent', 'response if not input.none', ['none']],
    ['a field by a computed name', 'response := input[input.b]', ['b', 'a']],
    ['a field through a helper', 'response := f(input)\nf(x) := x.a', ['a']],
    ['a field through a variable', 'response := x.a if x := input', ['a']],
    ['a field with a default', 'response := object.get(input, "a", 1)', ['a']],
    ['a field under a with', 'response := y if y := x with input.c as 1\nx := input.a', ['a']],
    ['nothing', 'response := 1', []],
    ['all fields', 'response := [x | some x in input]', undefined],
    ['the input whole', 'response := count(input)', undefined],
    ['the input as a value', 'response := input', undefined],
    ['the input in a comparison', 'response if input != {}', undefined],
  ])('what an evaluation touched is %s', async (_, rules, touched) => {
    const evaluation = await evaluateRule(rules, { input: { a: 1, b: 'a' } });
    expect(evaluation.touched).toEqual(touched);
  });
});
