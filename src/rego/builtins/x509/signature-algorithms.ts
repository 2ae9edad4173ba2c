import { BuiltinError } from '../builtin';
import { DerReader, oidOf, sameOid, TAG, type Oid } from './der';
import { KEY_ALGORITHM, readAlgorithm, type AlgorithmIdentifier, type KeyAlgorithm } from './public-key';

/** A signature algorithm that Go's `crypto/x509` knows. */
export interface SignatureAlgorithm {
  /** Go's `x509.SignatureAlgorithm` */
  number: number;
  key: KeyAlgorithm;
  /** as `node:crypto` names it; null for Ed25519, which hashes by itself */
  hash: string | null;
  isPss?: boolean;
}

export const UNKNOWN_SIGNATURE = 0;

const { rsa, dsa, ecdsa, ed25519 } = KEY_ALGORITHM;
const ALGORITHMS: readonly [oid: Oid, algorithm: SignatureAlgorithm][] = (
  [
    ['1.2.840.113549.1.1.4', { number: 2, key: rsa, hash: 'md5' }],
    ['1.2.840.113549.1.1.5', { number: 3, key: rsa, hash: 'sha1' }],
    ['1.3.14.3.2.29', { number: 3, key: rsa, hash: 'sha1' }],
    ['1.2.840.113549.1.1.11', { number: 4, key: rsa, hash: 'sha256' }],
    ['1.2.840.113549.1.1.12', { number: 5, key: rsa, hash: 'sha384' }],
    ['1.2.840.113549.1.1.13', { number: 6, key: rsa, hash: 'sha512' }],
    ['1.2.840.10040.4.3', { number: 7, key: dsa, hash: 'sha1' }],
    ['2.16.840.1.101.3.4.3.2', { number: 8, key: dsa, hash: 'sha256' }],
    ['1.2.840.10045.4.1', { number: 9, key: ecdsa, hash: 'sha1' }],
    ['1.2.840.10045.4.3.2', { number: 10, key: ecdsa, hash: 'sha256' }],
    ['1.2.840.10045.4.3.3', { number: 11, key: ecdsa, hash: 'sha384' }],
    ['1.2.840.10045.4.3.4', { number: 12, key: ecdsa, hash: 'sha512' }],
    ['1.3.101.112', { number: 16, key: ed25519, hash: null }],
  ] as const
).map(([oid, algorithm]) => [oidOf(oid), algorithm]);

const PSS_OID = oidOf('1.2.840.113549.1.1.10');
const MGF1_OID = oidOf('1.2.840.113549.1.1.8');
const PSS: readonly [oid: Oid, saltLength: number, algorithm: SignatureAlgorithm][] = [
  [oidOf('2.16.840.1.101.3.4.2.1'), 32, { number: 13, key: rsa, hash: 'sha256', isPss: true }],
  [oidOf('2.16.840.1.101.3.4.2.2'), 48, { number: 14, key: rsa, hash: 'sha384', isPss: true }],
  [oidOf('2.16.840.1.101.3.4.2.3'), 64, { number: 15, key: rsa, hash: 'sha512', isPss: true }],
];

/** undefined where Go knows none, or not with these parameters */
export function signatureAlgorithmOf({ oid, parameters }: AlgorithmIdentifier): SignatureAlgorithm | undefined {
  if (sameOid(oid, PSS_OID)) return pssAlgorithm(parameters);
  const [, algorithm] = ALGORITHMS.find(([known]) => sameOid(known, oid)) ?? [];
  return algorithm?.hash === null && parameters.length > 0 ? undefined : algorithm;
}

/** Hash and mask by the same hash, a salt of its length, the trailer that RFC 8017 names; nothing else. */
function pssAlgorithm(parameters: Buffer): SignatureAlgorithm | undefined {
  try {
    const reader = new DerReader(parameters).inside(TAG.sequence, 'PSS');
    const explicit = (number: number) => new DerReader(reader.content(0xa0 | number, 'PSS'));
    const hash = readAlgorithm(explicit(0).content(TAG.sequence, 'PSS'));
    const mask = readAlgorithm(explicit(1).content(TAG.sequence, 'PSS'));
    const saltLength = explicit(2).count('PSS');
    const trailer = reader.peeks(0xa3) ? explicit(3).count('PSS') : 1;
    const maskHash = readAlgorithm(new DerReader(mask.parameters).content(TAG.sequence, 'PSS'));
    const isPlain = (algorithm: AlgorithmIdentifier) => ['', '0500'].includes(algorithm.parameters.toString('hex'));
    const isUsual = sameOid(mask.oid, MGF1_OID) && sameOid(maskHash.oid, hash.oid) && trailer === 1;
    if (!isUsual || !isPlain(hash) || !isPlain(maskHash)) return undefined;
    return PSS.find(([known, salt]) => sameOid(known, hash.oid) && salt === saltLength)?.[2];
  } catch (error) {
    if (error instanceof BuiltinError) return undefined;
    throw error;
  }
}
