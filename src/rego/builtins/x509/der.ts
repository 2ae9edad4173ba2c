import { BuiltinError } from '../builtin';

/** Identifiers of one octet (X.690, 8.1.2); longer ones are refused, as Go's `cryptobyte` does. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The identifier of a field that the surrounding type numbers. */
export const context = (number: number, isConstructed = false): number => 0x80 | (isConstructed ? 0x20 : 0) | number;

export interface Element {
  tag: number;
  content: Buffer;
  /** identifier and length included */
  whole: Buffer;
}

/** An object identifier by its numbers. */
export type Oid = readonly number[];

export interface BitString {
  bytes: Buffer;
  bitLength: number;
}

/**
 * Reads DER from front to back, as strict as Go's `golang.org/x/crypto/cryptobyte`: lengths are definite and of the fewest
 * octets, integers too.
 *
 * Every method throws a BuiltinError with the words `what` where the next element is another.
 */
export class DerReader {
  constructor(private rest: Buffer) {}

  get isEmpty(): boolean {
    return this.rest.length === 0;
  }

  peeks(tag: number): boolean {
    return this.rest[0] === tag;
  }

  any(what: string): Element {
    const { rest } = this;
    const [tag = 0x1f, first = 0x80] = rest;
    if (rest.length < 2 || (tag & 0x1f) === 0x1f) throw new BuiltinError(what);
    let [header, length] = [2, first];
    if (first >= 0x80) {
      const octets = first & 0x7f;
      if (octets === 0 || octets > 4 || rest.length < 2 + octets) throw new BuiltinError(what);
      length = rest.readUIntBE(2, octets);
      header += octets;
      if (length < 0x80 || rest[2] === 0) throw new BuiltinError(what);
    }
    if (rest.length < header + length) throw new BuiltinError(what);
    this.rest = rest.subarray(header + length);
    const whole = rest.subarray(0, header + length);
    return { tag, content: whole.subarray(header), whole };
  }

  element(tag: number, what: string): Element {
    const element = this.any(what);
    if (element.tag !== tag) throw new BuiltinError(what);
    return element;
  }

  content(tag: number, what: string): Buffer {
    return this.element(tag, what).content;
  }

  /** A reader of what is inside the next element. */
  inside(tag: number, what: string): DerReader {
    return new DerReader(this.content(tag, what));
  }

  /** undefined where the next element has another tag */
  optional(tag: number, what: string): Buffer | undefined {
    return this.peeks(tag) ? this.content(tag, what) : undefined;
  }

  /**
   * Identifier and length of the next element, of which `encoding/asn1` reads more than `cryptobyte`: an optional field
   * that is another must have them in order too. undefined at the end.
   */
  header(what: string): { header: number; length: number } | undefined {
    const { rest } = this;
    if (rest.length === 0) return undefined;
    let at = 1;
    if ((rest[0]! & 0x1f) === 0x1f) {
      while ((rest[at] ?? 0) >= 0x80) at++;
      const [tag] = base128Parts(rest.subarray(1, ++at)) ?? [];
      if (tag === undefined || tag < 0x1fn || tag >= MOST_OID_PART) throw new BuiltinError(what);
    }
    const first = rest[at++];
    if (first === undefined || first === 0x80) throw new BuiltinError(what);
    if (first < 0x80) return { header: at, length: first };
    const octets = rest.subarray(at, at + (first & 0x7f));
    const length = octets.reduce((sum, octet) => sum * 256 + octet, 0);
    const isMinimal = octets.length === (first & 0x7f) && octets[0] !== 0 && length >= 0x80;
    if (!isMinimal || length >= 2 ** 31) throw new BuiltinError(what);
    return { header: at + octets.length, length };
  }

  /**
   * What is inside an optional explicit tag, as Go's `encoding/asn1` reads it: the length of the tag is not compared with
   * what is inside. undefined where the tag, or the tag inside, is another.
   */
  explicit(number: number, tag: number, what: string): Buffer | undefined {
    this.header(what);
    if (!this.peeks(context(number, true))) return undefined;
    const { header, length } = this.header(what)!;
    if (length === 0) throw new BuiltinError(what);
    const inside = new DerReader(this.rest.subarray(header));
    if (!inside.header(what) || !inside.peeks(tag)) return undefined;
    const content = inside.content(tag, what);
    this.rest = inside.rest;
    return content;
  }

  boolean(what: string): boolean {
    const content = this.content(TAG.boolean, what);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new BuiltinError(what);
    return content[0] === 0xff;
  }

  integer(what: string, tag: number = TAG.integer): bigint {
    return readInteger(this.content(tag, what), what);
  }

  /** An integer of at most 64 bits that a double holds, as counts and versions are. */
  count(what: string, tag: number = TAG.integer): number {
    const value = this.integer(what, tag);
    if (BigInt.asIntN(64, value) !== value) throw new BuiltinError(what);
    return Number(value);
  }

  oid(what: string): Oid {
    return readOid(this.content(TAG.oid, what), what);
  }

  bitString(what: string): BitString {
    return readBitString(this.content(TAG.bitString, what), what);
  }
}

export function readBitString(content: Buffer, what: string): BitString {
  const [padding = 8] = content;
  const bytes = content.subarray(1);
  const last = bytes.at(-1);
  if (padding > 7 || (last === undefined ? padding !== 0 : (last & ((1 << padding) - 1)) !== 0)) {
    throw new BuiltinError(what);
  }
  return { bytes, bitLength: bytes.length * 8 - padding };
}

function readInteger(content: Buffer, what: string): bigint {
  const [first, second] = content;
  if (first === undefined) throw new BuiltinError(what);
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw new BuiltinError(what);
  }
  const value = toInteger(content);
  return first < 0x80 ? value : value - (1n << BigInt(content.length * 8));
}

/** The bytes as an integer without a sign. */
export function toInteger(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`);
}

const MOST_OID_PART = 2 ** 31;

export function readOid(content: Buffer, what: string): Oid {
  const parts = base128Parts(content);
  if (parts?.every((part) => part < MOST_OID_PART) !== true) throw new BuiltinError(what);
  return splitFirst(parts.map(Number));
}

/** The numbers in an object identifier, the first two still in one; undefined where the bytes are no identifier. */
export function base128Parts(content: Buffer): bigint[] | undefined {
  const parts = looseParts(content);
  const isMinimal = !content.some((byte, at) => byte === 0x80 && (content[at - 1] ?? 0) < 0x80);
  return parts.length > 0 && isMinimal && content.at(-1)! < 0x80 ? parts : undefined;
}

/** As `base128Parts`, without a check: what is not whole at the end is left out. */
export function looseParts(content: Buffer): bigint[] {
  const parts: bigint[] = [];
  let part = 0n;
  for (const byte of content) {
    part = (part << 7n) | BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    parts.push(part);
    part = 0n;
  }
  return parts;
}

function splitFirst([first, ...rest]: number[]): Oid {
  return first! < 80 ? [Math.floor(first! / 40), first! % 40, ...rest] : [2, first! - 80, ...rest];
}

/** The bits of a text of bits, moved so that none is left over at its end (`BitString.RightAlign`). */
export function rightAlign({ bytes, bitLength }: BitString): Buffer {
  const shift = (8 - (bitLength % 8)) % 8;
  if (shift === 0) return bytes;
  return Buffer.from(bytes.map((byte, index) => (byte >> shift) | ((bytes[index - 1] ?? 0) << (8 - shift))));
}

export const sameOid = (a: Oid, b: Oid): boolean => a.length === b.length && a.every((part, at) => part === b[at]);

/** `1.2.840` as numbers. */
export const oidOf = (text: string): Oid => text.split('.').map(Number);
