import { describe, expect, it } from '@jest/globals';
import { GateError } from '../../../src/kernel/failures';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { gate, schemaOf, withPolicy } from '../toolchain/policy-fixture';

const closed = (properties: object, required = Object.keys(properties)): object => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const region = closed({ status: { type: 'string' } });
const map = schemaOf({ regions: { type: 'object', additionalProperties: region } });
const list = schemaOf({ regions: { type: 'array', items: region } });

async function faultsOf(condition: string, input: string, more = ''): Promise<string[]> {
  const files = { 'gate.rego': gate(condition, more), 'input.json': input };
  try {
    await withPolicy(files, (dir) => buildPolicy(dir));
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(GateError);
    return (error as GateError).faults.map(({ message }) => message);
  }
}

describe('a field of an element', () => {
  it.each([
    ['some region in input.regions; region.status != "green"', ''],
    ['input.regions[_].status != "green"', ''],
    ['some name; input.regions[name].status != "green"', ''],
    ['not f(input.regions)', 'f(regions) if { every region in regions { region.status == "green" } }'],
    ['some region in input.regions; bad(region)', 'bad(region) if region.status != "green"'],
    ['bad({"mine": 1})', 'bad(it) if it.mine == 1'],
    ['count(input.regions) > data.config.limits.max', ''],
    ['limits.max > count(input.regions)', 'limits := data.config.limits'],
  ])('builds where it is declared: %s %s', async (condition, more) => {
    expect(await faultsOf(condition, map, more)).toEqual([]);
    expect(await faultsOf(condition, list, more)).toEqual([]);
  });

  it('builds where a key of a map is named', async () => {
    expect(await faultsOf('input.regions.eu.status != "green"', map)).toEqual([]);
    expect(await faultsOf('startswith(input.deployment.attributes.team.name, "a")', map)).toEqual([]);
  });

  it.each([
    ['some region in input.regions; region.state != "green"', '', 'undefined ref: region.state'],
    ['input.regions[_].state != "green"', '', 'undefined ref: input.regions[_].state'],
    ['some name; r := input.regions[name]; r.state != "green"', '', 'undefined ref: r.state'],
    [
      'every region in input.regions { region.state != "green" }',
      '',
      'gate.rego:8: input.json declares no property state, which is read of region',
    ],
    [
      'some region in input.regions; bad(region)',
      'bad(it) if it.state != "green"',
      'input.json declares no property state, which is read of it',
    ],
    [
      'some region in input.regions; bad(region)',
      'bad(it) if {\n\tx := it.state\n\tx != "green"\n}',
      'input.json declares no property state, which is read of it',
    ],
  ])('is refused where no element has it: %s %s', async (condition, more, expected) => {
    expect(await faultsOf(condition, map, more)).toContainEqual(expect.stringContaining(expected));
    expect(await faultsOf(condition, list, more)).toContainEqual(expect.stringContaining(expected));
  });
});

describe('a fact that is read whole', () => {
  const read = 'some x in input.regions; x == x';
  it.each([
    [
      'an open object',
      { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
      'additionalProperties: false',
    ],
    ['an object of anything', { type: 'object' }, 'additionalProperties: false'],
    ['an optional property', closed({ a: { type: 'string' } }, []), 'regions.a: expected it among required'],
    ['a property of any type', closed({ a: {} }), 'regions.a: expected a type'],
    [
      'a map of open objects',
      { type: 'object', additionalProperties: { type: 'object' } },
      'regions[_]: expected additionalProperties',
    ],
    ['a map of anything', { type: 'object', additionalProperties: {} }, 'regions[_]: expected a type'],
    [
      'a map by patterns',
      { type: 'object', patternProperties: {}, additionalProperties: false },
      'no patternProperties',
    ],
    ['a list of anything', { type: 'array' }, 'regions: expected items'],
    [
      'a list of open objects',
      { type: 'array', items: { type: 'object' } },
      'regions[_]: expected additionalProperties',
    ],
    ['a tuple', { type: 'array', prefixItems: [], items: { type: 'string' } }, 'no prefixItems'],
    [
      'optional below',
      { type: 'array', items: closed({ a: closed({ b: { type: 'string' } }, []) }) },
      'regions[_].a.b: expected it among',
    ],
    ['no type', { description: 'anything' }, 'regions: expected a type'],
  ])('is refused as %s', async (_name, schema, expected) => {
    expect(await faultsOf(read, schemaOf({ regions: schema }))).toContainEqual(expect.stringContaining(expected));
  });

  it.each([
    ['a list of scalars', { type: 'array', items: { type: 'string' } }],
    ['a map of scalars', { type: 'object', additionalProperties: { type: 'number' } }],
    ['a closed object', closed({ a: { type: 'string' }, b: { enum: ['x'] } })],
  ])('is accepted as %s', async (_name, schema) => {
    expect(await faultsOf(read, schemaOf({ regions: schema }))).toEqual([]);
  });
});
