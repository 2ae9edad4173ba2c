import { numberOf } from '../../../src/rego/values/number';
import { RegoObject } from '../../../src/rego/values/rego-object';
import { RegoSet } from '../../../src/rego/values/rego-set';
import type { RegoValue } from '../../../src/rego/values/value';
import type { Call } from './opa-calls';

/** Random choices, the same for the same seed. */
export interface Random {
  below(limit: number): number;
  pick<T>(list: readonly T[]): T;
}

/** What a family of calls is made by, where operands of their kinds are not enough. */
export type MakeCall = (random: Random) => Call;

/** A small generator of numbers (mulberry32): the same calls for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const NUMBERS = [
  ...['0', '1', '-1', '2', '10', '0.1', '0.5', '-0.5', '1.5', '2.5', '1.0', '1e2', '1E3', '0.30', '1e-7', '-0', '-0.0'],
  ...['2147483647', '2147483648', '-2147483649', '9007199254740991', '9007199254740993', '9223372036854775807'],
  ...['9223372036854775808', '18446744073709551617', '123456789012345678901234567890', '1e21', '1e30', '1.5e300'],
  ...['0.000001', '123456.789', '1234567.125', '99999999.5', '3.0000000000000000001', '4e-320', '0.333333333333333'],
];
const STRINGS = [
  ...['', 'a', 'b', 'ab', 'abc', 'aXbXc', 'A', 'ö', 'ÄÖ', 'héllo', '😀', 'a😀b', ' a ', '\t x\n', 'a/b/c', '/a', '~1'],
  ...['x.y.z', '10', '-5', '1.5', '1e3', 'true', 'null', '{"a": [1, 2.0]}', '[1,', '"x"', 'YWJj', 'YWI=', 'YQ', '-_8='],
  ...[
    '10.0.0.0/8',
    '10.1.2.3',
    '::1/64',
    '*',
    'a*',
    '*.com',
    'a.com',
    '[a-c]b',
    '{a,b}c',
    'a?',
    '(a|b)+',
    '[',
    '%v-%d',
  ],
  ...['%5.2f|%x', '\u0130', 'ß', 'ǆ', '\u2028<&>', '0x1F', '+1', '.5', '5.', 'Inf', 'aa', 'aaa', 'abab'],
];

/** Pieces that make texts of a kind when some are put together. */
const PIECES = {
  uri: [
    'http:',
    'https:',
    'HTTP:',
    'ftp:',
    'mailto:',
    '//',
    '/',
    '///',
    'user:pw@',
    'a@b@',
    'a.com',
    'é.com',
    '[::1]',
    '[fe80::1%25en0]',
    '[1.2.3.4]',
    ':80',
    ':x',
    ':',
    '?',
    'q=1&r=%20',
    '#',
    'frag%41',
    '%zz',
    '%2F',
    '%C3%A9',
    'a b',
    '*',
    '..',
    '\u0001',
    '<',
    "'",
    '%20',
  ],
  cidr: [
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.2.3',
    '010.0.0.1',
    '::1',
    '::ffff:10.1.2.3',
    '::/0',
    'fe80::/10',
    '1:2:3:4:5:6:7:8',
    '/32',
    '/129',
    '/33',
    '0.0.0.0/0',
    '::ffff:10.0.0.0/104',
    '::/80',
    ' ',
  ],
  pattern: [
    'a',
    'b',
    'c',
    '.',
    '[a-c]',
    '[bc]',
    '[',
    ']',
    '*',
    '+',
    '?',
    'a*',
    'b+',
    '.*',
    '.+',
    '\\',
    '\\.',
    '(a|b)',
    '^',
    '$',
    '-',
    'ö',
  ],
  glob: [
    'a',
    'b',
    '*',
    '**',
    '?',
    '[a-c]',
    '[!a]',
    '[ab]',
    '{a,b}',
    '{',
    '}',
    ',',
    '.',
    ':',
    '\\*',
    '[',
    ']',
    '!',
    '-',
    'ö',
  ],
} as const;

export type Kind =
  | ('any' | 'number' | 'integer' | 'small' | 'string' | 'array' | 'set' | 'object' | 'list' | 'strings')
  | keyof typeof PIECES;

/** OPA itself would fill the memory with what a large operand asks of them. */
const UNBOUNDED = new Set(['numbers.range', 'numbers.range_step', 'bits.lsh']);

class Generator {
  constructor(private readonly random: () => number) {}

  call(name: string, kinds: readonly Kind[]): Call {
    // now and then an operand of any type: the errors count too
    const odd = UNBOUNDED.has(name) ? 0 : 0.06;
    const operands = kinds.map((kind) => this.value(this.random() < odd ? 'any' : kind, 2));
    return { name, operands };
  }

  private value(kind: Kind, depth: number): RegoValue {
    switch (kind) {
      case 'any':
        return this.any(depth);
      case 'number':
        return this.number();
      case 'integer':
        return numberOf(String(this.below(41) - 20));
      case 'small':
        return this.below(6);
      case 'string':
        return this.string();
      case 'array':
        return this.items(depth, 'any');
      case 'set':
        return new RegoSet(this.items(depth, 'any'));
      case 'list':
        return this.random() < 0.5 ? this.items(depth, 'number') : new RegoSet(this.items(depth, 'number'));
      case 'strings':
        return this.random() < 0.5 ? this.items(depth, 'string') : new RegoSet(this.items(depth, 'string'));
      case 'uri':
      case 'cidr':
      case 'pattern':
      case 'glob':
        return Array.from({ length: 1 + this.below(kind === 'cidr' ? 2 : 5) }, () => this.pick(PIECES[kind])).join('');
      case 'object':
        return new RegoObject(this.items(depth, 'any').map((item) => [this.key(), item] as const));
    }
  }

  private any(depth: number): RegoValue {
    const kinds = ['number', 'string', 'array', 'set', 'object'] as const;
    const which = this.below(depth > 0 ? 7 : 4);
    if (which === 0) return null;
    if (which === 1) return this.random() < 0.5;
    return this.value(kinds[which - 2]!, depth - 1);
  }

  private key(): RegoValue {
    return this.random() < 0.8 ? this.pick(['a', 'b', 'c', 'a/b', '0', '1']) : this.any(0);
  }

  private number(): RegoValue {
    if (this.random() < 0.6) return numberOf(this.pick(NUMBERS));
    if (this.random() < 0.5) return this.below(1_000) - 500;
    const digits = String(Math.floor(this.random() * 10 ** (1 + this.below(15))));
    const at = this.below(digits.length);
    return numberOf(`${this.random() < 0.3 ? '-' : ''}${digits.slice(0, at) || '0'}.${digits.slice(at)}`);
  }

  private string(): string {
    return this.random() < 0.8 ? this.pick(STRINGS) : this.pick(STRINGS) + this.pick(STRINGS);
  }

  private items(depth: number, kind: Kind): RegoValue[] {
    return Array.from({ length: this.below(5) }, () =>
      this.value(kind === 'any' && depth <= 0 ? 'number' : kind, depth - 1),
    );
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** @param shapes the operands' kinds by built-in, or what makes a call */
export function randomCalls(
  seed: number,
  count: number,
  shapes: Readonly<Record<string, readonly Kind[]>> | MakeCall,
): Call[] {
  const generator = new Generator(createRandom(seed));
  if (typeof shapes === 'function') return Array.from({ length: count }, () => shapes(generator));
  const names = Object.keys(shapes);
  return Array.from({ length: count }, (_, index) => {
    const name = names[index % names.length]!;
    return generator.call(name, shapes[name]!);
  });
}
