import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, it } from '@jest/globals';
import { publishedSchema } from '../../../src/rules/document/published-schema';
import { shardDomain } from '../../../src/shards/domain';

const FILE = join(__dirname, '..', '..', '..', 'configs', 'schemas', 'rule-policy.schema.json');
const schema = JSON.parse(readFileSync(FILE, 'utf8')) as object;
const check = new Ajv({ strict: false }).compile(schema);
const cool = { metric: 'node.cpu_usage', operator: 'lt', value: 80 };
const placement = (over: object = {}) => ({
  name: 'a',
  type: 'placement',
  conditions: cool,
  actions: { placement: { strategy: 'least_loaded' } },
  ...over,
});

it('the published schema is what the code says (gate rules schema prints it)', () => {
  expect(schema).toEqual(JSON.parse(JSON.stringify(publishedSchema(shardDomain))));
});

it.each<[string, boolean, unknown]>([
  ['a policy', true, placement()],
  ['a list of policies', true, [placement(), placement({ name: 'b' })]],
  ['nested conditions', true, placement({ conditions: { all: [cool, { not: { any: [cool] } }] } })],
  ['includes and parameters', true, placement({ conditions: { all: [{ include: 'x' }, { parameter: 'y' }] } })],
  ['a parameter in an action', true, placement({ actions: { placement: { strategy: { parameter: 's' } } } })],
  ['fragments', true, { fragments: { x: cool } }],
  ['enumerations', true, { enumerations: { 'shard.labels.tier': ['gold'] } }],
  ['a child that overrides a part', true, { name: 'c', extends: 'a', actions: { placement: { strategy: 'spread' } } }],
  ['an unknown key', false, placement({ priorty: 1 })],
  ['an unknown type', false, placement({ type: 'placment' })],
  ['an unknown operator', false, placement({ conditions: { ...cool, operator: 'less' } })],
  ['exists with a value', false, placement({ conditions: { ...cool, operator: 'exists' } })],
  ['an action of another type', false, placement({ actions: { balance: {} } })],
  ['an unknown setting', false, placement({ actions: { placement: { strategie: 'spread' } } })],
  ['no name', false, { type: 'placement' }],
])('the published schema takes, or refuses, %s', (_what, isTaken, document) => {
  expect([check(document), isTaken ? check.errors : null]).toEqual([isTaken, null]);
});
