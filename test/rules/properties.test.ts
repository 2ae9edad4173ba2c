import * as fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import type { JsonObject, JsonValue } from '../../src/kernel/json';
import { compileCondition } from '../../src/rules/conditions/compile-condition';
import type { Condition } from '../../src/rules/conditions/condition';
import { resolveDocument } from '../../src/rules/composition/resolve';
import { readPolicies } from '../../src/rules/document/read-policies';
import { answerRules } from '../../src/rules/evaluation/answer';
import { answerDocument } from '../../src/rules/evaluation/answer-document';
import { conjunctsOf, isEmpty, rangesOf } from '../../src/rules/lint/ranges';
import { PolicyIndex } from '../../src/rules/matching/policy-index';
import { PARCELS } from './parcels';

const RUNS = { numRuns: 60 };
const small = fc.integer({ min: 0, max: 4 });
const metric = fc.constantFrom('parcel.weight', 'lorry.free', 'depot.queue', 'depot.open');
const comparison: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ metric, operator: fc.constantFrom('eq', 'ne', 'lt', 'lte', 'gt', 'gte'), value: small }),
  fc.record({ metric, operator: fc.constantFrom('in', 'not_in'), value: fc.array(small, { maxLength: 3 }) }),
  fc.record({ metric, operator: fc.constantFrom('exists', 'not_exists') }),
  fc.record({ metric, operator: fc.constant('lt'), value: fc.record({ metric }) }),
);
const { condition } = fc.letrec<{ condition: JsonObject }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    comparison,
    fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }) as fc.Arbitrary<JsonObject>,
    fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }) as fc.Arbitrary<JsonObject>,
    fc.record({ not: tie('condition') }) as fc.Arbitrary<JsonObject>,
  ),
}));
/** Up to six policies: each may depend on those before it, be disabled, or be for labels. */
const policies = fc
  .array(
    fc.record({
      conditions: condition,
      priority: small,
      lane: fc.integer({ min: 1, max: 2 }),
      enabled: fc.integer({ min: 0, max: 9 }).map((drawn) => drawn > 0),
      isGold: fc.boolean(),
      needs: fc.array(small, { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((drawn) =>
    drawn.map(({ conditions, priority, lane, enabled, isGold, needs }, at): JsonObject => ({
      name: `p${at}`,
      type: 'loading',
      priority,
      enabled,
      ...(isGold ? { scope: { labels: { tier: 'gold' } } } : {}),
      dependsOn: [...new Set(needs.filter((need) => need < at).map((need) => `p${need}`))],
      conditions,
      actions: { load: { lane } },
    })),
  );
const value = fc.oneof(small, fc.constantFrom<JsonValue>(null, '1', true));
const thing = (key: string) => fc.dictionary(fc.constant(key), value, { maxKeys: 1 });
const yard = fc.record({
  depot: fc.dictionary(fc.constantFrom('queue', 'open'), value, { maxKeys: 2 }),
  lorries: fc
    .array(fc.record({ free: small, in_repair: fc.boolean() }, { requiredKeys: [] }), { maxLength: 3 })
    .map((lorries) => lorries.map((lorry, at) => ({ id: `l${at}`, ...lorry }))),
  parcels: fc
    .array(thing('weight'), { maxLength: 3 })
    .map((parcels) =>
      parcels.map((parcel, at) => ({ id: `c${at}`, ...parcel, ...(at % 2 === 0 ? { labels: { tier: 'gold' } } : {}) })),
    ),
});

const read = (documents: readonly JsonValue[]) =>
  readPolicies(
    documents.map((document, at) => ({ where: { file: `${at}.json` }, document })),
    PARCELS,
  );
const stateOf = (document: JsonValue) => PARCELS.readState(document, { file: 'yard.json' }, { nowMs: 1_000 });
const answer = (documents: readonly JsonValue[], state: JsonValue, options = {}) =>
  answerRules(read(documents).policies, stateOf(state), PARCELS, options);

/** The same value with the keys of its objects in another order. */
function turned(item: JsonValue): JsonValue {
  if (Array.isArray(item)) return item.map(turned);
  if (typeof item !== 'object' || item === null) return item;
  return Object.fromEntries(
    Object.entries(item)
      .reverse()
      .map(([key, each]) => [key, turned(each)]),
  );
}

describe('over random policies and states', () => {
  it('the order of files, of documents in a file and of keys does not matter', () => {
    fc.assert(
      fc.property(policies, yard, (documents, state) => {
        const expected = answerDocument(answer(documents, state as JsonValue), PARCELS);
        const reversed = [...documents].reverse();
        expect(answerDocument(answer(reversed, state as JsonValue), PARCELS)).toEqual(expected);
        expect(answerDocument(answer([reversed], turned(state as JsonValue)), PARCELS)).toEqual(expected);
        expect(answerDocument(answer(documents.map(turned), state as JsonValue), PARCELS)).toEqual(expected);
      }),
      RUNS,
    );
  });

  it('the index finds what evaluating each policy finds', () => {
    fc.assert(
      fc.property(policies, yard, (documents, state) => {
        const { policies: all } = read(documents);
        const plain = answerRules(all, stateOf(state as JsonValue), PARCELS);
        const indexed = answerRules(all, stateOf(state as JsonValue), PARCELS, {
          index: new PolicyIndex(all, PARCELS),
        });
        const holding = plain.results.filter(({ outcome }) => outcome === 'true');
        // Which dependencies are not met is told of those that hold; all else is the same.
        expect(indexed.results).toEqual(holding);
        expect(indexed.actions).toEqual(plain.actions);
        expect(indexed.conflicts).toEqual(plain.conflicts);
      }),
      RUNS,
    );
  });

  it('resolving what is resolved changes nothing, and inheriting all is being the parent', () => {
    fc.assert(
      fc.property(policies, (documents) => {
        const children = documents.map((document): JsonObject => ({
          name: `${document.name as string}-child`,
          extends: document.name as string,
          conditions: { all: [{ inherited: true }, { include: 'whole' }] },
        }));
        const fragments = { fragments: { whole: { metric: 'depot.queue', operator: 'exists' } } };
        const set = read([...documents, ...children, fragments]);
        for (const document of documents) {
          const { name, ...own } = document;
          const child = `${name as string}-child`;
          const resolved = resolveDocument(child, set.documents, set.fragments).document;
          const whole = { all: [document.conditions, fragments.fragments.whole] };
          expect(resolved).toEqual({ ...own, name: child, conditions: whole });
          const again = resolveDocument(child, new Map([[child, resolved]]), {}).document;
          expect(again).toEqual(resolved);
        }
      }),
      RUNS,
    );
  });

  it('a policy that extends, includes and fills in is, and answers, as one that was written out by hand', () => {
    const drawn = fc.record({
      ...{ part: condition, own: fc.option(condition), limit: small, priority: fc.option(small) },
      ...{ lane: fc.option(fc.integer({ min: 1, max: 3 })), usual: fc.integer({ min: 1, max: 3 }) },
      ...{ note: fc.constantFrom(null, 'kept', 'new'), tier: fc.constantFrom('gold', 'old') },
    });
    fc.assert(
      fc.property(drawn, yard, ({ part, own, limit, priority, lane, usual, note, tier }, state) => {
        const below = (value: JsonValue): JsonObject => ({ metric: 'depot.queue', operator: 'lt', value });
        const top: JsonObject = {
          ...{ name: 'top', template: true, type: 'loading', priority: 2 },
          parameters: { limit: { type: 'number' }, lane: { type: 'integer', minimum: 1 } },
          scope: { operation: 'load_parcel', labels: { tier: 'old' } },
          conditions: { all: [{ include: 'part' }, below({ parameter: 'limit' })] },
          actions: { load: { lane: { parameter: 'lane' }, note: 'kept' } },
        };
        const middle: JsonObject = {
          ...{ name: 'middle', template: true, extends: 'top' },
          parameters: { place: { type: 'integer', default: usual } },
          arguments: { limit, lane: { parameter: 'place' } },
          scope: { labels: { tier, lane: 'x' } },
          actions: { load: { note } },
        };
        const composed: JsonObject = {
          ...{ name: 'one', extends: 'middle' },
          ...(lane === null ? {} : { arguments: { place: lane } }),
          ...(priority === null ? {} : { priority }),
          ...(own === null ? {} : { conditions: { any: [{ inherited: true }, own] } }),
        };
        const inherited = { all: [part, below(limit)] };
        const byHand: JsonObject = {
          ...{ name: 'one', type: 'loading', priority: priority ?? 2 },
          scope: { operation: 'load_parcel', labels: { tier, lane: 'x' } },
          conditions: own === null ? inherited : { any: [inherited, own] },
          actions: { load: { lane: lane ?? usual, ...(note === null ? {} : { note }) } },
        };
        const documents = [composed, { fragments: { part } }, middle, top];
        const set = read(documents);
        expect(resolveDocument('one', set.documents, set.fragments).document).toEqual(byHand);
        const answers = [documents, [byHand]].map((all) => answerDocument(answer(all, state as JsonValue), PARCELS));
        expect(answers[0]).toEqual(answers[1]);
      }),
      RUNS,
    );
  });

  it('conditions that lint calls contradicting are true of no state', () => {
    fc.assert(
      fc.property(
        fc.array(comparison, { minLength: 2, maxLength: 4 }),
        fc.array(yard, { minLength: 5 }),
        (all, states) => {
          const whole = { all } as unknown as Condition;
          fc.pre([...rangesOf(conjunctsOf(whole)).values()].some(isEmpty));
          const test = compileCondition(whole, PARCELS.functions);
          for (const { depot, lorries, parcels } of states) {
            const metrics = { depot, lorry: lorries[0] ?? null, parcel: parcels[0] ?? null } as JsonObject;
            expect(test({ metrics, nowMs: 0 })).not.toBe('true');
          }
        },
      ),
      RUNS,
    );
  });
});

describe('limits', () => {
  const queue = { metric: 'depot.queue', operator: 'gte', value: 0 };
  const policy = (name: string, over: JsonObject = {}): JsonObject => ({
    name,
    type: 'loading',
    conditions: queue,
    actions: { load: { lane: 1 } },
    ...over,
  });

  it('a chain of 20,000 dependencies is evaluated', () => {
    const documents = Array.from({ length: 20_000 }, (_, at) =>
      policy(`p${at}`, at === 0 ? {} : { dependsOn: [`p${at - 1}`] }),
    );
    const { results } = answer(documents, { depot: { queue: 1 }, lorries: [], parcels: [] }, { policies: ['p19999'] });
    expect(results.map(({ policy: name, matched }) => [name, matched])).toEqual([['p19999', true]]);
  });

  it.each<[string, JsonValue[], string]>([
    [
      'fragments that double with each include',
      [
        policy('a', { conditions: { include: 'f0' } }),
        {
          fragments: Object.fromEntries(
            Array.from({ length: 25 }, (_, at) => [
              `f${at}`,
              at === 24 ? queue : { all: [{ include: `f${at + 1}` }, { include: `f${at + 1}` }] },
            ]),
          ),
        },
      ],
      'expected at most 1000 includes in a policy, got more',
    ],
    [
      'a long line of ancestors',
      Array.from({ length: 40 }, (_, at) => (at === 0 ? policy('p0') : { name: `p${at}`, extends: `p${at - 1}` })),
      'expected at most 32 policies that extend one another, got more',
    ],
    [
      'conditions in one another',
      [policy('a', { conditions: Array.from({ length: 40 }).reduce<JsonObject>((inner) => ({ not: inner }), queue) })],
      'expected conditions at most 32 levels deep, got more',
    ],
    [
      'many conditions',
      [policy('a', { conditions: { all: Array.from({ length: 1_001 }, () => queue) } })],
      'expected at most 1000 conditions in a policy, got more',
    ],
    [
      'a large document',
      [policy('a', { description: 'x'.repeat(270_000) })],
      'expected a policy of at most 262144 characters',
    ],
  ])('%s are refused', (_what, documents, sentence) => {
    expect(() => read(documents)).toThrow(sentence);
  });
});
