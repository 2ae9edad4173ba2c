import { describe, expect, it } from '@jest/globals';
import { selectorGaps } from '../../../../src/gate/facts/providers/selector-gaps';

const item = {
  type: 'object',
  required: ['count', 'labels'],
  properties: {
    count: { type: 'number' },
    note: { type: 'string' },
    labels: { type: 'array', items: { type: 'string' } },
  },
};
const schema = {
  type: 'object',
  required: ['data'],
  $defs: { item },
  properties: {
    data: {
      type: 'object',
      required: ['items', 'byName'],
      properties: {
        items: { type: 'array', items: { $ref: '#/$defs/item' } },
        byName: { type: 'object', additionalProperties: { $ref: '#/$defs/item' } },
        loose: { type: 'array' },
      },
    },
  },
};

describe('the gaps that a schema leaves in a selector', () => {
  it.each(['', '/data/items/0', 'data', 'data.items[0].count', 'data.items | [0]', '@', 'data."odd-name"'])(
    'are not looked for in the path %j, where an absent field gives nothing',
    (expression) => expect(selectorGaps(expression, {})).toBeUndefined(),
  );

  it.each([
    'sum(data.items[].count)',
    'length(data.items)',
    'data.items[?count > `3`].count',
    'max_by(data.items, &count).count',
    'sort_by(data.items, &count)[*].count',
    'data.items[].labels[]',
    'data.byName.*.count',
    '{a: data.items[0:2], b: data.byName}',
  ])('are none for %s when all that it reads is required', (expression) => {
    expect(selectorGaps(expression, schema)).toEqual([]);
  });

  it.each([
    ['sum(data.items[].size)', ['data.items[].size is optional in it']],
    [
      'sum(items[].count)',
      ['items is optional in it', 'items is no list by it', 'items[].count cannot be followed in it'],
    ],
    ['length(data.items[].note)', ['data.items[].note is optional in it']],
    ['data.items[?note == `"x"`].count', ['data.items[].note is optional in it']],
    ['max_by(data.items, &note).count', ['data.items[].note is optional in it']],
    [
      'data.loose[].count',
      ['data.loose is optional in it', 'data.loose is no list by it', 'data.loose[].count cannot be followed in it'],
    ],
    [
      'data.items[0].count || `0`',
      ['data.items may have fewer than 1 items by it (minItems)', 'data.items[0].count cannot be followed in it'],
    ],
  ] as [string, string[]][])('of %s are %j', (expression, gaps) => {
    expect(selectorGaps(expression, schema)).toEqual(expect.arrayContaining(gaps));
    expect(selectorGaps(expression, {})).not.toEqual([]);
  });
});
