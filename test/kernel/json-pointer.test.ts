import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/kernel/json';
import { atPointer, childOf, parsePointer, pointerKeys, pointerOfPath, toPointer } from '../../src/kernel/json-pointer';

// The document and the answers of RFC 6901, section 5.
const DOCUMENT = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
};

describe('a JSON Pointer', () => {
  it.each([
    ['', DOCUMENT],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('the JSON Pointer %j leads to %j', (pointer, value) => {
    expect(atPointer(DOCUMENT, pointer)).toEqual(value);
    expect(toPointer(parsePointer(pointer) ?? [])).toBe(pointer);
  });

  it.each(['foo', '/m~n', '/m~', '/m~2n', 'a/b', ' /foo'])('the JSON Pointer %j is refused', (text) => {
    expect(parsePointer(text)).toBeUndefined();
    expect(atPointer(DOCUMENT, text)).toBeUndefined();
  });

  it('a JSON Pointer reads ~01 as the key ~1, not as a slash', () => expect(pointerKeys('/~01')).toEqual(['~1']));

  it.each(['00', '01', '-', '1.0', '1e0', ' 1', 'length', '2'])('the index %j names no element', (key) => {
    expect(childOf(['a', 'b'], key)).toBeUndefined();
  });

  it.each(['constructor', 'toString', '__proto__'])('the inherited key %s names nothing', (key) => {
    expect(childOf({}, key)).toBeUndefined();
  });

  it.each([
    ['', ''],
    ['all[1].metric', '/all/1/metric'],
    ['all[10].metric', '/all'],
    ['all[1].missing.deeper', '/all/1'],
    ['labels["a.b/c"]', '/labels/a.b~1c'],
    ['labels["a.b/c"][0]', '/labels/a.b~1c/0'],
    ['alle', '/alle'],
    ['constructor', ''],
  ])('the path %j, as people write it, leads to the pointer %j', (path, pointer) => {
    const document: JsonObject = { all: [{}, { metric: 'x' }], alle: 1, labels: { a: 1, 'a.b/c': ['x'] } };
    expect(pointerOfPath(document, path)).toBe(pointer);
  });
});
