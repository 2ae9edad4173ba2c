import { describe, expect, test } from '@jest/globals';
import { meetsFields, parseFieldSelector } from '../../../src/plans/selectors/field-selector';
import { firstMismatch, matchesSelector, type LabelSelector } from '../../../src/plans/selectors/label-selector';
import { meetsRequirements, parseLabelSelector } from '../../../src/plans/selectors/parse-selector';

const LABELS = { tier: 'gold', size: '12' };

describe('the selector of a goal', () => {
  const expression = (key: string, operator: string, values?: string[]): LabelSelector => ({
    matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
  });
  test.each<[string, LabelSelector | undefined, boolean]>([
    ['no selector', undefined, true],
    ['an empty one', {}, true],
    ['empty matchLabels', { matchLabels: {}, matchExpressions: [] }, true],
    ['an equal label', { matchLabels: { tier: 'gold' } }, true],
    ['another value', { matchLabels: { tier: 'Gold' } }, false],
    ['a label that is absent', { matchLabels: { zone: '' } }, false],
    ['one of two labels', { matchLabels: { tier: 'gold', zone: 'a' } }, false],
    ['In', expression('tier', 'In', ['silver', 'gold']), true],
    ['In without the value', expression('tier', 'In', ['silver']), false],
    ['In of an absent key', expression('zone', 'In', ['a']), false],
    ['NotIn', expression('tier', 'NotIn', ['silver']), true],
    ['NotIn with the value', expression('tier', 'NotIn', ['gold']), false],
    ['NotIn of an absent key', expression('zone', 'NotIn', ['a']), true],
    ['Exists', expression('tier', 'Exists'), true],
    ['Exists of an absent key', expression('zone', 'Exists'), false],
    ['DoesNotExist', expression('tier', 'DoesNotExist'), false],
    ['DoesNotExist of an absent key', expression('zone', 'DoesNotExist'), true],
    ['an unknown operator', expression('tier', 'Like', ['gold']), false],
    ['a key that every object inherits', expression('toString', 'DoesNotExist'), true],
  ])('a selector with %s matches or not', (_what, selector, matches) => {
    expect(matchesSelector(selector, LABELS)).toBe(matches);
  });

  test('a mismatch is told with what was found and what was expected', () => {
    expect(firstMismatch({ matchLabels: { tier: 'silver' } }, LABELS)).toBe('label tier is "gold", expected "silver"');
    expect(firstMismatch(expression('zone', 'In', ['a', 'b']), LABELS)).toBe(
      'label zone is absent, expected In (a, b)',
    );
    expect(firstMismatch(expression('tier', 'DoesNotExist'), LABELS)).toBe(
      'label tier is "gold", expected DoesNotExist',
    );
  });
});

describe('a labelSelector', () => {
  test.each<[string, boolean]>([
    ['', true],
    ['  ', true],
    ['tier=gold', true],
    ['tier==gold', true],
    ['tier = gold , size', true],
    ['tier!=gold', false],
    ['zone!=a', true],
    ['tier in (silver, gold)', true],
    ['tier in (silver)', false],
    ['tier notin (silver),size', true],
    ['zone notin (a)', true],
    ['!zone', true],
    ['!tier', false],
    ['zone', false],
    ['size>11', true],
    ['size>12', false],
    ['size<13', true],
    ['tier>1', false],
    ['zone=', false],
    ['tier in (,gold)', true],
    ['in=a', false],
  ])('the labelSelector %j matches or not', (text, matches) => {
    const { value, fault } = parseLabelSelector(text);
    expect(fault).toBeUndefined();
    expect(meetsRequirements(value!, LABELS)).toBe(matches);
  });

  test.each([
    ['tier in gold', 'expected "(", got "gold" at character 9'],
    ['tier in (gold', 'expected ")", got the end'],
    ['=gold', 'expected a key, got "=" at character 1'],
    ['tier=gold,', 'expected a requirement, got the end'],
    ['tier gold', 'expected an operator: =, ==, !=, in, notin, > or <, got "gold" at character 6'],
    ['size>big', 'expected a whole number after size, got big'],
    ['tier=gold zone', 'expected ",", got "zone" at character 11'],
    ['!', 'expected a key, got the end'],
  ])('the labelSelector %j is refused', (text, fault) => {
    expect(parseLabelSelector(text)).toEqual({ fault });
  });
});

describe('a fieldSelector', () => {
  const metadata = { name: 'a', namespace: 'prod' };
  test.each<[string, boolean]>([
    ['', true],
    ['metadata.name=a', true],
    ['metadata.name==a,metadata.namespace=prod', true],
    ['metadata.name!=a', false],
    ['metadata.namespace!=dev', true],
    ['metadata.name=b', false],
  ])('the fieldSelector %j matches or not', (text, matches) => {
    expect(meetsFields(parseFieldSelector(text).value!, metadata)).toBe(matches);
  });

  test('a fieldSelector takes escaped characters as they are', () => {
    expect(parseFieldSelector('metadata.name=a\\,b\\=c').value).toEqual([
      { field: 'metadata.name', equals: true, value: 'a,b=c' },
    ]);
  });

  test.each([
    ['status.phase=Ready', 'expected the field metadata.name or metadata.namespace, got status.phase'],
    ['metadata.name', 'expected terms such as metadata.name=a, got "metadata.name"'],
    ['metadata.name=\\x', 'expected \\\\, \\, or \\= after a backslash in "metadata.name=\\\\x"'],
  ])('the fieldSelector %j is refused', (text, fault) => {
    expect(parseFieldSelector(text)).toEqual({ fault });
  });
});
