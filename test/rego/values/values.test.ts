import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addFloats, divideFloats, multiplyFloats, toFloat } from '../../../src/rego/values/big-float';
import { fromFloat } from '../../../src/rego/values/big-float-text';
import { compareValues, equalValues } from '../../../src/rego/values/compare';
import { hashKey } from '../../../src/rego/values/hash-key';
import { writeDocument, writeJson } from '../../../src/rego/values/json';
import { ExactNumber, numberOf, numberText, toBigInt, toInt64 } from '../../../src/rego/values/number';
import { parseJson } from '../../../src/rego/values/parse-json';
import { fromPlain, toPlain } from '../../../src/rego/values/plain';
import { RegoObject } from '../../../src/rego/values/rego-object';
import { RegoSet } from '../../../src/rego/values/rego-set';
import type { RegoValue } from '../../../src/rego/values/value';

const numberTexts = fc.oneof(
  fc.integer({ min: -20, max: 20 }).map(String),
  fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -3, max: 3 })).map(([n, e]) => `${n}e${e}`),
  fc.constantFrom('1.0', '0.1', '-0', '1e400', '9007199254740993', '9007199254740992', '1e-7', '100000000000000000001'),
);
const text = fc.oneof(fc.constantFrom('', 'a', 'b', '\0', '\0n1e0', '\uE000', '😀', '__proto__'), fc.string());
const { value: values } = fc.letrec<{ value: RegoValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    text,
    numberTexts.map(numberOf),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => new RegoSet(items)),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((entries) => new RegoObject(entries)),
  ),
}));

describe('the order of values', () => {
  it('the order of values is total, and agrees with equality and hash keys', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        const order = Math.sign(compareValues(a, b));
        expect(Math.sign(compareValues(b, a))).toBe(-order + 0);
        expect(equalValues(a, b)).toBe(order === 0);
        expect(hashKey(a) === hashKey(b)).toBe(order === 0);
        if (order <= 0 && compareValues(b, c) <= 0) expect(compareValues(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('the order of values goes by type first, strings by code point', () => {
    const sorted = [null, false, true, -1, 1.5, '', '\uE000', '😀', [], [1], new RegoObject(), new RegoSet()];
    expect([...sorted].reverse().sort(compareValues)).toEqual(sorted);
  });
});

describe('numbers', () => {
  it('numbers keep the spelling that OPA keeps, and compare by exact value', () => {
    expect(numberOf('1.5')).toBe(1.5);
    expect(numberOf('1.0')).toEqual(new ExactNumber('1.0'));
    expect(equalValues(numberOf('1.0'), 1)).toBe(true);
    expect(compareValues(numberOf('9007199254740993'), 9007199254740992)).toBe(1);
    expect(compareValues(numberOf('1e400'), numberOf('1e401'))).toBe(-1);
  });

  it('numbers are integers by value for arithmetic, by spelling for positions', () => {
    expect([toBigInt(numberOf('1e21')), toBigInt(numberOf('2.0')), toBigInt(2.5)]).toEqual([10n ** 21n, 2n, undefined]);
    expect([toInt64(numberOf('2.0')), toInt64(numberOf('1e2')), toInt64(numberOf('9223372036854775808'))]).toEqual([
      2n,
      undefined,
      undefined,
    ]);
    expect(() => toBigInt(numberOf('1e999999'))).toThrow('number too big');
  });

  it.each([
    [addFloats, '0.1', '0.2', '0.3'],
    [addFloats, '0.1', '0.7', '0.8'],
    [multiplyFloats, '1.1', '1.1', '1.21'],
    [divideFloats, '1', '3', '0.33333333333333333334'],
    [divideFloats, '2', '3', '0.6666666666666666667'],
    [multiplyFloats, '1e-9', '3', '2.9999999999999999998e-09'],
    [multiplyFloats, '1234567.5', '1', '1.2345675e+06'],
    [multiplyFloats, '0.5', '2e30', '1000000000000000000000000000000'],
  ] as const)('case %#: arithmetic prints as in OPA', (operation, a, b, expected) => {
    expect(numberText(fromFloat(operation(toFloat(numberOf(a)), toFloat(numberOf(b)))))).toBe(expected);
  });
});

describe('JSON', () => {
  it('JSON keeps numbers, and the last value of a key', () => {
    const source = '{"a": 1.0, "b": [1e2, 9007199254740993, -0, "1.0\\""], "__proto__": {"\\u0000": true}, "a": 1.50 }';
    expect(writeJson(parseJson(source))).toBe(
      '{"__proto__":{"\\u0000":true},"a":1.50,"b":[1e2,9007199254740993,-0,"1.0\\""]}',
    );
  });

  it('JSON writes sets as arrays, other keys as text, and no half of a surrogate pair', () => {
    const value = new RegoObject([
      [new RegoSet([3, 1, '<']), '\ud800'],
      [1, null],
    ]);
    expect(writeJson(value)).toBe('{"1":null,"[1,3,\\"\\\\u003c\\"]":"\ufffd"}');
  });

  it.each([
    ['half a pair', '\ud800x\udc00', '\ufffdx\ufffd'],
    ['a whole pair', '😀', '😀'],
    ['its letters behind a backslash', '\\ud800', '\\ud800'],
    ['half a pair behind a backslash', '\\\ud800', '\\\ufffd'],
  ])('a document for an evaluation has %s as OPA reads it', (_what, text, read) => {
    expect(JSON.parse(writeDocument({ [text]: [text] }))).toEqual({ [read]: [read] });
  });

  it.each(['1e999999', '[01]', '{"a":1,}', '"\u0001"', ''])('JSON refuses %j', (source) => {
    expect(() => parseJson(source)).toThrow(SyntaxError);
  });

  it('JSON reads back what it wrote, as text and as plain data', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (plain) => {
        const written = JSON.parse(JSON.stringify(plain)) as unknown;
        expect(toPlain(parseJson(writeJson(fromPlain(written))))).toEqual(written);
      }),
    );
  });
});
