import { isTooBig, numberOf, type RegoNumber } from './number';
import { fromPlain } from './plain';
import { RegoObject } from './rego-object';
import type { RegoValue } from './value';

/** What may hold a number that a double does not keep as it is written. */
const RISKY = /\d{16}|\d[.eE]|-0/;
const STRINGS = /"(?:[^"\\]|\\.)*"/g;

/**
 * Parses JSON text exactly: numbers keep their spelling, of a key that comes twice the last value stays.
 *
 * @throws SyntaxError where it is no JSON, or where a number is so big that OPA refuses it
 */
export function parseJson(text: string): RegoValue {
  const plain: unknown = JSON.parse(text);
  if (!RISKY.test(text) || !RISKY.test(text.replace(STRINGS, ''))) return fromPlain(plain);
  return new Reader(text).value();
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** A second pass over text whose grammar was checked: it only has to find where each value ends. */
class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(): RegoValue {
    switch (this.next()) {
      case '{':
        return this.object();
      case '[':
        return this.array();
      case '"':
        return this.string();
      case 't':
        this.at += 4;
        return true;
      case 'f':
        this.at += 5;
        return false;
      case 'n':
        this.at += 4;
        return null;
      default:
        return this.number();
    }
  }

  private object(): RegoObject {
    const object = new RegoObject();
    this.at++;
    if (this.next() === '}') {
      this.at++;
      return object;
    }
    for (;;) {
      this.next();
      const key = this.string();
      this.next();
      this.at++;
      object.set(key, this.value());
      const close = this.next();
      this.at++;
      if (close === '}') return object;
    }
  }

  private array(): RegoValue[] {
    const items: RegoValue[] = [];
    this.at++;
    if (this.next() === ']') {
      this.at++;
      return items;
    }
    for (;;) {
      items.push(this.value());
      const close = this.next();
      this.at++;
      if (close === ']') return items;
    }
  }

  private string(): string {
    let end = this.at + 1;
    while (this.text[end] !== '"') end += this.text[end] === '\\' ? 2 : 1;
    const quoted = this.text.slice(this.at, end + 1);
    this.at = end + 1;
    return JSON.parse(quoted) as string;
  }

  private number(): RegoNumber {
    NUMBER.lastIndex = this.at;
    const text = NUMBER.exec(this.text)![0];
    this.at += text.length;
    if (isTooBig(text)) throw new SyntaxError('invalid number: number too big');
    return numberOf(text);
  }

  /** skips white space; the character that follows */
  private next(): string | undefined {
    while (this.text.charCodeAt(this.at) <= 32) this.at++;
    return this.text[this.at];
  }
}
