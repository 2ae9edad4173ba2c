import { isUtf8 } from 'node:buffer';

/** Bytes as text; each byte that is not part of valid UTF-8 becomes U+FFFD, as Go writes it into JSON. */
export function decodeUtf8(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at]!);
    const sequence = bytes.subarray(at, at + length);
    const isValid = sequence.length === length && isUtf8(sequence);
    text += isValid ? sequence.toString('utf8') : '\ufffd';
    at += isValid ? length : 1;
  }
  return text;
}

const sequenceLength = (first: number) => (first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4);
