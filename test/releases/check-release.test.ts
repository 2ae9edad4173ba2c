import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/kernel/json';
import { checkRelease } from '../../src/releases/check-release';

const check = (document: unknown, configPaths: string[][] = [['limits', 'max']], facts: string[] = []): string[] =>
  checkRelease(
    { reads: { facts, inputPaths: [], configPaths, collections: [], wholeInput: false } },
    { facts: {} },
    document as JsonObject,
    ['known'],
  ).map((fault) => fault.where ?? '');

describe('checkRelease', () => {
  it.each([
    ['a limit that is there', { limits: { max: 1 } }, []],
    ['a limit of zero', { limits: { max: 0 } }, []],
    ['an absent limit', { limits: {} }, ['data.config.limits.max']],
    ['a null limit', { limits: { max: null } }, ['data.config.limits.max']],
    ['an absent parent', {}, ['data.config.limits']],
    ['a null parent', { limits: null }, ['data.config.limits']],
    ['a parent of another type', { limits: 'text' }, ['data.config.limits.max']],
    ['a limit in quotes', { limits: { max: '1' } }, ['data.config.limits.max']],
    ['a limit that is a switch', { limits: { max: true } }, ['data.config.limits.max']],
    ['a limit that is an empty collection', { limits: { max: {} } }, ['data.config.limits.max']],
    ['a limit that is a list', { limits: { max: [1] } }, ['data.config.limits.max']],
    ['a limit that is an object', { limits: { max: { eu: 1, us: 2 } } }, ['data.config.limits.max']],
    ['a limit that is deeper than it is read', { limits: { max: { '': { '': 0 } } } }, ['data.config.limits.max']],
    ['a limit that is long', { limits: { max: 'x'.repeat(99) } }, ['data.config.limits.max']],
    ['another limit that is a list and is not read', { limits: { max: 1, other: [1] } }, []],
    ['a text that is no limit read', { limits: { max: 1, note: 'x' }, parameters: { a: 'x' } }, []],
    ['a number of 2^53 - 1', { limits: { max: 2 ** 53 - 1 } }, []],
    ['a number of 2^53', { limits: { max: 2 ** 53 } }, ['data.config.limits.max']],
    ['a number that is not finite', { limits: { max: Infinity } }, ['data.config.limits.max']],
    ['a number beyond -2^53 that is not read', { limits: { max: 1, n: [-(2 ** 54)] } }, ['data.config.limits.n.0']],
  ])('%s', (_name, document, where) => {
    expect(check(document)).toEqual(where);
  });

  it('checkRelease finds every null within a whole object that is read', () => {
    expect(check({ limits: { max: null, min: null } }, [[]])).toEqual([
      'data.config.limits.max',
      'data.config.limits.min',
    ]);
  });

  it('checkRelease takes the limits of many regions where each is named', () => {
    const paths = [
      ['limits', 'max', 'eu'],
      ['limits', 'max', 'us'],
    ];
    expect(check({ limits: { max: { eu: 1, us: 2 } } }, paths)).toEqual([]);
    expect(check({ limits: { max: { eu: 1, us: '2' } } }, paths)).toEqual(['data.config.limits.max.us']);
    expect(check({ limits: { max: { eu: 1 } } }, paths)).toEqual(['data.config.limits.max.us']);
  });

  it.each<[string, unknown, string[]]>([
    ['by name', { max: 0 }, []],
    ['a number', 0, ['data.config.limits']],
    ['a list', [0], ['data.config.limits']],
    ['nothing', {}, ['data.config.limits']],
    ['a list within', { max: [0], min: 1 }, ['data.config.limits.max']],
    ['an object within', { max: { eu: 0 } }, ['data.config.limits.max']],
  ])('checkRelease accepts limits by name that are numbers, read whole: %s', (_name, limits, where) => {
    expect(check({ limits }, [['limits']])).toEqual(where);
    expect(check({ limits }, [[]])).toEqual(where);
  });

  it('checkRelease names each fact without a provider, configured or known', () => {
    expect(check({}, [], ['known', 'unknown'])).toEqual(['facts.unknown']);
  });
});
