import { RegoObject } from '../../../src/rego/values/rego-object';
import type { RegoValue } from '../../../src/rego/values/value';
import type { Call } from './opa-calls';
import type { Random } from './random-calls';

/** Scalars that YAML reads as something else than the text that they are. */
const SCALARS = [
  ...['a', 'b c', 'yes', 'No', 'on', 'true', 'True', 'TRUE', 'tRUE', 'null', '~', 'Null', '', '0', '1', '-1', '+1'],
  ...[
    '0777',
    '0o17',
    '0x1F',
    '0b101',
    '-0b1',
    '0b-1',
    '1_000',
    '08',
    '1.5',
    '1.',
    '.5',
    '1e3',
    '1E-7',
    '.inf',
    '-.inf',
  ],
  ...['.nan', '1e999', '123456789012345678901234567890', '9223372036854775808', '18446744073709551616', '-0', '-0.0'],
  ...['2001-01-01', '2001-1-1', '2001-01-01T01:02:03Z', '2001-13-01', '1:20', '12:30:45', '<<', '=', '!', '&', '*'],
  ...['!!str 1', '!!int 1', '!!int x', '!!float 1', '!!bool yes', '!!null x', '!!binary YWI=', '!!binary !', '!foo 1'],
  ...[
    '!!timestamp 2001-01-01',
    '! 1',
    '"1"',
    "'1'",
    '"a\\tb"',
    '"\\u00e9\\x41"',
    '"\\q"',
    "'it''s'",
    '"',
    "'",
    '"a" b',
  ],
  ...['&x 1', '*x', '*y', '&x a', '[]', '{}', '[1, 2]', '{a: 1}', '{a}', '[a: 1]', '[', '}', '{a: 1, a: 2}', '{"a":1}'],
  ...['a: b', 'a:b', ':a', 'a #b', 'a#b', '# c', '- a', '-a', '-', '?', '? a', ':', '|', '>', '|-', '@a', '`a', '%a'],
  ...['ö', '😀', '\t', 'a\tb', '--- a', '...', '---', 'a---', '{? a : 1}', "{a: 'b'}", '[a, b,]', '[,]', '{a: b, c}'],
];
const KEYS = [
  ...['a', 'b', 'c', '1', '"1"', 'true', '~', '1.5', '<<', '"<<"', '0x1', 'x y', '"q"', "'s'", '? z', '&k k', '*x'],
  ...['!!str 1', '[1]', '{a: 1}', '', '123456789.5', '1e3', '2001-01-01'],
];

/** Text that is YAML, or nearly. */
function document(random: Random, depth: number, indent: string): string {
  const scalar = () => random.pick(SCALARS);
  const blank = () => (random.below(12) === 0 ? random.pick(['\n', ' # c\n', `${indent}# c\n`, '  \n', '\t\n']) : '');
  const nested = () => {
    const inner = `${indent}${random.pick([' ', '  ', '  ', '    '])}`;
    if (random.below(8) === 0) return blockScalar(random, inner);
    if (depth <= 0 || random.below(2) === 0) return ` ${scalar()}\n`;
    return `${random.below(10) === 0 ? ' &x' : ''}\n${document(random, depth - 1, inner)}`;
  };
  const lines: string[] = [];
  const isList = random.below(3) === 0;
  for (let left = 1 + random.below(3); left > 0; left--) {
    const start = random.below(40) === 0 ? `${indent} ` : indent;
    lines.push(`${blank()}${start}${isList ? '-' : `${random.pick(KEYS)}:`}${nested()}`);
  }
  if (random.below(30) === 0) lines.push(`${indent}${scalar()}\n`);
  return lines.join('');
}

function blockScalar(random: Random, indent: string): string {
  const style = random.pick(['|', '>', '|-', '>-', '|+', '>+', '|2', '>1-']);
  const lines = Array.from({ length: 1 + random.below(4) }, () =>
    random.pick([`${indent}text`, `${indent}  more`, '', indent, `${indent}a: b # c`, `${indent}- x`]),
  );
  return ` ${style}\n${lines.join('\n')}\n`;
}

function text(random: Random): string {
  switch (random.below(8)) {
    case 0:
      return random.pick(SCALARS);
    case 1:
      return `${random.pick(['--- ', '---\n', '%YAML 1.1\n---\n', '%TAG ! !x\n---\n'])}${document(random, 1, '')}`;
    case 2:
      return `${document(random, 1, '')}${random.pick(['---\n', '...\n', '--- a\n'])}${document(random, 1, '')}`;
    case 3:
      return `base: &x\n  a: 1\n  b: 2\nd:\n  <<: *x\n  ${random.pick(KEYS)}: 3\n${random.pick(['  <<: {q: 1}\n', ''])}`;
    default:
      return document(random, 2, '');
  }
}

const TEXTS = [
  ...[
    '',
    'a',
    'yes',
    'true',
    'null',
    '~',
    '1',
    '1.5',
    '0x1',
    '1_0',
    '08',
    '1:20',
    '.inf',
    '2001-01-01',
    '<<',
    '=',
    '-',
  ],
  ...['- a', 'a: b', 'a:', 'a #b', '#a', ' a', 'a ', 'a\n', 'a\nb', '\na', 'a\n\n', ' a\nb', 'a \nb', 'a\tb', 'a\n\tb'],
  ...[
    '"q"',
    "it's",
    "'",
    'ö',
    '😀',
    '\u2028',
    '\u0001',
    '\r\n',
    '---',
    '...',
    '[a',
    '{',
    '}',
    ',',
    '?',
    '? a',
    ':',
    '%',
  ],
  ...[
    '@',
    '`',
    '|',
    '>',
    '!',
    '&a',
    '*a',
    '\u00a0',
    'a\u0085b',
    '\ufeff',
    '\u007f',
    'k10',
    'k9',
    'k09',
    'k',
    'K',
    'a-1',
  ],
  ...['x'.repeat(130), 'y'.repeat(1030), 'a<b'],
];

function value(random: Random, depth: number): RegoValue {
  const scalars: RegoValue[] = [null, true, 0, 1.5, 1e21, 1e-7, -3, 123456789];
  switch (random.below(depth > 0 ? 6 : 3)) {
    case 0:
      return random.pick(scalars);
    case 3:
      return Array.from({ length: random.below(3) }, () => value(random, depth - 1));
    case 4:
    case 5: {
      const size = random.below(4);
      return new RegoObject(
        Array.from({ length: size }, () => [random.pick(TEXTS), value(random, depth - 1)] as const),
      );
    }
    default:
      return random.pick(TEXTS) + (random.below(5) === 0 ? random.pick(TEXTS) : '');
  }
}

/** Calls of `yaml.*` with text that is YAML, or nearly, and values whose text has to be quoted. */
export function yamlCall(random: Random): Call {
  if (random.below(3) === 0) return { name: 'yaml.marshal', operands: [value(random, 3)] };
  const name = random.below(4) === 0 ? 'yaml.is_valid' : 'yaml.unmarshal';
  return { name, operands: [text(random)] };
}
