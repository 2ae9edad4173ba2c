import type { Call } from './opa-calls';
import type { Random } from './random-calls';

const NAMES = [
  'a',
  'b',
  'on',
  'type',
  'Query',
  'T',
  'I',
  'U',
  'E',
  'In',
  'String',
  'Int',
  '__x',
  'fragment',
  'implements',
];
const VALUES = [
  ...[
    '1',
    '-0',
    '01',
    '1.5',
    '1.',
    '1e3',
    '1e',
    '"s"',
    '"\\u00e9\\n"',
    '"\\ud83d"',
    '"\\x"',
    '"',
    'true',
    'null',
    'E1',
  ],
  ...['$v', '[1, 2]', '[]', '{a: 1}', '{}', '"""\n  block\n    more\n"""', '""""q"""', '"ö"', '[1 [2]]'],
];
const COMMENTS = ['', '', '', '', '# c\n', '# c\n# d\n', '\ufeff', ', '];

function pieces(random: Random) {
  const maybe = (text: () => string, one = 3) => (random.below(one) === 0 ? text() : '');
  const name = () => maybe(() => random.pick(COMMENTS), 8) + random.pick(NAMES);
  const value = () => random.pick(VALUES);
  const type = (): string => {
    const inner = random.below(4) === 0 ? `[${type()}]` : random.pick(['String', 'Int', 'T', 'In', 'E', 'I', 'U', 'X']);
    return `${inner}${maybe(() => '!')}`;
  };
  const directives = () =>
    maybe(
      () => ` @${random.pick(['skip(if: true)', 'deprecated', 'd', 'd(a: 1)', 'oneOf', 'specifiedBy(url: "u")', 'x'])}`,
      5,
    );
  const list = (text: () => string, most = 3) => Array.from({ length: random.below(most + 1) }, text).join(' ');
  return { maybe, name, value, type, directives, list };
}

function query(random: Random): string {
  const { maybe, name, value, type, directives, list } = pieces(random);
  const args = () => maybe(() => `(${list(() => `${name()}: ${value()}`)})`);
  const selections = (depth: number): string => {
    const field = () => `${maybe(() => `${name()}: `)}${name()}${args()}${directives()}${nested()}`;
    const nested = () => (depth > 0 ? maybe(() => ` ${selections(depth - 1)}`) : '');
    const fragment = () =>
      `...${random.pick([' ', ' on '])}${name()}${directives()}${random.below(2) ? ` ${selections(0)}` : ''}`;
    return `{ ${random.below(15) ? field() : ''} ${list(() => (random.below(4) ? field() : fragment()))} }`;
  };
  const variables = () => maybe(() => `($v: ${type()}${maybe(() => ` = ${value()}`)}${directives()})`);
  const operation = () =>
    `${random.pick(COMMENTS)}${random.pick(['query', 'mutation', 'subscription'])} ${maybe(name)}${variables()} ${selections(1)}`;
  const definition = () =>
    random.below(3) === 0
      ? `fragment ${name()} on ${name()}${directives()} ${selections(0)}`
      : random.below(2)
        ? operation()
        : random.pick(COMMENTS) + selections(1);
  return `${list(definition, 2)}${maybe(() => random.pick(COMMENTS))}`;
}

function schema(random: Random): string {
  const { maybe, name, value, type, directives, list } = pieces(random);
  const described = () =>
    random.pick(COMMENTS) + maybe(() => random.pick(['"d" ', '"" ', '"""\n d\n""" ', '"d"\n# c\n']), 6);
  const input = () => `${described()}${name()}: ${type()}${maybe(() => ` = ${value()}`, 6)}${directives()}`;
  const field = () => `${described()}${name()}${maybe(() => `(${list(input, 2)})`, 5)}: ${type()}${directives()}`;
  const block = (text: () => string) => (random.below(12) ? `{ ${text()} ${list(text, 2)} }` : maybe(() => '{}'));
  const implemented = () => maybe(() => ` implements ${random.pick(['I', '& I', 'I & J', 'T', 'X'])}`, 5);
  const definition = (): string => {
    const start = `${described()}${maybe(() => 'extend ', 8)}`;
    switch (random.below(8)) {
      case 0:
        return `${start}scalar ${name()}${directives()}`;
      case 1:
        return `${start}interface I${implemented()}${directives()} ${block(field)}`;
      case 2:
        return `${start}union U${directives()} = ${random.pick(['T', '| T', 'T | Query', 'T | T', 'X'])}`;
      case 3:
        return `${start}enum E${directives()} ${block(() => described() + random.pick(['E1', 'E2', 'true', 'b']) + directives())}`;
      case 4:
        return `${start}input In${directives()} ${block(input)}`;
      case 5:
        return `${start}directive @${name()}${maybe(() => `(${list(input, 2)})`)}${maybe(() => ' repeatable')} on ${random.pick(['OBJECT', '| FIELD | OBJECT', 'X', 'FIELD_DEFINITION'])}`;
      case 6:
        return `${start}schema${directives()} { query: ${random.pick(['Query', 'T', 'X'])} }`;
      default:
        return `${start}type ${random.pick(['T', 'Query', 'J'])}${implemented()}${directives()} ${block(field)}`;
    }
  };
  const usual =
    'type T { a: String } interface I { a: String } enum E { E1 } input In { a: Int } scalar U type Query { a: T }';
  const bases = [
    '',
    usual,
    'type T { a(b: Int): String } interface I { a(b: Int): String } scalar X',
    'scalar X scalar T',
  ];
  return `${random.pick(bases)} ${list(definition, random.below(3) ? 1 : 3)}`;
}

/** Calls of `graphql.*` with documents that are GraphQL, or nearly. */
export function graphqlCall(random: Random): Call {
  if (random.below(3) === 0) return { name: 'graphql.parse_query', operands: [query(random)] };
  const name = random.pick(['graphql.parse_schema', 'graphql.schema_is_valid', 'graphql.schema_is_valid']);
  return { name, operands: [schema(random)] };
}
