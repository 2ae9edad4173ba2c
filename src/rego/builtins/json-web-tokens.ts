import {
  X509Certificate,
  constants,
  createHmac,
  createPublicKey,
  timingSafeEqual,
  verify,
  type KeyObject,
} from 'node:crypto';
import { BuiltinError, orBuiltinError, type Builtin, type Builtins } from './builtin';
import { objectAt, stringAt } from './operands';
import { compareValues } from '../values/compare';
import { isNumber, toDouble, type RegoNumber } from '../values/number';
import { parseJson } from '../values/parse-json';
import { RegoObject } from '../values/rego-object';
import { isObject, type RegoValue } from '../values/value';

interface Algorithm {
  kind: 'RS' | 'PS' | 'ES' | 'HS' | 'EdDSA';
  hash: string;
}
const ALGORITHMS = new Map<string, Algorithm>([
  ...(['RS', 'PS', 'ES', 'HS'] as const).flatMap((kind) =>
    ['256', '384', '512'].map((bits) => [kind + bits, { kind, hash: `sha${bits}` }] as [string, Algorithm]),
  ),
  ['EdDSA', { kind: 'EdDSA', hash: '' }],
]);

/**
 * Tokens are decoded and verified; `io.jwt.encode_sign` is left out, since most of its signatures hold random numbers.
 * Keys come as a PEM certificate or public key, or as a JWK or a set of them.
 */
export const jsonWebTokenBuiltins: Builtins = {
  'io.jwt.decode': (operands) => decode(stringAt(operands, 0)),
  'io.jwt.decode_verify': (operands, { decisionTimeNs }) =>
    decodeVerify(stringAt(operands, 0), readConstraints(objectAt(operands, 1), decisionTimeNs)),
  ...Object.fromEntries(
    [...ALGORITHMS].map(([name, algorithm]) => [`io.jwt.verify_${name.toLowerCase()}`, verifier(algorithm)]),
  ),
};

interface Token {
  header: string;
  payload: string;
  signature: string;
}

function splitToken(text: string): Token {
  const parts = text.split('.');
  const [header, payload, signature] = parts;
  if (parts.length !== 3) throw new BuiltinError(`encoded JWT must have 3 sections, found ${parts.length}`);
  return { header: header!, payload: payload!, signature: signature! };
}

/** Base64 for URLs, with padding or without. */
function decodeBase64Url(text: string): Buffer {
  const digits = text.replace(/=+$/, '');
  const padded = digits.length < text.length;
  if (!/^[\w-]*$/.test(digits) || digits.length % 4 === 1 || (padded && text.length % 4 !== 0)) {
    throw new BuiltinError('invalid base64url text');
  }
  return Buffer.from(digits, 'base64url');
}

function decodeObject(text: string): RegoObject {
  const json = decodeBase64Url(text).toString('utf8');
  const value = orBuiltinError(() => parseJson(json));
  if (isObject(value)) return value;
  throw new BuiltinError('decoded JSON type was not an Object');
}

function decodeHeader(token: Token): RegoObject {
  const header = decodeObject(token.header);
  if (header.get('enc') !== undefined) throw new BuiltinError('JWT is a JWE object, which is not supported');
  return header;
}

function decode(text: string): RegoValue {
  const token = splitToken(text);
  const header = decodeHeader(token);
  // a token within a token is quoted by some
  if (header.get('cty') === 'JWT') {
    return decode(
      decodeBase64Url(token.payload)
        .toString('utf8')
        .replace(/^["']+|["']+$/g, ''),
    );
  }
  return [header, decodeObject(token.payload), decodeBase64Url(token.signature).toString('hex')];
}

/** A wrapper, since bytes and Node's keys are hard to tell apart by type. */
class Secret {
  constructor(readonly bytes: Buffer) {}
}

interface Key {
  algorithm?: string;
  id?: string;
  /** a secret, where it is bytes; a private key is here too and verifies nothing */
  key: KeyObject | Secret | undefined;
}

function readKeys(text: string): Key[] {
  const pem = /-----BEGIN ([^-]+)-----\r?\n[\s\S]*?-----END \1-----\r?\n?/.exec(text);
  if (pem) {
    if (text.slice(pem.index + pem[0].length) !== '')
      throw new BuiltinError('extra data after a PEM certificate block');
    if (pem[1] === 'CERTIFICATE') return [{ key: orBuiltinError(() => new X509Certificate(pem[0]).publicKey) }];
    if (pem[1] === 'PUBLIC KEY') return [{ key: orBuiltinError(() => createPublicKey(pem[0])) }];
    throw new BuiltinError('failed to extract a Key from the PEM certificate');
  }
  const document = orBuiltinError(() => JSON.parse(text) as unknown);
  if (typeof document !== 'object' || document === null) throw new BuiltinError('failed to parse a JWK key (set)');
  const { keys } = document as { keys?: unknown };
  const all = (Array.isArray(keys) ? keys : [document]) as Record<string, unknown>[];
  return all.map(readJsonWebKey).filter(({ algorithm }) => algorithm === undefined || ALGORITHMS.has(algorithm));
}

function readJsonWebKey(jwk: Record<string, unknown>): Key {
  const { alg, kid, kty, k, d } = jwk;
  const common = {
    algorithm: typeof alg === 'string' && alg !== '' ? alg : undefined,
    id: typeof kid === 'string' ? kid : undefined,
  };
  if (kty === 'oct') return { ...common, key: new Secret(decodeBase64Url(typeof k === 'string' ? k : '')) };
  const key = orBuiltinError(() => createPublicKey({ key: jwk as never, format: 'jwk' }));
  return { ...common, key: d === undefined ? key : undefined };
}

function isSignedBy(
  key: Key['key'],
  { kind, hash }: Algorithm,
  { header, payload }: Token,
  signature: Buffer,
): boolean {
  const text = Buffer.from(`${header}.${payload}`);
  if (key === undefined) return false;
  if (kind === 'HS') {
    if (!(key instanceof Secret)) return false;
    const mac = createHmac(hash, key.bytes).update(text).digest();
    return mac.length === signature.length && timingSafeEqual(mac, signature);
  }
  if (key instanceof Secret) return false;
  const type = { RS: 'rsa', PS: 'rsa', ES: 'ec', EdDSA: 'ed25519' }[kind];
  if (key.asymmetricKeyType !== type) return false;
  switch (kind) {
    case 'RS':
      return verify(hash, text, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
    case 'PS': {
      const saltLength = constants.RSA_PSS_SALTLEN_AUTO;
      return verify(hash, text, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, signature);
    }
    case 'ES':
      return verify(hash, text, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'EdDSA':
      return verify(null, text, key, signature);
  }
}

/** The key that the token names, when it is there; else any whose algorithm is the token's, or that names none. */
function isSignedByAny(keys: Key[], header: Header, algorithm: Algorithm, token: Token, signature: Buffer): boolean {
  const named = header.kid === '' ? undefined : keys.find(({ id }) => id === header.kid);
  if (named) return isSignedBy(named.key, algorithm, token, signature);
  return keys
    .filter((key) => key.algorithm === undefined || key.algorithm === header.alg)
    .some(({ key }) => isSignedBy(key, algorithm, token, signature));
}

function verifier(algorithm: Algorithm): Builtin {
  return (operands) => {
    const token = splitToken(stringAt(operands, 0));
    const key = stringAt(operands, 1);
    if (algorithm.kind === 'HS') {
      return isSignedBy(new Secret(Buffer.from(key)), algorithm, token, decodeBase64Url(token.signature));
    }
    const keys = readKeys(key);
    const signature = decodeBase64Url(token.signature);
    return isSignedByAny(keys, readHeader(decodeHeader(token)), algorithm, token, signature);
  };
}

interface Header {
  alg: string;
  kid: string;
  cty: string;
  /** names a critical parameter that is not known here (RFC 7515, 4.1.11) */
  isUnknown: boolean;
}

function readHeader(header: RegoObject): Header {
  const text = (name: string): string => {
    const value = header.get(name);
    if (value === undefined) return '';
    if (typeof value === 'string') return value;
    throw new BuiltinError(`${name}: must be a string`);
  };
  const critical = header.get('crit');
  if (critical !== undefined && !Array.isArray(critical)) throw new BuiltinError('crit: must be a list');
  if (critical?.length === 0) throw new BuiltinError('crit: must be a non-empty list');
  const known = ['alg', 'kid', 'typ', 'cty', 'crit'];
  const isUnknown = (critical ?? []).some((name) => !known.includes(name as string) && header.get(name) !== undefined);
  text('typ');
  return { alg: text('alg'), kid: text('kid'), cty: text('cty'), isUnknown };
}

interface Constraints {
  keys?: Key[];
  secret: string;
  alg: string;
  iss: string;
  aud: string;
  timeSeconds: RegoNumber;
}

function readConstraints(given: RegoObject, decisionTimeNs: bigint): Constraints {
  const constraints: Constraints = {
    secret: '',
    alg: '',
    iss: '',
    aud: '',
    timeSeconds: seconds(Number(decisionTimeNs)),
  };
  for (const [name, value] of given.entries) {
    switch (name) {
      case 'cert':
        constraints.keys = readKeys(stringAt([value], 0));
        break;
      case 'secret':
      case 'alg':
      case 'iss':
      case 'aud':
        constraints[name] = stringAt([value], 0);
        break;
      case 'time':
        if (!isNumber(value)) throw new BuiltinError('token time constraint: must be a number');
        if (toDouble(value) < 0) throw new BuiltinError('token time constraint: must not be negative');
        constraints.timeSeconds = seconds(toDouble(value));
        break;
      default:
        throw new BuiltinError('unknown token validation constraint');
    }
  }
  const keyCount = Number(constraints.keys !== undefined) + Number(constraints.secret !== '');
  if (keyCount !== 1) throw new BuiltinError(keyCount > 1 ? 'duplicate key constraints' : 'no key constraint');
  return constraints;
}

const seconds = (nanoseconds: number): RegoNumber => nanoseconds / 1e9;

/** `[valid, header, payload]`, as RFC 7519, 7.2, has it. */
function decodeVerify(text: string, constraints: Constraints): RegoValue {
  const unverified = [false, new RegoObject([]), new RegoObject([])];
  const token = splitToken(text);
  const decoded = decodeHeader(token);
  const header = readHeader(decoded);
  if (header.alg === '' || header.isUnknown) return unverified;
  if (constraints.alg !== '' && constraints.alg !== header.alg) return unverified;
  const signature = decodeBase64Url(token.signature);
  const algorithm = ALGORITHMS.get(header.alg);
  const keys = constraints.keys ?? [{ key: new Secret(Buffer.from(constraints.secret)) }];
  if (!algorithm || !isSignedByAny(keys, header, algorithm, token, signature)) return unverified;
  if (header.cty.toUpperCase() === 'JWT') {
    return decodeVerify(decodeBase64Url(token.payload).toString('utf8'), constraints);
  }
  const payload = decodeObject(token.payload);
  return meetsClaims(payload, constraints) ? [true, decoded, payload] : unverified;
}

function meetsClaims(payload: RegoObject, { iss, aud, timeSeconds }: Constraints): boolean {
  if (iss !== '' && payload.get('iss') !== iss) return false;
  const audience = payload.get('aud');
  if (audience === undefined ? aud !== '' : audience !== aud && !(Array.isArray(audience) && audience.includes(aud))) {
    return false;
  }
  const moment = (name: string): RegoNumber | undefined => {
    const value = payload.get(name);
    if (value === undefined || isNumber(value)) return value;
    throw new BuiltinError(`${name} value must be a number`);
  };
  const expires = moment('exp');
  if (expires !== undefined && compareValues(timeSeconds, expires) >= 0) return false;
  const notBefore = moment('nbf');
  return notBefore === undefined || compareValues(timeSeconds, notBefore) >= 0;
}
