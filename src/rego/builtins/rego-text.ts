import { RegoNumber, RegoObject, RegoSet, type RegoValue } from './rego-value';

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

/** Like `parseValue`, for plain JSON: a set or a key that is no string is an error. */
export function parseJson(text: string): RegoValue {
  JSON.parse(text); // the full grammar, surrogates and control characters included
  return parseValue(text);
}

/** The text that `opa_value_parse` reads. */
export function writeValue(value: RegoValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(toWellFormed(value));
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (value instanceof RegoNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeValue).join(',')}]`;
  if (value instanceof RegoSet)
    return value.items.length === 0 ? 'set()' : `{${value.items.map(writeValue).join(',')}}`;
  return `{${value.entries.map(([key, item]) => `${writeValue(key)}:${writeValue(item)}`).join(',')}}`;
}

/** JSON in OPA's form: sets become arrays, keys that are no strings become their JSON text. */
export function writeJson(value: RegoValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(toWellFormed(value));
  if (value instanceof RegoNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  if (value instanceof RegoSet) return `[${value.items.map(writeJson).join(',')}]`;
  return `{${value.entries
    .map(([key, item]) => `${JSON.stringify(typeof key === 'string' ? key : writeJson(key))}:${writeJson(item)}`)
    .join(',')}}`;
}

/** A lone surrogate has no UTF-8; Go puts the replacement character there, and wasm would abort. */
function toWellFormed(text: string): string {
  return text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD');
}

/** From plain JavaScript data, such as a parsed JSON or YAML document. */
export function fromPlain(value: unknown): RegoValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return RegoNumber.of(value);
  if (Array.isArray(value)) return value.map(fromPlain);
  return new RegoObject(Object.entries(value as object).map(([key, item]) => [key, fromPlain(item)]));
}

/** To plain JavaScript data: numbers become doubles, sets arrays, keys text. */
export function toPlain(value: RegoValue): unknown {
  return JSON.parse(writeJson(value)) as unknown;
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
        return this.word('set()', new RegoSet([]));
      default:
        return new RegoNumber(normalNumber(this.match(NUMBER)));
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
    if (this.skip('}')) return new RegoObject([]);
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
