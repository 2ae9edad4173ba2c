import { createECDH, createPrivateKey, createPublicKey } from 'node:crypto';
import { BuiltinError, orBuiltinError } from '../builtin';
import { fromBigInt } from '../../values/number';
import { RegoObject } from '../../values/rego-object';
import type { RegoValue } from '../../values/value';
import { DerReader, readBitString, readOid, sameOid, TAG, toInteger, type Oid } from './der';
import { curveOf, describePoint, OID, readAlgorithm, type Curve } from './public-key';
import { readRsaPrivateKey, type RsaPrivateKey } from './rsa-private-key';

/** A private key of a type that Go's `crypto/x509` reads. */
export type PrivateKey =
  | ({ kind: 'rsa' } & RsaPrivateKey)
  | { kind: 'ec'; curve: Curve; secret: Buffer; point: Buffer }
  | { kind: 'ed25519' | 'x25519'; secret: Buffer; point: Buffer };

const INVALID = 'x509: failed to parse private key';

/** PKCS #1 (RFC 8017, A.1.2). */
export const readPkcs1 = (der: Buffer): PrivateKey => ({ kind: 'rsa', ...readRsaPrivateKey(der) });

/** PKCS #8 (RFC 5208), not encrypted. */
export function readPkcs8(der: Buffer): PrivateKey {
  const reader = new DerReader(der).inside(TAG.sequence, INVALID);
  reader.count(INVALID);
  const { oid, parameters } = readAlgorithm(reader.content(TAG.sequence, INVALID));
  const key = reader.content(TAG.octetString, INVALID);
  const is = (known: Oid) => sameOid(oid, known);
  if (is(OID.rsa)) return readPkcs1(key);
  if (is(OID.ecdsa)) return readSec1(key, namedCurve(parameters));
  if (is(OID.ed25519) || is(OID.x25519)) {
    const secret = new DerReader(key).content(TAG.octetString, INVALID);
    if (parameters.length > 0 || secret.length !== 32) throw new BuiltinError(`${INVALID}: invalid length`);
    return readOctets(is(OID.ed25519) ? 'ed25519' : 'x25519', secret);
  }
  throw new BuiltinError(`x509: PKCS#8 wrapping contained private key with unknown algorithm: ${oid.join('.')}`);
}

/** undefined where the parameters name none; then the key itself may */
function namedCurve(parameters: Buffer): Oid | undefined {
  try {
    return new DerReader(parameters).oid(INVALID);
  } catch (error) {
    if (error instanceof BuiltinError) return undefined;
    throw error;
  }
}

/** A key of an elliptic curve (RFC 5915). */
export function readSec1(der: Buffer, named?: Oid): PrivateKey {
  const reader = new DerReader(der).inside(TAG.sequence, INVALID);
  const version = reader.count(INVALID);
  const digits = reader.content(TAG.octetString, INVALID);
  const own = reader.explicit(0, TAG.oid, INVALID);
  const ownOid = own && readOid(own, INVALID);
  const publicKey = reader.explicit(1, TAG.bitString, INVALID);
  if (publicKey) readBitString(publicKey, INVALID);
  if (version !== 1) throw new BuiltinError(`x509: unknown EC private key version ${version}`);
  const oid = named ?? ownOid;
  const curve = oid && curveOf(oid);
  if (!curve) throw new BuiltinError('x509: unknown elliptic curve');
  const excess = Math.max(0, digits.length - curve.size);
  if (digits.subarray(0, excess).some((byte) => byte !== 0)) {
    throw new BuiltinError('x509: invalid private key length');
  }
  const secret = Buffer.alloc(curve.size);
  digits.subarray(excess).copy(secret, curve.size - (digits.length - excess));
  const point = orBuiltinError(() => {
    const exchange = createECDH(curve.name);
    exchange.setPrivateKey(secret);
    return exchange.getPublicKey();
  });
  return { kind: 'ec', curve, secret, point };
}

/** What PKCS #8 has before the 32 bytes of a key of RFC 8410. */
const PREFIX = { ed25519: '302e020100300506032b657004220420', x25519: '302e020100300506032b656e04220420' };

function readOctets(kind: 'ed25519' | 'x25519', secret: Buffer): PrivateKey {
  const der = Buffer.concat([Buffer.from(PREFIX[kind], 'hex'), secret]);
  const jwk = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({ format: 'jwk' });
  return { kind, secret, point: Buffer.from(jwk.x!, 'base64url') };
}

/** Go's JSON of the key. */
export function describePrivateKey(key: PrivateKey): RegoValue {
  switch (key.kind) {
    case 'rsa':
      return RegoObject.from({
        N: fromBigInt(key.modulus),
        E: fromBigInt(key.exponent),
        D: fromBigInt(key.secret),
        Primes: key.primes.map(fromBigInt),
        Precomputed: RegoObject.from({
          Dp: fromBigInt(key.dp),
          Dq: fromBigInt(key.dq),
          Qinv: fromBigInt(key.qInverse),
          CRTValues: key.others.map(({ exponent, coefficient, product }) =>
            RegoObject.from({
              Exp: fromBigInt(exponent),
              Coeff: fromBigInt(coefficient),
              R: fromBigInt(product),
            }),
          ),
        }),
      });
    case 'ec':
      return describePoint(key.point, key.curve).set('D', fromBigInt(toInteger(key.secret)));
    case 'ed25519':
      return Buffer.concat([key.secret, key.point]).toString('base64');
    case 'x25519':
      return new RegoObject();
  }
}

/** The key as a JWK (RFC 7518). @throws BuiltinError for P-224 and more than two primes, which OPA refuses */
export function toJsonWebKey(key: PrivateKey): RegoObject {
  switch (key.kind) {
    case 'rsa': {
      const [p, q, ...more] = key.primes;
      if (more.length > 0) throw new BuiltinError('jwk: more than two primes are not supported');
      const numbers = {
        n: key.modulus,
        e: key.exponent,
        d: key.secret,
        p,
        q,
        dp: key.dp,
        dq: key.dq,
        qi: key.qInverse,
      };
      return new RegoObject([
        ['kty', 'RSA'],
        ...Object.entries(numbers).map(([name, value]) => [name, base64Url(value!)] as const),
      ]);
    }
    case 'ec': {
      const { curve, secret, point } = key;
      if (curve.jwk === undefined) throw new BuiltinError('jwk: unsupported elliptic curve');
      const coordinate = (from: number) => point.subarray(from, from + curve.size).toString('base64url');
      const [x, y] = [coordinate(1), coordinate(1 + curve.size)];
      return RegoObject.from({ kty: 'EC', crv: curve.jwk, x, y, d: secret.toString('base64url') });
    }
    default: {
      const crv = key.kind === 'ed25519' ? 'Ed25519' : 'X25519';
      const [x, d] = [key.point.toString('base64url'), key.secret.toString('base64url')];
      return RegoObject.from({ kty: 'OKP', crv, x, d });
    }
  }
}

function base64Url(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url');
}
