import { describe, expect, it } from '@jest/globals';
import { canonicalJson } from '../../src/kernel/canonical-json';
import { diffJson } from '../../src/kernel/json-diff';

describe('the canonical form of JSON', () => {
  it('the canonical form of JSON is the same whatever order the keys were written in', () => {
    expect(canonicalJson({ b: 1, a: { d: [{ z: 1, y: 2 }], c: 2 } })).toBe('{"a":{"c":2,"d":[{"y":2,"z":1}]},"b":1}');
  });

  it('the canonical form of JSON is empty for nothing', () => expect(canonicalJson(undefined)).toBe(''));

  // Deployments that were started before this text was written hold digests of exactly this.
  it('the canonical form of JSON puts keys that are whole numbers first, in their order', () => {
    expect(canonicalJson({ a: 0, 10: 1, 9: 2 })).toBe('{"9":2,"10":1,"a":0}');
  });
});

describe('the difference of two documents', () => {
  it.each([
    [{ a: 1, b: { c: [1] } }, { b: { c: [1] }, a: 1 }, []],
    [{ a: 1 }, { a: 2 }, [{ path: 'a', a: 1, b: 2 }]],
    [{ a: { 'x.y': 1 } }, { a: {} }, [{ path: 'a["x.y"]', a: 1 }]],
    [{}, { a: null }, [{ path: 'a', b: null }]],
    [{ a: {} }, { a: [] }, [{ path: 'a', a: {}, b: [] }]],
    [{ s: [1] }, { s: { 0: 1 } }, [{ path: 's', a: [1], b: { 0: 1 } }]],
    // A key that every object inherits is absent where the document does not hold it.
    [{ constructor: 1 }, {}, [{ path: 'constructor', a: 1 }]],
    [{}, { toString: 'x' }, [{ path: 'toString', b: 'x' }]],
    [1, '1', [{ path: '', a: 1, b: '1' }]],
    [{ a: [{ x: 1, y: 2 }] }, { a: [{ y: 2, x: 1 }] }, []],
  ])('the difference of two documents of %j and %j is %j, however lists are compared', (a, b, expected) => {
    expect(diffJson(a as never, b as never, { lists: 'whole' })).toEqual(expected);
    expect(diffJson(a as never, b as never, { lists: 'elements' })).toEqual(expected);
  });

  it('the difference of two documents shows lists as wholes or element by element', () => {
    const [a, b] = [{ s: [{ u: 'x' }, 1] }, { s: [{ u: 'y' }, 1, 2] }];
    expect(diffJson(a, b, { lists: 'whole' })).toEqual([{ path: 's', a: a.s, b: b.s }]);
    expect(diffJson(a, b, { lists: 'elements' })).toEqual([
      { path: 's[0].u', a: 'x', b: 'y' },
      { path: 's[2]', b: 2 },
    ]);
  });
});
