import { constants, createPrivateKey, createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { BUILTINS } from '../../../src/rego/builtins';
import { EvaluationBudget } from '../../../src/rego/builtins/plan-builtin';
import { signEcdsa } from '../../../src/rego/builtins/repeatable-signatures';
import { opa } from '../../support/build-policy';

const sign = (algorithm: string, key: KeyObject) =>
  BUILTINS['io.jwt.encode_sign_raw']!(
    [`{"alg":"${algorithm}"}`, '{"a":1}', JSON.stringify(key.export({ format: 'jwk' }))],
    { decisionTimeNs: 0n, budget: new EvaluationBudget() },
  ) as string;
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).privateKey;

describe.each([
  ['ES256', ec('P-256')],
  ['ES384', ec('P-384')],
  ['ES512', ec('P-521')],
  ['PS256', rsa(2048)],
  ['PS384', rsa(2049)],
  ['PS512', rsa(2055)],
])('a token signed by %s', (algorithm, key) => {
  const token = sign(algorithm, key);

  it('is the same each time', () => {
    expect(sign(algorithm, key)).toBe(token);
  });

  it('is verified by Node', () => {
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const options = algorithm.startsWith('ES')
      ? { dsaEncoding: 'ieee-p1363' as const }
      : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    const publicKey = createPublicKey(key as never);
    const text = Buffer.from(`${header}.${payload}`);
    const hash = `sha${algorithm.slice(2)}`;
    expect(verify(hash, text, { key: publicKey, ...options }, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  it('is verified by OPA', async () => {
    const publicKey = JSON.stringify(createPublicKey(key as never).export({ format: 'jwk' }));
    const query = `io.jwt.verify_${algorithm.toLowerCase()}(${JSON.stringify(token)}, ${JSON.stringify(publicKey)})`;
    expect((await opa('eval', '--format', 'raw', query)).trim()).toBe('true');
  });
});

it('a signature by P-256 is the one of RFC 6979, A.2.5', () => {
  const [d, x, y] = [
    'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721',
    '60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6',
    '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
  ].map((hex) => Buffer.from(hex, 'hex').toString('base64url'));
  const key = createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d, x, y }, format: 'jwk' });
  expect(signEcdsa('sha256', Buffer.from('sample'), key).toString('hex')).toBe(
    'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716' +
      'f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
  );
});
