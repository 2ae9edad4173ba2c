import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonValue } from '../../../src/kernel/json';
import { findUnsafeNumber } from '../../../src/kernel/numbers';
import { JsonTextError, parseJsonText } from '../../../src/platform/documents/json-text';

const TWICE = 'the same key is twice in one object';
const NUMBER = 'a whole number within ±(2^53 − 1)';

function faultsOf(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    return error.faults.map(({ sentence, line }) => [line, sentence]);
  }
}

describe('a JSON text', () => {
  it('a JSON text without a fault has the value that JSON.parse gives', () => {
    fc.assert(
      fc.property(
        fc.json().filter((text) => findUnsafeNumber(JSON.parse(text)) === undefined),
        (text) => {
          const plain = JSON.parse(text) as JsonValue;
          expect(parseJsonText(text)).toEqual(plain);
          const spaced = JSON.stringify(plain, null, '\t');
          expect(parseJsonText(spaced)).toEqual(plain);
        },
      ),
    );
  });

  it.each([
    ['quotes and colons in texts', '{"a\\":": "\\\\\\": \\"b\\":", "b": ["c:", {"\\u0061": 1}]}'],
    ['the same key in two objects', '{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}'],
    ['a key between two texts', '["a", {"a" : "a"}]'],
    ['no members', '[{}, [], {"": {}}]'],
    ['the largest and smallest whole numbers', '[9007199254740991, -9007199254740991, 1e15, 0.1]'],
    ['inherited names', '{"constructor": 1, "toString": 2, "__proto__": {"a": 3}}'],
    ['exactly 1000 levels', `${'['.repeat(1000)}${']'.repeat(1000)}`],
  ])('a JSON text with %s is taken', (_what, text) => {
    expect(parseJsonText(text)).toEqual(JSON.parse(text));
  });

  it.each<[string, string, [number | undefined, string][]]>([
    ['a key twice', '{"a": 1,\n "b": 2,\n "a": 1}', [[3, TWICE]]],
    ['a key twice, once escaped', '{"a": 1, "\\u0061": 1}', [[1, TWICE]]],
    [
      'a key thrice',
      '{"a": 1,\n"a": 1,\n"a": 1}',
      [
        [2, TWICE],
        [3, TWICE],
      ],
    ],
    ['the key __proto__ twice', '{"__proto__": 1, "__proto__": 2}', [[1, TWICE]]],
    ['a key twice below', '[{"b": {"c": 1,\n"c": 2}}]', [[2, TWICE]]],
    ['2^53', '9007199254740992', [[1, `expected the document to be ${NUMBER}, got 9007199254740992`]]],
    [
      '2^53 + 1, as it is written',
      '{"a":\n[1, {"b c": 9007199254740993}]}',
      [[2, `expected a[1]["b c"] to be ${NUMBER}, got 9007199254740993`]],
    ],
    ['a whole number with an exponent', '[-1e16]', [[1, `expected [0] to be ${NUMBER}, got -1e16`]]],
    ['a number beyond doubles', '{"a": 1e400}', [[1, 'expected a to be a finite number, got 1e400']]],
    ['a number of many digits', `[${'9'.repeat(50)}]`, [[1, `expected [0] to be ${NUMBER}, got ${'9'.repeat(40)}…`]]],
    [
      'both',
      '{"a": 9007199254740992, "a": "9007199254740992"}',
      [
        [1, `expected a to be ${NUMBER}, got 9007199254740992`],
        [1, TWICE],
      ],
    ],
    ['1001 levels', `${'['.repeat(1001)}${']'.repeat(1001)}`, [[1, 'expected at most 1000 levels, got more']]],
    ['200,000 levels', '{"a":'.repeat(2e5) + '1' + '}'.repeat(2e5), [[1, 'expected at most 1000 levels, got more']]],
    [
      'a comma too many',
      '{\n"a": 1,\n}',
      [[3, expect.stringContaining('expected JSON, but it cannot be parsed: ') as unknown as string]],
    ],
    ['nothing', '', [[1, expect.stringContaining('expected JSON') as unknown as string]]],
  ])('a JSON text is refused with its line for %s', (_what, text, faults) => {
    expect(faultsOf(text)).toEqual(faults);
  });

  it('a JSON text of more faults than a person reads is refused with the first hundred', () => {
    expect(faultsOf(`{"a": 1${', "a": 1'.repeat(500)}}`)).toHaveLength(100);
  });

  it('a JSON text that is broken is not quoted, since a secret may be in it', () => {
    expect(JSON.stringify(faultsOf('{"password": tok-123}'))).not.toContain('tok-123');
  });

  it('a JSON text with a fault is told from a text that is not JSON', () => {
    const isJson = (text: string) => {
      try {
        return parseJsonText(text);
      } catch (error) {
        return (error as JsonTextError).isJson;
      }
    };
    expect([isJson('1e400'), isJson('{"a":1,"a":1}'), isJson('v1.2'), isJson('{')]).toEqual([true, true, false, false]);
  });
});
