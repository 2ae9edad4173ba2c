import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, it } from '@jest/globals';
import { publishedImageSchema } from '../../../src/images/policies/published-schema';

const FILE = join(__dirname, '..', '..', '..', 'configs', 'schemas', 'image-policies.schema.json');
const schema = JSON.parse(readFileSync(FILE, 'utf8')) as object;
const check = new Ajv({ strict: false }).compile(schema);
const policy = (over: object = {}) => ({ id: 'a', name: 'A', actions: [{ type: 'block' }], ...over });

it('the published schema is what the code says (gate images schema prints it)', () => {
  expect(schema).toEqual(JSON.parse(JSON.stringify(publishedImageSchema())));
});

it.each<[string, boolean, unknown]>([
  ['a policy', true, policy()],
  ['a list', true, [policy(), policy({ id: 'b' })]],
  ['a file of policies', true, { policies: [policy()] }],
  ['a target without a repository', true, policy({ actions: [{ type: 'replicate', target_registry: 'ecr' }] })],
  ['a set of tags', true, policy({ source: { registry: 'r', repositories: ['a'], tags: { latest: { count: 1 } } } })],
  ['nested conditions', true, policy({ conditions: [{ any: [{ not: { type: 'tag', operator: 'exists' } }] }] })],
  ['no actions', false, policy({ actions: [] })],
  ['an unknown key', false, policy({ colour: 'red' })],
  ['an unknown action', false, policy({ actions: [{ type: 'delete' }] })],
  ['an unknown operator', false, policy({ conditions: [{ type: 'tag', operator: 'like', value: 'x' }] })],
  ['a number as a value', false, policy({ conditions: [{ type: 'tag', operator: 'equals', value: 1 }] })],
])('the schema takes %s: %s', (_name, good, document) => {
  expect(check(document)).toBe(good);
});
