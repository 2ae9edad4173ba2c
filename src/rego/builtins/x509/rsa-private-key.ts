import { BuiltinError } from '../builtin';
import { DerReader, TAG } from './der';

/** A private key of RSA with two primes or more. */
export interface RsaPrivateKey {
  modulus: bigint;
  exponent: bigint;
  secret: bigint;
  primes: bigint[];
  dp: bigint;
  dq: bigint;
  qInverse: bigint;
  /** of the third prime and those after it */
  others: { exponent: bigint; coefficient: bigint; product: bigint }[];
}

const INVALID = 'x509: failed to parse private key';

/** RSAPrivateKey (RFC 8017, A.1.2), with the checks of Go 1.26. */
export function readRsaPrivateKey(der: Buffer): RsaPrivateKey {
  const file = new DerReader(der);
  const reader = file.inside(TAG.sequence, INVALID);
  if (!file.isEmpty) throw new BuiltinError('asn1: syntax error: trailing data');
  const version = reader.count(INVALID);
  const next = () => reader.integer(INVALID);
  const [modulus, exponent, secret, p, q] = [next(), next(), next(), next(), next()];
  const optional = (tag: number) => {
    reader.header(INVALID);
    return reader.peeks(tag);
  };
  const crt = [0, 1, 2].map(() => (optional(TAG.integer) ? next() : undefined));
  const more = readMorePrimes(optional(TAG.sequence) ? reader.content(TAG.sequence, INVALID) : undefined);
  if (BigInt.asIntN(64, exponent) !== exponent) throw new BuiltinError(INVALID);
  if (version > 1) throw new BuiltinError('x509: unsupported private key version');
  const parts = [modulus, secret, p, q, ...crt, ...more];
  if (parts.some((part) => part !== undefined && part <= 0n)) {
    throw new BuiltinError('x509: private key contains zero or negative value');
  }
  if (modulus % 2n === 0n || exponent < 2n || exponent % 2n === 0n || exponent >= 2n ** 31n) {
    throw new BuiltinError('crypto/rsa: invalid public key');
  }
  if (secret >= modulus) throw new BuiltinError('crypto/rsa: private exponent too large');
  const key = { modulus, exponent, secret, primes: [p, q, ...more] };
  return more.length > 0 ? withManyPrimes(key) : withTwoPrimes(key, crt);
}

function readMorePrimes(content: Buffer | undefined): bigint[] {
  const reader = new DerReader(content ?? Buffer.of());
  const primes: bigint[] = [];
  while (!reader.isEmpty) {
    const prime = reader.inside(TAG.sequence, INVALID);
    primes.push(prime.integer(INVALID));
    // exponent and coefficient are worked out from the prime
    prime.integer(INVALID);
    prime.integer(INVALID);
  }
  return primes;
}

type Core = Pick<RsaPrivateKey, 'modulus' | 'exponent' | 'secret' | 'primes'>;

function withTwoPrimes(key: Core, [givenDp, givenDq, givenInverse]: (bigint | undefined)[]): RsaPrivateKey {
  const { modulus, exponent, secret } = key;
  const [p, q] = key.primes as [bigint, bigint];
  const isGiven = givenDp !== undefined && givenDq !== undefined && givenInverse !== undefined;
  check(p > 1n && q > 1n && p % 2n === 1n && q % 2n === 1n, 'invalid prime');
  check(p * q === modulus, 'p * q != n');
  const [dp, dq] = [secret % (p - 1n), secret % (q - 1n)];
  check(!isGiven || (givenDp === dp && givenDq === dq), 'invalid CRT exponent');
  check((dp * exponent) % (p - 1n) === 1n && (dq * exponent) % (q - 1n) === 1n, 'invalid CRT exponent');
  const qInverse = isGiven ? givenInverse : inverse(q % p, p);
  check(qInverse < p && (qInverse * q) % p === 1n, 'invalid CRT coefficient');
  const difference = p > q ? p - q : q - p;
  const bits = bitLength(modulus) >> 1;
  check(bitLength(difference) > bits - 100, '|p - q| too small');
  check(bitLength(secret) > bits, 'd too small');
  return { ...key, dp, dq, qInverse, others: [] };
}

/** More than two primes are only read, not checked against the modulus, as Go does. */
function withManyPrimes(key: Core): RsaPrivateKey {
  const { primes, secret } = key;
  check(
    primes.every((prime) => prime > 1n),
    'prime factor is <= 1',
  );
  const [p, q, ...rest] = primes as [bigint, bigint, ...bigint[]];
  let product = p * q;
  const others = rest.map((prime) => {
    const value = { exponent: secret % (prime - 1n), coefficient: inverse(product, prime), product };
    product *= prime;
    return value;
  });
  return { ...key, dp: secret % (p - 1n), dq: secret % (q - 1n), qInverse: inverse(q, p), others };
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new BuiltinError(`crypto/rsa: ${what}`);
}

const bitLength = (value: bigint) => value.toString(2).length;

/** By the algorithm of Euclid. @throws BuiltinError where the two have a common factor */
function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b] = [value % modulus, modulus];
  let [x, y] = [1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  check(a === 1n, 'prime factors are not relatively prime');
  return ((x % modulus) + modulus) % modulus;
}
