import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareVersions, readVersion, UNREADABLE } from '../../../src/plans/versions/version';

const compare = (one: string | undefined, other: string | undefined): number =>
  Math.sign(compareVersions(readVersion(one), readVersion(other)));

describe('the order of versions', () => {
  test.each<[string | undefined, string | undefined]>([
    ['9', '10'],
    ['1.9', '1.10'],
    ['1.0', '1.0.0'],
    ['2', '2.0'],
    ['v1.9', 'v1.10'],
    ['1.0.0-rc.1', '1.0.0'],
    ['1.0.0-alpha', '1.0.0-alpha.1'],
    ['1.0.0-alpha.1', '1.0.0-alpha.beta'],
    ['1.0.0-beta.2', '1.0.0-beta.11'],
    ['1.0.0-beta.11', '1.0.0-rc.1'],
    ['1.0.0-2', '1.0.0-10'],
    ['1.0.0-10', '1.0.0-a'],
    ['1.0-beta', '1.0.0-alpha'],
    [undefined, '0.0'],
    [undefined, '1'],
    ['0-rc', undefined],
    ['999999999999999', '1000000000000000'],
    ['9999999999999999', '10000000000000000'],
    ['123456789012345678901234567890', '123456789012345678901234567891'],
    ['2', '18446744073709551616'],
    ['2024-06-01', '2024-07-01'],
    ['2024-06-01', '2024'],
    ['latest', undefined],
    ['', '0-a'],
    ['1.x', '0'],
  ])('%s is below %s', (lower, higher) => {
    expect([compare(lower, higher), compare(higher, lower)]).toEqual([-1, 1]);
  });

  test.each<[string | undefined, string | undefined]>([
    ['01', '1'],
    ['v2', '2'],
    ['1.0.0+7', '1.0.0+8'],
    ['1.0.0+7', '1.0.0'],
    ['1.0.0-rc+7', '1.0.0-rc'],
    ['1.0.0-01', '1.0.0-1'],
    ['00000000000000000001', '1'],
    [undefined, '0'],
    ['latest', 'stable'],
    ['', 'latest'],
  ])('%s and %s are equal', (one, other) => {
    expect(compare(one, other)).toBe(0);
  });

  test.each([
    '',
    ' 1',
    '1 ',
    'V1',
    'vv1',
    '1.',
    '.1',
    '1..2',
    '1.x',
    'latest',
    '1-',
    '1+',
    '1.0-a..b',
    '1.0-ä',
    '-1',
    '+1',
    '1,0',
    '١',
  ])('%j cannot be read as a version', (text) => {
    expect(readVersion(text)).toBe(UNREADABLE);
  });

  test.each([2, null, {}, true])('the value %j, which is no text, cannot be read as a version', (value) => {
    expect(readVersion(value)).toBe(UNREADABLE);
  });

  test('the order of versions is total: antisymmetric and transitive', () => {
    const part = fc.oneof(fc.nat({ max: 12 }).map(String), fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String));
    const identifier = fc.oneof(part, fc.constantFrom('a', 'rc', '0a', '-'));
    const text = fc
      .tuple(
        fc.constantFrom('', 'v'),
        fc.array(part, { minLength: 1, maxLength: 3 }),
        fc.option(fc.array(identifier, { minLength: 1, maxLength: 2 }), { nil: undefined }),
      )
      .map(([v, core, pre]) => `${v}${core.join('.')}${pre === undefined ? '' : `-${pre.join('.')}`}`);
    const version = fc.oneof(text, fc.constantFrom('', 'latest'), fc.constant(undefined)).map(readVersion);
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(0 - Math.sign(compareVersions(b, a)));
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  test('a version of plain numbers is read as the general pattern reads it', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9.]{1,20}$/), (text) => {
        // The same version with metadata, which the short way does not take.
        expect(readVersion(text)).toEqual(readVersion(`${text}+m`));
      }),
    );
  });
});
