import { BuiltinError, type Builtins } from './builtin';
import { itemsOf, objectAt, OperandError, stringAt } from './operands';
import { decodeUtf8 } from './utf8';
import { compareStrings } from '../values/compare';
import { keyText } from '../values/json';
import { RegoObject } from '../values/rego-object';
import type { RegoValue } from '../values/value';

export const encodingBuiltins: Builtins = {
  'hex.encode': (operands) => Buffer.from(stringAt(operands, 0), 'utf8').toString('hex'),
  'hex.decode': (operands) => {
    const text = stringAt(operands, 0);
    if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new BuiltinError('hex.decode: not pairs of hexadecimal digits');
    return decodeUtf8(Buffer.from(text, 'hex'));
  },
  'urlquery.encode': (operands) => escapeQuery(stringAt(operands, 0)),
  'urlquery.decode': (operands) => unescapeQuery(stringAt(operands, 0)),
  'urlquery.encode_object': (operands) => {
    const pairs = objectAt(operands, 0).entries.flatMap(([key, value]) => queryPairs(key, value));
    return pairs
      .sort(([a], [b]) => compareStrings(a, b))
      .map(([key, value]) => `${escapeQuery(key)}=${escapeQuery(value)}`)
      .join('&');
  },
  'urlquery.decode_object': (operands) => {
    const values = new Map<string, string[]>();
    for (const part of stringAt(operands, 0).split('&')) {
      if (part === '') continue;
      if (part.includes(';')) throw new BuiltinError('invalid semicolon separator in query');
      const [key, ...rest] = part.split('=');
      const name = unescapeQuery(key!);
      values.set(name, [...(values.get(name) ?? []), unescapeQuery(rest.join('='))]);
    }
    return new RegoObject(values);
  },
};

/** Go's `url.QueryEscape`: a space is `+`, and only letters, digits, `-`, `_`, `.` and `~` stay. */
function escapeQuery(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

function unescapeQuery(text: string): string {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) throw new BuiltinError('invalid URL escape');
  const bytes = Buffer.from(text.replaceAll('+', ' '), 'utf8').toString('latin1');
  const unescaped = bytes.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return decodeUtf8(Buffer.from(unescaped, 'latin1'));
}

function queryPairs(key: RegoValue, value: RegoValue): [string, string][] {
  const name = keyText(key);
  const values = itemsOf(value) ?? [value];
  return values.map((item) => {
    if (typeof item === 'string') return [name, item];
    throw new OperandError(0, 'values must be string, array[string], or set[string]');
  });
}
