import { describe, expect, it } from '@jest/globals';
import { GateError } from '../../../src/kernel/failures';
import type { JsonObject, JsonValue } from '../../../src/kernel/json';
import { createInputCheck } from '../../../src/gate/decisions/check-input';
import type { PolicyReads } from '../../../src/rego/analysis/policy-reads';

const region = {
  type: 'object',
  properties: { status: { type: 'string' }, hosts: { type: 'array', items: { type: 'string' } } },
  required: ['status', 'hosts'],
  additionalProperties: false,
};
const inputSchema: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    count: { type: 'integer', minimum: 0 },
    fleet: { type: 'object', properties: { pending: { $ref: '#/$defs/amount' } } },
    regions: { type: 'object', additionalProperties: region },
    alarms: { type: 'array', items: { type: 'string' }, minItems: 0 },
    'odd/name~ %': { type: 'string', format: 'date-time' },
    colour: { enum: ['red', 'green'] },
  },
  $defs: { amount: { type: 'integer' } },
};
const reads: PolicyReads = {
  facts: ['alarms', 'colour', 'count', 'fleet', 'odd/name~ %', 'regions'],
  inputPaths: [
    ['alarms'],
    ['colour'],
    ['count'],
    ['deployment', 'attributes', 'risk'],
    ['fleet', 'pending'],
    ['odd/name~ %'],
    ['regions'],
  ],
  configPaths: [['limits', 'max']],
  collections: [['regions']],
  wholeInput: false,
};
const good: JsonObject = {
  alarms: [],
  colour: 'red',
  count: 1,
  fleet: { pending: 1 },
  'odd/name~ %': '2026-01-01T00:00:00Z',
  regions: { eu: { status: 'green', hosts: ['a'] } },
  deployment: { id: 'd', stage: 's', stage_index: 0, attributes: { risk: 'low' }, stage_attributes: {} },
  decision_time: '2026-01-01T00:00:00.000Z',
};
const check = createInputCheck({ reads, inputSchema }, { limits: { max: 1 } });

/** `good` with `value` at `path`, or without anything there when it is undefined. */
function changed(path: string, value: JsonValue | undefined): JsonObject {
  const copy = structuredClone(good);
  const keys = path.split('.');
  const last = keys.pop()!;
  const parent = keys.reduce<JsonObject>((at, key) => at[key] as JsonObject, copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

const summary = (input: JsonObject) =>
  check(input).map(({ type, factId, where, message }) => `${type} ${factId ?? '-'} ${where}: ${message}`);

describe('an input', () => {
  it('an input may be asked about when all that is read is there', () => {
    expect(check(good)).toEqual([]);
  });

  it.each<[string, JsonValue]>([
    ['count', 0],
    ['count', 2 ** 53 - 1],
    ['alarms', ['a']],
    ['unread', { any: [] }],
    ['deployment.attributes.risk', 0],
    ['deployment.attributes.risk', false],
    ['deployment.stage_attributes', { devices: 1.5 }],
    ['fleet', { pending: 1, other: null, more: [] }],
  ])('an input may have %s as %j', (path, value) => {
    expect(check(changed(path, value))).toEqual([]);
  });

  it.each<[string, JsonValue | undefined, string]>([
    [
      'count',
      undefined,
      'FactMissing count input.count: The policy reads input.count: expected a value at input.count, found nothing',
    ],
    [
      'count',
      null,
      'FactInvalid count input.count: The policy reads input.count: expected a value at input.count, found null',
    ],
    ['count', '6', 'FactInvalid count input.count: Expected input.count to be of type integer, found "6"'],
    ['count', true, 'FactInvalid count input.count: Expected input.count to be of type integer, found true'],
    ['count', 1.5, 'FactInvalid count input.count: Expected input.count to be of type integer, found 1.5'],
    [
      'count',
      -1,
      'FactInvalid count input.count: Expected input.count to be as input.json says (must be >= 0), found -1',
    ],
    ['count', NaN, 'FactInvalid count input.count: Expected input.count to be of type integer, found NaN'],
    [
      'count',
      2 ** 53 + 2,
      'FactInvalid count input.count: Expected input.count to be a finite number, below 2^53 as an integer, found 9007199254740994',
    ],
    [
      'fleet',
      undefined,
      'FactMissing fleet input.fleet: The policy reads input.fleet: expected a value at input.fleet, found nothing',
    ],
    [
      'fleet',
      {},
      'FactInvalid fleet input.fleet.pending: The policy reads input.fleet.pending: expected a value at input.fleet.pending, found nothing',
    ],
    [
      'fleet',
      { pending: null },
      'FactInvalid fleet input.fleet.pending: The policy reads input.fleet.pending: expected a value at input.fleet.pending, found null',
    ],
    [
      'fleet.pending',
      'x',
      'FactInvalid fleet input.fleet.pending: Expected input.fleet.pending to be of type integer, found "x"',
    ],
    [
      'regions',
      {},
      'FactInvalid regions input.regions: Expected input.regions to be at least one entry (its schema does not say that none is normal), found {}',
    ],
    [
      'regions.eu',
      {},
      'FactInvalid regions input.regions.eu.status: Expected input.regions.eu.status to be present, found nothing',
    ],
    [
      'regions.eu.status',
      undefined,
      'FactInvalid regions input.regions.eu.status: Expected input.regions.eu.status to be present, found nothing',
    ],
    [
      'regions.eu.status',
      null,
      'FactInvalid regions input.regions.eu.status: Expected input.regions.eu.status to be a value, found null',
    ],
    [
      'regions.eu.state',
      'x',
      'FactInvalid regions input.regions.eu.state: Expected input.regions.eu.state to be absent, found "x"',
    ],
    [
      'regions.eu.hosts',
      [],
      'FactInvalid regions input.regions.eu.hosts: Expected input.regions.eu.hosts to be at least one entry (its schema does not say that none is normal), found []',
    ],
    [
      'colour',
      'blue',
      'FactInvalid colour input.colour: Expected input.colour to be one of ["red","green"], found "blue"',
    ],
    [
      'odd/name~ %',
      'noon',
      'FactInvalid odd/name~ % input.odd/name~ %: Expected input.odd/name~ % to be as input.json says (must match format "date-time"), found "noon"',
    ],
    ['alarms', [null], 'FactInvalid alarms input.alarms.0: Expected input.alarms.0 to be a value, found null'],
    [
      'unread',
      [{ n: Infinity }],
      'FactInvalid unread input.unread.0.n: Expected input.unread.0.n to be a finite number, below 2^53 as an integer, found Infinity',
    ],
    [
      'deployment.attributes.risk',
      undefined,
      'FactInvalid - input.deployment.attributes.risk: The policy reads input.deployment.attributes.risk: expected a value at input.deployment.attributes.risk, found nothing',
    ],
    [
      'deployment.attributes.risk',
      null,
      'FactInvalid - input.deployment.attributes.risk: The policy reads input.deployment.attributes.risk: expected a value at input.deployment.attributes.risk, found null',
    ],
    [
      'deployment.attributes',
      'x',
      'FactInvalid - input.deployment.attributes.risk: The policy reads input.deployment.attributes.risk: expected a value at input.deployment.attributes.risk, found nothing, in "x"',
    ],
    [
      'deployment.stage_attributes',
      { n: -(2 ** 54) },
      'FactInvalid - input.deployment.stage_attributes.n: Expected input.deployment.stage_attributes.n to be a finite number, below 2^53 as an integer, found -18014398509481984',
    ],
  ])('an input is at fault with %s as %j', (path, value, expected) => {
    expect(summary(changed(path, value))).toContain(expected);
  });

  it('an input that is empty has every fault at once, each place once', () => {
    const faults = check({});
    expect(faults.map(({ where }) => where).sort()).toEqual([
      'input.alarms',
      'input.colour',
      'input.count',
      'input.deployment',
      'input.fleet',
      'input.odd/name~ %',
      'input.regions',
    ]);
  });

  it('an input has no fact from a prototype', () => {
    const own = createInputCheck(
      {
        reads: { ...reads, facts: ['toString'], inputPaths: [['toString']], configPaths: [], collections: [] },
        inputSchema: { properties: { toString: { type: 'string' } } },
      },
      {},
    );
    expect(own({}).map(({ type }) => type)).toEqual(['FactMissing']);
  });
});

describe('a configuration', () => {
  it.each([
    [{ limits: {} }, 'data.config.limits.max'],
    [{ limits: { max: null } }, 'data.config.limits.max'],
    [{ limits: { max: '1' } }, 'data.config.limits.max'],
    [{}, 'data.config.limits'],
    [{ limits: { max: 1 }, parameters: { n: 2 ** 54 } }, 'data.config.parameters.n'],
  ])('a configuration is at fault as %j', (config, where) => {
    const faults = createInputCheck({ reads, inputSchema }, config)(good);
    expect(faults).toEqual([expect.objectContaining({ type: 'ConfigInvalid', where })]);
  });
});

describe('input.json', () => {
  it.each<[string, JsonObject]>([
    ['does not describe a fact', { properties: {} }],
    ['is no schema', { properties: { ...(inputSchema.properties as JsonObject), count: { type: 'whole' } } }],
    ['misspells a keyword', { properties: { ...(inputSchema.properties as JsonObject), count: { minimun: 1 } } }],
  ])('input.json is refused when it %s', (_name, schema) => {
    expect(() => createInputCheck({ reads, inputSchema: schema }, {})).toThrow(GateError);
  });
});
