import { BuiltinError, objectAt, stringAt, type Builtins } from './builtin';
import { writeJson } from './rego-text';
import { RegoObject, RegoSet, compareStrings, type RegoValue } from './rego-value';

export const encodingBuiltins: Builtins = {
  'hex.encode': (operands) => Buffer.from(stringAt(operands, 0), 'utf8').toString('hex'),
  'hex.decode': (operands) => {
    const text = stringAt(operands, 0);
    if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new BuiltinError('hex.decode: not pairs of hexadecimal digits');
    return Buffer.from(text, 'hex').toString('utf8');
  },
  'base64url.encode_no_pad': (operands) => Buffer.from(stringAt(operands, 0), 'utf8').toString('base64url'),
  'json.marshal_with_options': (operands) => marshal(operands[0]!, objectAt(operands, 1)),
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
  return Buffer.from(unescaped, 'latin1').toString('utf8');
}

function queryPairs(key: RegoValue, value: RegoValue): [string, string][] {
  const name = typeof key === 'string' ? key : writeJson(key);
  const values = value instanceof RegoSet ? value.items : Array.isArray(value) ? value : [value];
  return values.map((item) => {
    if (typeof item === 'string') return [name, item];
    throw new BuiltinError('operand 1 values must be string, array[string], or set[string]');
  });
}

/** Indenting is off unless asked for; naming a prefix or an indent asks for it. */
function marshal(value: RegoValue, options: RegoObject): string {
  let prefix = '';
  let indent = '\t';
  let pretty: boolean | undefined;
  for (const [key, option] of options.entries) {
    if (key === 'pretty' && typeof option === 'boolean') pretty = option;
    else if (key === 'prefix' && typeof option === 'string') prefix = option;
    else if (key === 'indent' && typeof option === 'string') indent = option;
    else throw new BuiltinError('json.marshal_with_options: unknown option, or one of the wrong type');
  }
  const asked = options.get('prefix') !== undefined || options.get('indent') !== undefined;
  if (!(pretty ?? asked)) return goJson(writeJson(value));
  return prefix + indented(value, `\n${prefix}`, indent);
}

function indented(value: RegoValue, newline: string, indent: string): string {
  const inner = newline + indent;
  if (value instanceof RegoObject) {
    const entries = value.entries.map(([key, item]) => {
      const name = JSON.stringify(typeof key === 'string' ? key : writeJson(key));
      return `${goJson(name)}: ${indented(item, inner, indent)}`;
    });
    return entries.length === 0 ? '{}' : `{${inner}${entries.join(`,${inner}`)}${newline}}`;
  }
  const items = value instanceof RegoSet ? value.items : value;
  if (!Array.isArray(items)) return goJson(writeJson(value));
  return items.length === 0
    ? '[]'
    : `[${inner}${items.map((item: RegoValue) => indented(item, inner, indent)).join(`,${inner}`)}${newline}]`;
}

/** Go's encoding/json escapes what could end a script element. */
function goJson(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
