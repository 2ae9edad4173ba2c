import { createPublicKey, type KeyObject } from 'node:crypto';
import { BuiltinError, orBuiltinError } from '../builtin';
import { fromBigInt } from '../../values/number';
import { RegoObject } from '../../values/rego-object';
import type { RegoValue } from '../../values/value';
import { DerReader, oidOf, rightAlign, sameOid, TAG, type Oid } from './der';

/** Go's `x509.PublicKeyAlgorithm`. */
export const KEY_ALGORITHM = { unknown: 0, rsa: 1, dsa: 2, ecdsa: 3, ed25519: 4 } as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHM)[keyof typeof KEY_ALGORITHM];

export const OID = {
  rsa: oidOf('1.2.840.113549.1.1.1'),
  dsa: oidOf('1.2.840.10040.4.1'),
  ecdsa: oidOf('1.2.840.10045.2.1'),
  ed25519: oidOf('1.3.101.112'),
  x25519: oidOf('1.3.101.110'),
} as const;

/** A curve of Go's `crypto/elliptic`. */
export interface Curve {
  oid: Oid;
  /** bytes of a coordinate */
  size: number;
  /** as OpenSSL names it */
  name: string;
  /** as a JWK names it; P-224 has none */
  jwk?: string;
}
const CURVES: readonly Curve[] = [
  { oid: oidOf('1.3.132.0.33'), size: 28, name: 'secp224r1' },
  { oid: oidOf('1.2.840.10045.3.1.7'), size: 32, name: 'prime256v1', jwk: 'P-256' },
  { oid: oidOf('1.3.132.0.34'), size: 48, name: 'secp384r1', jwk: 'P-384' },
  { oid: oidOf('1.3.132.0.35'), size: 66, name: 'secp521r1', jwk: 'P-521' },
];
export const curveOf = (oid: Oid): Curve | undefined => CURVES.find((curve) => sameOid(curve.oid, oid));

export interface PublicKey {
  algorithm: KeyAlgorithm;
  /** SubjectPublicKeyInfo, as DER */
  spki: Buffer;
  /** undefined where the algorithm is unknown; as Go's JSON of the key */
  described?: RegoValue;
  /** of RSA */
  modulus?: bigint;
  exponent?: bigint;
}

const NULL_PARAMETERS = '0500';

/** An algorithm and its parameters, whole; the latter are empty where there are none. */
export interface AlgorithmIdentifier {
  oid: Oid;
  parameters: Buffer;
}

export function readAlgorithm(content: Buffer): AlgorithmIdentifier {
  const reader = new DerReader(content);
  const oid = reader.oid('x509: malformed OID');
  return { oid, parameters: reader.isEmpty ? Buffer.of() : reader.any('x509: malformed parameters').whole };
}

/** SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), with the checks of Go's `parsePublicKey`. */
export function readPublicKey(spki: Buffer): PublicKey {
  const reader = new DerReader(spki).inside(TAG.sequence, 'x509: malformed spki');
  const algorithm = readAlgorithm(reader.content(TAG.sequence, 'x509: malformed public key algorithm identifier'));
  const bits = reader.bitString('x509: malformed subjectPublicKey');
  const bytes = rightAlign(bits);
  const is = (oid: Oid) => sameOid(algorithm.oid, oid);
  if (is(OID.rsa)) return readRsa(spki, algorithm, bytes);
  if (is(OID.dsa)) return { algorithm: KEY_ALGORITHM.dsa, spki, described: readDsa(algorithm, bytes) };
  if (is(OID.ecdsa)) return { algorithm: KEY_ALGORITHM.ecdsa, spki, described: readPoint(algorithm, bytes, spki) };
  if (is(OID.ed25519)) {
    if (algorithm.parameters.length > 0 || bytes.length !== 32) throw new BuiltinError('x509: invalid Ed25519 key');
    return { algorithm: KEY_ALGORITHM.ed25519, spki, described: bytes.toString('base64') };
  }
  return { algorithm: KEY_ALGORITHM.unknown, spki };
}

function readRsa(spki: Buffer, { parameters }: AlgorithmIdentifier, bytes: Buffer): PublicKey {
  if (parameters.toString('hex') !== NULL_PARAMETERS) throw new BuiltinError('x509: RSA key missing NULL parameters');
  const reader = new DerReader(bytes).inside(TAG.sequence, 'x509: invalid RSA public key');
  const modulus = reader.integer('x509: invalid RSA modulus');
  const exponent = reader.integer('x509: invalid RSA public exponent');
  if (BigInt.asIntN(64, exponent) !== exponent) throw new BuiltinError('x509: invalid RSA public exponent');
  if (modulus <= 0n || exponent <= 0n) throw new BuiltinError('x509: RSA modulus or exponent is not a positive number');
  const described = RegoObject.from({ N: fromBigInt(modulus), E: fromBigInt(exponent) });
  return { algorithm: KEY_ALGORITHM.rsa, spki, described, modulus, exponent };
}

function readDsa({ parameters }: AlgorithmIdentifier, bytes: Buffer): RegoValue {
  const y = new DerReader(bytes).integer('x509: invalid DSA public key');
  const reader = new DerReader(parameters).inside(TAG.sequence, 'x509: invalid DSA parameters');
  const [p, q, g] = [0, 1, 2].map(() => reader.integer('x509: invalid DSA parameters')) as [bigint, bigint, bigint];
  if ([y, p, q, g].some((part) => part <= 0n)) throw new BuiltinError('x509: zero or negative DSA parameter');
  return RegoObject.from({ P: fromBigInt(p), Q: fromBigInt(q), G: fromBigInt(g), Y: fromBigInt(y) });
}

function readPoint({ parameters }: AlgorithmIdentifier, bytes: Buffer, spki: Buffer): RegoValue {
  const curve = curveOf(new DerReader(parameters).oid('x509: invalid ECDSA parameters'));
  if (!curve) throw new BuiltinError('x509: unsupported elliptic curve');
  if (bytes.length !== 1 + 2 * curve.size || bytes[0] !== 4) throw new BuiltinError('x509: invalid ECDSA point');
  // OpenSSL refuses what is not on the curve
  orBuiltinError(() => createPublicKey({ key: spki, format: 'der', type: 'spki' }));
  return describePoint(bytes, curve);
}

/** @param point uncompressed */
export function describePoint(point: Buffer, { size }: Curve): RegoObject {
  const coordinate = (from: number) => fromBigInt(BigInt(`0x${point.subarray(from, from + size).toString('hex')}`));
  return RegoObject.from({ Curve: new RegoObject(), X: coordinate(1), Y: coordinate(1 + size) });
}

/** For `node:crypto`. @throws BuiltinError where OpenSSL does not take the key */
export function toKeyObject({ spki }: PublicKey): KeyObject {
  return orBuiltinError(() => createPublicKey({ key: spki, format: 'der', type: 'spki' }));
}
