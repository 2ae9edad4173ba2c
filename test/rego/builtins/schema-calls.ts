import { fromPlain } from '../../../src/rego/values/plain';
import type { Call } from './opa-calls';
import type { Random } from './random-calls';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const TEXTS = [
  ...['', 'a', 'ab', 'abc', '<&>', 'ö😀', '2024-01-02', '2024-13-01', '1:02:03', '01:02:03.5', '01:02:03Z', '25:00:00'],
  ...[
    '2024-01-02T03:04:05Z',
    '2024-01-02T03:04:05.123+01:00',
    '2024-01-02t03:04:05z',
    'a.com',
    '-a.com',
    'a_b',
    'a@b.c',
  ],
  ...[
    'a@',
    '@a',
    'a..b@c',
    '10.0.0.1',
    '::1',
    '::ffff:1.2.3.4',
    '1.2.3',
    'http://a/b',
    '/a/b',
    'a b',
    '%zz',
    '{a}',
    '{a',
  ],
  ...['12345678-1234-1234-1234-123456789abc', '12345678', '/a/~0/~1', '/~2', '0/a', '1#', 'x', '(', '[a', 'a\\b'],
];
const NUMBERS = [0, 1, -1, 2, 3, 0.5, 1.5, 2.25, 0.1, 0.3, 1e21, -0, 10, 1e-7];
const FORMATS = [
  ...['date', 'time', 'date-time', 'hostname', 'email', 'ipv4', 'ipv6', 'uri', 'uri-reference', 'uri-template', 'uuid'],
  ...['regex', 'json-pointer', 'relative-json-pointer', 'iri', 'idn-email', 'other'],
];
const TYPES = ['array', 'boolean', 'integer', 'number', 'null', 'object', 'string'];

/** An object has one key at most: OPA looks at several in a random order. */
function document(random: Random, depth: number): Json {
  switch (random.below(depth > 0 ? 7 : 4)) {
    case 0:
      return random.pick([null, true, false]);
    case 1:
      return random.pick(NUMBERS);
    case 4:
    case 5:
      return Array.from({ length: random.below(4) }, () => document(random, depth - 1));
    case 6:
      return random.below(6) === 0 ? {} : { [random.pick(['a', 'b', 'ab'])]: document(random, depth - 1) };
    default:
      return random.pick(TEXTS);
  }
}

function keyword(random: Random, depth: number): { [key: string]: Json } {
  const part = () => schema(random, depth - 1);
  const parts = () => Array.from({ length: 1 + random.below(3) }, part);
  const count = (): Json => random.pick<Json>([0, 1, 2, 3, 3, 2, 1, -1, 1.5, 'x']);
  const number = (): Json => (random.below(12) === 0 ? random.pick<Json>(['1', true]) : random.pick(NUMBERS));
  const one = (key: string, value: Json) => ({ [key]: value });
  const simple: (() => { [key: string]: Json })[] = [
    () => one('type', random.below(20) === 0 ? random.pick<Json>(['x', ['string', 'string'], 1]) : random.pick(TYPES)),
    () => one('type', [random.pick(TYPES.slice(0, 3)), random.pick(TYPES.slice(3))]),
    () =>
      one(random.pick(['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties']), count()),
    () => one(random.pick(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']), number()),
    () => ({ minimum: random.pick(NUMBERS), exclusiveMinimum: true }),
    () => one('multipleOf', number()),
    () => one('enum', random.pick<Json>([[1, 2.0, 'a'], ['<', null], [], ['a', 'a'], 'a', [0.5, { a: 1 }]])),
    () => one('const', document(random, 1)),
    () => one('format', random.below(30) === 0 ? 1 : random.pick(FORMATS)),
    () => one('pattern', random.pick<Json>(['^a', 'b$', '[0-9]+', '(', 1])),
    () => one('uniqueItems', random.pick<Json>([true, true, false, 1])),
    () => one('required', random.pick<Json>([['a'], ['a', 'b'], ['a', 'a'], [1], 'a', []])),
    () => one(random.pick(['title', 'description', '$comment', 'default']), random.pick<Json>(['t', 't', 1])),
    () => one('dependencies', random.pick<Json>([{ a: ['b'] }, { a: ['a'] }, { a: 1 }, [], { b: [1] }])),
    () => one('$schema', `http://json-schema.org/draft-0${random.pick(['4', '6', '7', '3'])}/schema#`),
  ];
  const nested: (() => { [key: string]: Json })[] = [
    () => one('properties', random.below(20) === 0 ? [] : { [random.pick(['a', 'b'])]: part() }),
    () => one('patternProperties', { [random.pick(['a', '^b$', '.'])]: part() }),
    () => one('additionalProperties', random.below(2) ? random.below(2) === 0 : part()),
    () => one('propertyNames', part()),
    () => one('items', random.below(2) ? part() : parts()),
    () => ({ items: parts(), additionalItems: random.below(2) ? random.below(2) === 0 : part() }),
    () => one('contains', part()),
    () => one(random.pick(['anyOf', 'oneOf', 'allOf']), random.below(20) === 0 ? {} : parts()),
    () => one('not', part()),
    () => ({ if: part(), then: part(), ...(random.below(2) ? { else: part() } : {}) }),
    () => one('dependencies', { a: part() }),
    // OPA itself ends on a schema that only refers to itself
    ...(depth === 2
      ? [() => ({ definitions: { d: part() }, ...one('$ref', random.pick(['#/definitions/d', '#/definitions/e'])) })]
      : []),
  ];
  return (depth > 0 && random.below(2) ? random.pick(nested) : random.pick(simple))();
}

function schema(random: Random, depth: number): Json {
  if (random.below(12) === 0) return random.pick<Json>([true, false, true, 1, null]);
  const keywords = Array.from({ length: 1 + random.below(3) }, () => keyword(random, depth));
  return Object.assign({}, ...keywords) as Json;
}

/** A value beside a schema that refers to itself at its top. */
function recursive(random: Random): Json {
  const tree = { type: 'object', properties: { a: { $ref: '#/definitions/t' } }, additionalProperties: false };
  return {
    definitions: { t: tree, n: schema(random, 1) },
    anyOf: [{ $ref: '#/definitions/t' }, { $ref: '#/definitions/n' }],
  };
}

/** Calls of `json.match_schema` and `json.verify_schema` with all keywords, some of them used wrongly. */
export function schemaCall(random: Random): Call {
  const written = random.below(8) === 0 ? recursive(random) : schema(random, 2);
  const given =
    typeof written === 'object' && written !== null && random.below(3) > 0 ? written : JSON.stringify(written);
  if (random.below(4) === 0) return { name: 'json.verify_schema', operands: [fromPlain(given)] };
  const value = document(random, 2);
  const isLoose = typeof value === 'object' && value !== null && random.below(2) === 0;
  return {
    name: 'json.match_schema',
    operands: [fromPlain(isLoose ? value : JSON.stringify(value)), fromPlain(given)],
  };
}
