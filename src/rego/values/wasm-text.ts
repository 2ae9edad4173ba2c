import { quoteJson } from './json';
import { isNumber, numberOf, numberText } from './number';
import { RegoObject } from './rego-object';
import { RegoSet } from './rego-set';
import { isSet, type RegoValue } from './value';

/**
 * Reads the text that `opa_value_dump` writes: JSON with sets (`{1,2}`, `set()`) and with object keys of any type.
 * Numbers keep every digit.
 *
 * @throws SyntaxError with the position, where the text is not such a value
 */
export function parseValue(text: string): RegoValue {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

/** The text that `opa_value_parse` reads. */
export function writeValue(value: RegoValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return quoteJson(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (isNumber(value)) return numberText(value);
  if (Array.isArray(value)) return `[${value.map(writeValue).join(',')}]`;
  if (isSet(value)) return value.items.length === 0 ? 'set()' : `{${value.items.map(writeValue).join(',')}}`;
  return `{${value.entries.map(([key, item]) => `${writeValue(key)}:${writeValue(item)}`).join(',')}}`;
}

/** Rego admits `.5` and `1.`, and the module prints literals as they were written. */
const NUMBER = /-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;

/** JSON's form, which the module needs to read it back. */
function normalNumber(text: string): string {
  return text.includes('.')
    ? text.replace(/^(-?)\./, (_, sign: string) => `${sign}0.`).replace(/\.(?=$|[eE])/, '.0')
    : text;
}

class Reader {
  private at = 0;
  constructor(private readonly text: string) {}

  value(): RegoValue {
    this.space();
    switch (this.text[this.at]) {
      case '"':
        return JSON.parse(this.match(STRING)) as string;
      case '[':
        this.at++;
        return this.list(']');
      case '{':
        return this.objectOrSet();
      case 't':
        return this.word('true', true);
      case 'f':
        return this.word('false', false);
      case 'n':
        return this.word('null', null);
      case 's':
        return this.word('set()', new RegoSet());
      default:
        return numberOf(normalNumber(this.match(NUMBER)));
    }
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) this.fail();
  }

  private list(close: string): RegoValue[] {
    const items: RegoValue[] = [];
    if (this.skip(close)) return items;
    do items.push(this.value());
    while (this.skip(','));
    if (!this.skip(close)) this.fail();
    return items;
  }

  private objectOrSet(): RegoValue {
    this.at++;
    if (this.skip('}')) return new RegoObject();
    let key = this.value();
    if (!this.skip(':')) {
      const rest = this.skip(',') ? this.list('}') : [];
      if (rest.length === 0 && !this.skip('}')) this.fail();
      return new RegoSet([key, ...rest]);
    }
    const entries: [RegoValue, RegoValue][] = [[key, this.value()]];
    while (this.skip(',')) {
      key = this.value();
      if (!this.skip(':')) this.fail();
      entries.push([key, this.value()]);
    }
    if (!this.skip('}')) this.fail();
    return new RegoObject(entries);
  }

  private space(): void {
    while (this.at < this.text.length && ' \n\r\t'.includes(this.text[this.at]!)) this.at++;
  }

  private skip(char: string): boolean {
    this.space();
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail();
    this.at += word.length;
    return value;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) this.fail();
    this.at += found.length;
    return found;
  }

  private fail(): never {
    throw new SyntaxError(`Expected a Rego value at position ${this.at}`);
  }
}
