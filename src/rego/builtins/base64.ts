import { BuiltinError, type Builtins } from './builtin';
import { stringAt } from './operands';
import { decodeUtf8 } from './utf8';

/** As Go's `encoding/base64`, strict about the alphabet and padding; line breaks are skipped. */
export const base64Builtins: Builtins = {
  'base64.encode': (operands) => Buffer.from(stringAt(operands, 0), 'utf8').toString('base64'),
  'base64.decode': (operands) => decodeUtf8(decodeStandard(stringAt(operands, 0))),
  'base64.is_valid': ([text]) => {
    if (typeof text !== 'string') return false;
    try {
      decodeStandard(text);
      return true;
    } catch {
      return false;
    }
  },
  'base64url.encode': (operands) => {
    const base64 = Buffer.from(stringAt(operands, 0), 'utf8').toString('base64');
    return base64.replaceAll('+', '-').replaceAll('/', '_');
  },
  'base64url.encode_no_pad': (operands) => Buffer.from(stringAt(operands, 0), 'utf8').toString('base64url'),
  'base64url.decode': (operands) => decodeUtf8(decodeUrl(stringAt(operands, 0))),
};

/** Go's `base64.StdEncoding`. @throws BuiltinError */
export function decodeStandard(text: string): Buffer {
  const digits = text.replace(/[\r\n]/g, '');
  return decode(digits, /^[A-Za-z0-9+/]*={0,2}$/);
}

/** The padding may be left out; then its length is counted with the line breaks in it, as OPA does. */
function decodeUrl(text: string): Buffer {
  let padded = text;
  if (!text.endsWith('=')) {
    const rest = Buffer.byteLength(text) % 4;
    if (rest === 1) throw new BuiltinError(`illegal base64url string: ${text}`);
    padded += rest === 0 ? '' : '='.repeat(4 - rest);
  }
  return decode(padded.replace(/[\r\n]/g, ''), /^[A-Za-z0-9_-]*={0,2}$/);
}

function decode(digits: string, alphabet: RegExp): Buffer {
  if (digits.length % 4 !== 0 || !alphabet.test(digits)) throw new BuiltinError('illegal base64 data');
  return Buffer.from(digits, 'base64url');
}
