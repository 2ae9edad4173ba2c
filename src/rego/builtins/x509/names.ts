import { isUtf8 } from 'node:buffer';
import { BuiltinError } from '../builtin';
import { decodeUtf8 } from '../utf8';

import { RegoObject } from '../../values/rego-object';
import type { RegoValue } from '../../values/value';
import { DerReader, TAG, type Oid } from './der';

/** One attribute of a distinguished name; a value of a type that is no text only comes in requests. */
export interface Attribute {
  type: Oid;
  value: RegoValue;
}

const INVALID = 'x509: invalid RDNSequence';

/** The attributes of a Name (RFC 5280, 4.1.2.4) in their order, those of one RDN not kept apart. */
export function readName(der: Buffer, readValue: (tag: number, content: Buffer) => RegoValue = readText): Attribute[] {
  const names = new DerReader(der).inside(TAG.sequence, INVALID);
  const attributes: Attribute[] = [];
  while (!names.isEmpty) {
    const set = names.inside(TAG.set, INVALID);
    while (!set.isEmpty) {
      const pair = set.inside(TAG.sequence, `${INVALID}: invalid attribute`);
      const type = pair.oid(`${INVALID}: invalid attribute type`);
      const { tag, content } = pair.any(`${INVALID}: invalid attribute value`);
      attributes.push({ type, value: readValue(tag, content) });
    }
  }
  return attributes;
}

// eslint-disable-next-line no-control-regex -- all of ASCII is meant
const ASCII = /^[\x00-\x7f]*$/;
const PRINTABLE = /^[a-zA-Z0-9'()+,\-./ :=?*&]*$/;

/** The types of text that Go's `crypto/x509` reads. @throws BuiltinError on any other, and on characters beyond the type */
export function readText(tag: number, content: Buffer): string {
  const latin1 = content.toString('latin1');
  const checked = (isValid: boolean, name: string) => {
    if (!isValid) throw new BuiltinError(`${INVALID}: invalid attribute value: invalid ${name}`);
    return latin1;
  };
  switch (tag) {
    case TAG.t61String:
      return latin1;
    case TAG.printableString:
      return checked(PRINTABLE.test(latin1), 'PrintableString');
    case TAG.ia5String:
      return checked(ASCII.test(latin1), 'IA5String');
    case TAG.numericString:
      return checked(/^[0-9 ]*$/.test(latin1), 'NumericString');
    case TAG.utf8String:
      checked(isUtf8(content), 'UTF-8 string');
      return content.toString('utf8');
    case TAG.bmpString:
      return readBmp(content);
    default:
      throw new BuiltinError(`${INVALID}: invalid attribute value: unsupported string type: ${tag}`);
  }
}

/** UCS-2, with a zero at its end or without. */
export function readBmp(content: Buffer): string {
  if (content.length % 2 !== 0) throw new BuiltinError('invalid BMPString');
  const units = Array.from({ length: content.length / 2 }, (_, index) => content.readUInt16BE(index * 2));
  if (units.at(-1) === 0) units.pop();
  const isReserved = (unit: number) =>
    unit >= 0xfffe || (unit >= 0xfdd0 && unit <= 0xfdef) || (unit >= 0xd800 && unit <= 0xdfff);
  if (units.some(isReserved)) throw new BuiltinError('invalid BMPString');
  return units.map((unit) => String.fromCharCode(unit)).join('');
}

/** @throws BuiltinError where a byte is beyond ASCII */
export function readIa5(content: Buffer, what: string): string {
  const text = content.toString('latin1');
  if (!ASCII.test(text)) throw new BuiltinError(what);
  return text;
}

/** Bytes that OPA takes as text without a check. */
export const readLoosely = (content: Buffer): string => decodeUtf8(content);

/** The fields of Go's `pkix.Name` by the last number of their type, 2.5.4.x. */
const LISTS: Readonly<Record<number, string>> = {
  6: 'Country',
  7: 'Locality',
  8: 'Province',
  9: 'StreetAddress',
  10: 'Organization',
  11: 'OrganizationalUnit',
  17: 'PostalCode',
};
const TEXTS: Readonly<Record<number, string>> = { 3: 'CommonName', 5: 'SerialNumber' };

/** As Go's JSON of a `pkix.Name`. */
export function describeName(attributes: readonly Attribute[]): RegoObject {
  const lists = new Map<string, RegoValue[]>();
  const texts = new Map<string, string>(Object.values(TEXTS).map((name) => [name, '']));
  for (const { type, value } of attributes) {
    const [a, b, c, last] = type;
    if (type.length !== 4 || a !== 2 || b !== 5 || c !== 4 || typeof value !== 'string') continue;
    const [list, text] = [LISTS[last!], TEXTS[last!]];
    if (list !== undefined) lists.set(list, [...(lists.get(list) ?? []), value]);
    if (text !== undefined) texts.set(text, value);
  }
  const described = attributes.map(({ type, value }) => RegoObject.from({ Type: [...type], Value: value }));
  return RegoObject.from({
    ...Object.fromEntries(Object.values(LISTS).map((name) => [name, lists.get(name) ?? null])),
    ...Object.fromEntries(texts),
    Names: described.length > 0 ? described : null,
    ExtraNames: null,
  });
}
