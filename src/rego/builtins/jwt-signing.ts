import { constants, createHmac, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { BuiltinError, orBuiltinError, type Builtins } from './builtin';
import { stringAt } from './operands';
import { signEcdsa, signPss } from './repeatable-signatures';
import { escapeHtml, writeJson } from '../values/json';
import { parseJson } from '../values/parse-json';
import { isObject, type RegoValue } from '../values/value';

/**
 * `io.jwt.encode_sign*`. The signatures of PS and ES hold a number that is random in OPA; here it is worked out from key and
 * text, so that a decision can be replayed.
 */
export const jwtSigningBuiltins: Builtins = {
  'io.jwt.encode_sign': (operands) => {
    const [headers, payload, key] = operands.map((operand) => escapeHtml(writeJson(operand)));
    return encodeSigned(headers!, payload!, key!);
  },
  'io.jwt.encode_sign_raw': (operands) => {
    const key = stringAt(operands, 2);
    return encodeSigned(stringAt(operands, 0), stringAt(operands, 1), key);
  },
};

/**
 * A compact token (RFC 7515): headers, payload and signature, each in base64 for URLs.
 *
 * @param key a JWK, or a set of which the first is taken
 */
function encodeSigned(headers: string, payload: string, key: string): string {
  const jwk = firstKey(orBuiltinError(() => JSON.parse(key) as unknown));
  const algorithm = textField(headers, 'alg');
  if (algorithm === undefined) throw new BuiltinError("missing or invalid 'alg' header");
  if (!ALGORITHM.test(algorithm)) throw new BuiltinError(`unknown JWS algorithm: ${algorithm}`);
  const type = textField(headers, 'typ');
  if ((type === undefined || type === 'JWT') && !isJson(payload)) {
    throw new BuiltinError('type is JWT but payload is not JSON');
  }
  const text = `${encode(headers)}.${encode(payload)}`;
  return `${text}.${signatureOf(Buffer.from(text), algorithm, jwk).toString('base64url')}`;
}

const ALGORITHM = /^(?:(?:RS|PS|ES|HS)(?:256|384|512)|EdDSA)$/;

function firstKey(document: unknown): Record<string, unknown> {
  const { keys } = (document ?? {}) as { keys?: unknown };
  const key: unknown = Array.isArray(keys) ? keys[0] : document;
  if (typeof key !== 'object' || key === null) throw new BuiltinError('no keys found in JWK set');
  return key as Record<string, unknown>;
}

function textField(json: string, name: string): string | undefined {
  let value: RegoValue;
  try {
    value = parseJson(json);
  } catch {
    return undefined;
  }
  const field = isObject(value) ? value.get(name) : undefined;
  return typeof field === 'string' ? field : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const encode = (text: string) => Buffer.from(text, 'utf8').toString('base64url');

function signatureOf(text: Buffer, algorithm: string, jwk: Record<string, unknown>): Buffer {
  const hash = `sha${algorithm.slice(2)}`;
  switch (algorithm.slice(0, 2)) {
    case 'HS':
      return createHmac(hash, secretOf(jwk)).update(text).digest();
    case 'RS':
      return sign(hash, text, { key: privateKey(jwk, 'rsa'), padding: constants.RSA_PKCS1_PADDING });
    case 'PS':
      return signPss(hash, text, privateKey(jwk, 'rsa'));
    case 'ES':
      return signEcdsa(hash, text, privateKey(jwk, 'ec'));
    default:
      return sign(null, text, privateKey(jwk, 'ed25519'));
  }
}

function secretOf({ kty, k }: Record<string, unknown>): Buffer {
  if (kty !== 'oct' || typeof k !== 'string') throw new BuiltinError('expected a symmetric key');
  return Buffer.from(k, 'base64url');
}

function privateKey(jwk: Record<string, unknown>, type: string): KeyObject {
  const key = orBuiltinError(() => createPrivateKey({ key: jwk as never, format: 'jwk' }));
  if (key.asymmetricKeyType !== type) throw new BuiltinError(`expected a key of type ${type}`);
  return key;
}
