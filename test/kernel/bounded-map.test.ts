import { describe, expect, it } from '@jest/globals';
import { BoundedMap } from '../../src/kernel/bounded-map';

function filled(mostEntries: number, keys: string): BoundedMap<string, string | undefined> {
  const map = new BoundedMap<string, string | undefined>(mostEntries);
  for (const key of keys) map.set(key, key);
  return map;
}

describe('BoundedMap', () => {
  it('drops the entry that was set first', () => {
    const map = filled(2, 'abc');
    expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual([undefined, 'b', 'c']);
  });

  it('keeps an entry that was read since', () => {
    const map = filled(2, 'ab');
    map.get('a');
    map.set('c', 'c');
    expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual(['a', undefined, 'c']);
  });

  it('keeps an entry that was set again, with its new value', () => {
    const map = filled(2, 'ab');
    map.set('a', 'A');
    map.set('c', 'c');
    expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual(['A', undefined, 'c']);
  });

  it('counts an entry whose value is undefined', () => {
    const map = filled(2, '');
    map.set('a', undefined);
    map.set('b', 'b');
    map.get('a');
    map.set('c', 'c');
    expect(map.get('b')).toBeUndefined();
    expect(map.get('c')).toBe('c');
  });

  it('has room again where an entry was deleted', () => {
    const map = filled(2, 'ab');
    map.delete('a');
    map.set('c', 'c');
    expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual([undefined, 'b', 'c']);
  });

  it('drops nothing when a missing key is read', () => {
    const map = filled(2, 'ab');
    map.get('c');
    expect(['a', 'b'].map((key) => map.get(key))).toEqual(['a', 'b']);
  });

  it.each([0, -1, 1.5, NaN, Infinity])('refuses room for %d entries', (mostEntries) => {
    expect(() => new BoundedMap(mostEntries)).toThrow(RangeError);
  });
});
