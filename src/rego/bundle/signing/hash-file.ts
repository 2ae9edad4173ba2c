import { createHash } from 'node:crypto';
import { isLosslessNumber, parse } from 'lossless-json';

/** The names under which OPA's signatures speak of hash functions, and Node's; OPA's own default is the first. */
export const HASHES: Readonly<Record<string, string>> = {
  'SHA-256': 'sha256',
  'SHA-512': 'sha512',
  'SHA-384': 'sha384',
  'SHA-224': 'sha224',
  'SHA-1': 'sha1',
  MD5: 'md5',
  'SHA-512-224': 'sha512-224',
  'SHA-512-256': 'sha512-256',
};

/** Files that OPA hashes by what they say instead of by their bytes, so that white space and order do not matter. */
const STRUCTURED = ['data.json', '.manifest'];

/**
 * The digest of a bundle's file as OPA takes it (https://www.openpolicyagent.org/docs/management-bundles, "Signing"): of
 * its bytes, or of a canonical form for `data.json` in any folder and `.manifest`.
 *
 * @param algorithm a key of HASHES
 * @throws Error for a structured file that is no JSON
 */
export function hashFile(name: string, bytes: Uint8Array, algorithm: string): string {
  const hash = createHash(HASHES[algorithm] ?? 'sha256');
  const structured = STRUCTURED.includes(name.split('/').at(-1) ?? '');
  return hash.update(structured ? canonical(parse(Buffer.from(bytes).toString('utf8'))) : bytes).digest('hex');
}

/** Members by name in order of bytes, no white space, numbers as they are written. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (isLosslessNumber(value)) return value.value;
  if (typeof value !== 'object' || value === null) return primitive(value);
  const members = Object.entries(value).sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  return `{${members.map(([name, member]) => `${primitive(name)}:${canonical(member)}`).join(',')}}`;
}

/** As Go's encoder writes it: two separators that JavaScript leaves alone are escaped. */
function primitive(value: unknown): string {
  return JSON.stringify(value).replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
}
