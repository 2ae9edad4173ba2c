import { constants, createECDH, createHash, createHmac, privateEncrypt, type KeyObject } from 'node:crypto';
import { BuiltinError } from './builtin';

/** A curve of RFC 7518, 3.4, with the order of its group (FIPS 186-5). */
interface Curve {
  name: string;
  order: bigint;
  size: number;
}

const CURVES: Readonly<Record<string, Curve>> = {
  prime256v1: {
    name: 'prime256v1',
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    size: 32,
  },
  secp384r1: {
    name: 'secp384r1',
    order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    size: 48,
  },
  secp521r1: {
    name: 'secp521r1',
    order: BigInt(`0x1${'f'.repeat(64)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`),
    size: 66,
  },
};

/**
 * A signature of ECDSA whose number `k` is worked out from key and text (RFC 6979), so that the same decision gives the same
 * token. Anyone can verify it; OPA's own signatures hold a random number.
 *
 * @returns the two halves one after the other (RFC 7518, 3.4)
 */
export function signEcdsa(hash: string, text: Buffer, key: KeyObject): Buffer {
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (!curve) throw new BuiltinError('jws: unsupported elliptic curve');
  const secret = toInteger(Buffer.from(key.export({ format: 'jwk' }).d!, 'base64url'));
  const { order, size } = curve;
  const digest = createHash(hash).update(text).digest();
  const z = leftBits(digest, order);
  for (const k of candidates(hash, digest, secret, curve)) {
    const exchange = createECDH(curve.name);
    exchange.setPrivateKey(toBytes(k, size));
    const r = toInteger(exchange.getPublicKey().subarray(1, 1 + size)) % order;
    const s = (inverse(k, order) * ((z + r * secret) % order)) % order;
    if (r !== 0n && s !== 0n) return Buffer.concat([toBytes(r, size), toBytes(s, size)]);
  }
  throw new BuiltinError('jws: no signature was found');
}

/** The numbers that RFC 6979, 3.2, tries one after another. */
function* candidates(hash: string, digest: Buffer, secret: bigint, { order, size }: Curve): Generator<bigint> {
  const seed = Buffer.concat([toBytes(secret, size), toBytes(leftBits(digest, order) % order, size)]);
  const mac = (key: Buffer, ...parts: Buffer[]) => createHmac(hash, key).update(Buffer.concat(parts)).digest();
  let v = Buffer.alloc(digest.length, 1);
  let k = mac(Buffer.alloc(digest.length), v, Buffer.of(0), seed);
  v = mac(k, v);
  k = mac(k, v, Buffer.of(1), seed);
  v = mac(k, v);
  for (;;) {
    const bytes: Buffer[] = [];
    for (let length = 0; length < size; length += v.length) {
      v = mac(k, v);
      bytes.push(v);
    }
    const candidate = leftBits(Buffer.concat(bytes), order);
    if (candidate > 0n && candidate < order) yield candidate;
    k = mac(k, v, Buffer.of(0));
    v = mac(k, v);
  }
}

/**
 * A signature of RSASSA-PSS (RFC 8017, 8.1.1) with a salt as long as the hash, which is worked out from key and text: the
 * same decision gives the same token.
 */
export function signPss(hash: string, text: Buffer, key: KeyObject): Buffer {
  const bits = (key.asymmetricKeyDetails?.modulusLength ?? 0) - 1;
  const digest = createHash(hash).update(text).digest();
  const salt = createHmac(hash, key.export({ format: 'der', type: 'pkcs1' }))
    .update(digest)
    .digest();
  const length = Math.ceil(bits / 8);
  const padding = length - 2 * digest.length - 2;
  if (padding < 0) throw new BuiltinError('crypto/rsa: key size too small for PSS signature');
  const h = createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();
  const block = Buffer.concat([Buffer.alloc(padding), Buffer.of(1), salt]);
  const mask = generateMask(hash, h, block.length);
  const masked = Buffer.from(block.map((byte, index) => byte ^ mask[index]!));
  masked[0]! &= 0xff >> (8 * length - bits);
  const encoded = Buffer.concat([masked, h, Buffer.of(0xbc)]);
  const padded = Buffer.concat([Buffer.alloc(Math.ceil((bits + 1) / 8) - length), encoded]);
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, padded);
}

/** MGF1 (RFC 8017, B.2.1). */
function generateMask(hash: string, seed: Buffer, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let counter = 0, made = 0; made < length; counter++) {
    const part = createHash(hash)
      .update(seed)
      .update(toBytes(BigInt(counter), 4))
      .digest();
    parts.push(part);
    made += part.length;
  }
  return Buffer.concat(parts).subarray(0, length);
}

const toInteger = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`);
const toBytes = (value: bigint, size: number) => Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex');

/** As many bits from the left as the order of the group has. */
function leftBits(bytes: Buffer, order: bigint): bigint {
  const excess = bytes.length * 8 - order.toString(2).length;
  return excess > 0 ? toInteger(bytes) >> BigInt(excess) : toInteger(bytes);
}

/** By Fermat: the order is prime. */
function inverse(value: bigint, order: bigint): bigint {
  let result = 1n;
  let base = value % order;
  for (let left = order - 2n; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * base) % order;
    base = (base * base) % order;
  }
  return result;
}
