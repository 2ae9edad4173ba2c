import { escapePointer } from '../../kernel/json-pointer';

/** What an encrypted value of one line begins with; the base64 of a file of age follows. */
const ONE_LINE = 'age:';
const ARMOR = { begin: '-----BEGIN AGE ENCRYPTED FILE-----', end: '-----END AGE ENCRYPTED FILE-----' };

/** The first line of each file of age, version 1 (https://age-encryption.org/v1). */
const HEADER = Buffer.from('age-encryption.org/v1\n');

/** UTF-8, before it is encrypted. */
export const LARGEST_SECRET_BYTES = 64 * 1024;

/** Room for a secret of the largest size and some hundred recipients. */
const LARGEST_TEXT = 192 * 1024;

/** Whether a text of a document claims to be a value that age encrypted, on one line or in armour. */
export const isEncrypted = (text: string): boolean =>
  text.startsWith(ONE_LINE) || text.trimStart().startsWith(ARMOR.begin);

/** `age:` with the base64 of a file of age. */
export const toOneLine = (file: Uint8Array): string => ONE_LINE + Buffer.from(file).toString('base64');

/** The file of age in a text, or a sentence of what was expected, which repeats nothing of it. Nothing is decrypted. */
export function readEncrypted(text: string): Uint8Array | string {
  if (text.length > LARGEST_TEXT) return `expected an encrypted value of at most ${LARGEST_TEXT} characters`;
  const base64 = text.startsWith(ONE_LINE) ? text.slice(ONE_LINE.length).trimEnd() : withoutArmor(text);
  if (base64 === undefined)
    return `expected an encrypted value: ${ONE_LINE} and base64 on one line, or all lines from ${ARMOR.begin} to ${ARMOR.end}`;
  const file = Buffer.from(base64, 'base64');
  // Buffer passes over what is no base64.
  if (file.toString('base64') !== base64) return 'expected an encrypted value in base64: it is damaged or cut off';
  if (!file.subarray(0, HEADER.length).equals(HEADER))
    return 'expected an encrypted value of age, version 1: it is damaged, or something else';
  return file;
}

function withoutArmor(text: string): string | undefined {
  const lines = text.trim().split(/\r?\n/);
  if (lines.length < 3 || lines[0] !== ARMOR.begin || lines.at(-1) !== ARMOR.end) return undefined;
  return lines.slice(1, -1).join('');
}

/** Where a document holds encrypted values, by JSON Pointers. */
export function encryptedTexts(value: unknown, pointer = ''): { pointer: string; text: string }[] {
  if (typeof value === 'string') return isEncrypted(value) ? [{ pointer, text: value }] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => encryptedTexts(each, `${pointer}/${escapePointer(key)}`));
}
