import { BuiltinError } from '../builtin';
import { parseUrl } from '../go-url';
import { parseAddress } from '../ip-address';
import { compile as compilePattern } from '../regex-matches';
import { parseTime } from '../time-layout';
import { unsupported } from './schema';

const HOSTNAME =
  /^(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]{0,61}[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]{0,61}[a-zA-Z0-9]))*$/;
const UUID = /^[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}$/i;
const POINTER = /^(?:\/(?:[^~/]|~0|~1)*)*$/;
const RELATIVE_POINTER = /^(?:0|[1-9][0-9]*)(?:#|(?:\/(?:[^~/]|~0|~1)*)*)$/;
const ATOMS =
  /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*@[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*$/;

const succeeds = (read: () => unknown): boolean => {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof BuiltinError) return false;
    throw error;
  }
};
const isTime =
  (...layouts: string[]) =>
  (text: string) =>
    layouts.some((layout) => succeeds(() => parseTime(layout, text)));
const isUrl = (text: string) => succeeds(() => parseUrl(text)) && !text.includes('\\');
const isAbsoluteUrl = (text: string) => isUrl(text) && parseUrl(text).scheme !== '';
const isAddress = (mark: string) => (text: string) => parseAddress(text) !== undefined && text.includes(mark);

/** OPA takes what Go's reader of e-mail headers does; here plain addresses are judged and others stop the evaluation. */
function isEmail(text: string): boolean {
  if (!text.includes('@')) return false;
  if (ATOMS.test(text)) return true;
  if (/^[A-Za-z0-9.@]*$/.test(text)) return false;
  throw unsupported('the format email of an address with quotes, names or comments');
}

const FORMATS = new Map<string, (text: string) => boolean>([
  ['date', isTime('2006-01-02')],
  ['time', isTime('15:04:05Z07:00', '15:04:05')],
  ['date-time', isTime('15:04:05', '15:04:05Z07:00', '2006-01-02', '2006-01-02T15:04:05Z07:00')],
  ['hostname', (text) => HOSTNAME.test(text) && text.length < 256],
  ['email', isEmail],
  ['idn-email', isEmail],
  ['ipv4', isAddress('.')],
  ['ipv6', isAddress(':')],
  ['uri', isAbsoluteUrl],
  ['iri', isAbsoluteUrl],
  ['uri-reference', isUrl],
  ['iri-reference', isUrl],
  [
    'uri-template',
    (text) =>
      isUrl(text) &&
      !parseUrl(text)
        .path.replace(/\{[^}]*\}/g, '')
        .includes('{'),
  ],
  ['uuid', (text) => UUID.test(text)],
  ['regex', (text) => text === '' || succeeds(() => compilePattern(text))],
  ['json-pointer', (text) => POINTER.test(text)],
  ['relative-json-pointer', (text) => RELATIVE_POINTER.test(text)],
]);

/** A format that OPA's validator does not know holds for all texts. */
export const isOfFormat = (format: string, text: string): boolean => FORMATS.get(format)?.(text) ?? true;
