import { matchesSelector, type LabelSelector } from './label-selector';

/** A selector that was written as a text, or the sentence that says why it is none. */
export type Parsed<T> = { value: T; fault?: undefined } | { value?: undefined; fault: string };

/** One requirement of a `labelSelector` parameter. */
export interface LabelRequirement {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'GreaterThan' | 'LessThan';
  values: readonly string[];
}

interface Token {
  text: string;
  at: number;
}

/**
 * Reads a `labelSelector` as Kubernetes writes it: `a=b`, `a==b`, `a!=b`, `a in (x,y)`, `a notin (x)`, `a`, `!a`, `a>1`, `a<9`,
 * joined by commas. A blank text has no requirements.
 */
export function parseLabelSelector(text: string): Parsed<readonly LabelRequirement[]> {
  const tokens = tokensOf(text);
  let at = 0;
  const peek = (): string | undefined => tokens[at]?.text;
  const take = (): string | undefined => tokens[at++]?.text;
  const requirements: LabelRequirement[] = [];
  try {
    while (at < tokens.length) {
      requirements.push(requirement());
      if (at === tokens.length) break;
      expect(',');
      if (at === tokens.length) throw unexpected('a requirement');
    }
    return { value: requirements };
  } catch (error) {
    if (error instanceof SelectorFault) return { fault: error.message };
    throw error;
  }

  function requirement(): LabelRequirement {
    if (peek() === '!') {
      take();
      return { key: word('a key'), operator: 'DoesNotExist', values: [] };
    }
    const key = word('a key');
    switch (peek()) {
      case undefined:
      case ',':
        return { key, operator: 'Exists', values: [] };
      case '=':
      case '==':
        take();
        return { key, operator: 'In', values: [value()] };
      case '!=':
        take();
        return { key, operator: 'NotIn', values: [value()] };
      case '>':
      case '<': {
        const operator = take() === '>' ? 'GreaterThan' : 'LessThan';
        const bound = word('a whole number');
        if (!/^-?\d+$/.test(bound)) throw new SelectorFault(`expected a whole number after ${key}, got ${bound}`);
        return { key, operator, values: [bound] };
      }
      case 'in':
      case 'notin': {
        const operator = take() === 'in' ? 'In' : 'NotIn';
        expect('(');
        const values = [value()];
        while (peek() === ',') {
          take();
          values.push(value());
        }
        expect(')');
        return { key, operator, values };
      }
      default:
        throw unexpected('an operator: =, ==, !=, in, notin, > or <');
    }
  }

  function word(what: string): string {
    const text = peek();
    if (text === undefined || isSymbol(text)) throw unexpected(what);
    at += 1;
    return text;
  }

  /** An empty value is one: `tier=` asks for an empty label. */
  function value(): string {
    const text = peek();
    return text === undefined || isSymbol(text) ? '' : take()!;
  }

  function expect(symbol: string): void {
    if (peek() !== symbol) throw unexpected(JSON.stringify(symbol));
    at += 1;
  }

  function unexpected(what: string): SelectorFault {
    const found = tokens[at];
    const place = found === undefined ? 'the end' : `${JSON.stringify(found.text)} at character ${found.at + 1}`;
    return new SelectorFault(`expected ${what}, got ${place}`);
  }
}

/** Whether labels meet every requirement. */
export function meetsRequirements(
  requirements: readonly LabelRequirement[],
  labels: Readonly<Record<string, string>> = {},
): boolean {
  return requirements.every(({ key, operator, values }) => {
    if (operator !== 'GreaterThan' && operator !== 'LessThan') {
      const selector: LabelSelector = { matchExpressions: [{ key, operator, values }] };
      return matchesSelector(selector, labels);
    }
    const found = Object.hasOwn(labels, key) ? labels[key]! : '';
    if (!/^-?\d+$/.test(found)) return false;
    const [one, bound] = [BigInt(found), BigInt(values[0]!)];
    return operator === 'GreaterThan' ? one > bound : one < bound;
  });
}

class SelectorFault extends Error {}

const SYMBOLS = ['==', '!=', '=', '!', '(', ')', ',', '>', '<'];
const isSymbol = (text: string): boolean => SYMBOLS.includes(text);

function tokensOf(text: string): Token[] {
  return [...text.matchAll(/==|!=|[=!(),<>]|[^\s=!(),<>]+/g)].map((match) => ({ text: match[0], at: match.index }));
}
