import { createHmac, createSign, constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const literal = (value: unknown) => JSON.stringify(value);

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed25519 = generateKeyPairSync('ed25519');
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }) as string;
const jwk = (key: KeyObject, more: object) => ({ ...key.export({ format: 'jwk' }), ...more });

function token(header: object, payload: object, signer: (text: string) => Buffer): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${signer(text).toString('base64url')}`;
}

const byHmac = (text: string) => createHmac('sha256', 'secret').update(text).digest();
const byRsa = (text: string) => createSign('sha256').update(text).sign(rsa.privateKey);
const byPss = (text: string) =>
  createSign('sha384')
    .update(text)
    .sign({ key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 });
const byEc = (text: string) => sign('sha256', Buffer.from(text), { key: p256.privateKey, dsaEncoding: 'ieee-p1363' });
const byEd = (text: string) => sign(null, Buffer.from(text), ed25519.privateKey);

const claims = { iss: 'me', aud: ['you', 'them'], exp: 2_000_000_000, nbf: 1_000_000_000, n: 123 };
const hs = token({ alg: 'HS256', typ: 'JWT' }, claims, byHmac);
const rs = token({ alg: 'RS256', kid: 'one' }, claims, byRsa);
const ps = token({ alg: 'PS384' }, claims, byPss);
const es = token({ alg: 'ES256' }, claims, byEc);
const ed = token({ alg: 'EdDSA' }, claims, byEd);
const nested = `${encode({ alg: 'HS256', cty: 'JWT' })}.${Buffer.from(hs).toString('base64url')}`;
const hsNested = `${nested}.${byHmac(nested).toString('base64url')}`;
const critical = token({ alg: 'HS256', crit: ['x'], x: 1 }, claims, byHmac);
const noClaims = token({ alg: 'HS256' }, {}, byHmac);

const set = literal(
  JSON.stringify({ keys: [jwk(rsa.publicKey, { kid: 'one', alg: 'RS256' }), jwk(p256.publicKey, {})] }),
);
const otherId = literal(JSON.stringify(jwk(rsa.publicKey, { kid: 'two', alg: 'RS512' })));
const secretKey = literal(JSON.stringify({ kty: 'oct', k: Buffer.from('secret').toString('base64url') }));
const decodeVerify = (text: string, constraints: object | string) =>
  `io.jwt.decode_verify(${literal(text)}, ${typeof constraints === 'string' ? constraints : literal(constraints)})`;
const inTime = { time: 1.5e18, aud: 'you' };

/** Tokens of every kind with keys of every kind, made afresh: what fits and what does not. */
export const TOKEN_EXPRESSIONS: string[] = [
  ...[hs, rs, hsNested, `${hs}.x`, 'a.b', 'a.b.c', '', hs.replace('.', '!.')].map(
    (text) => `io.jwt.decode(${literal(text)})`,
  ),
  `io.jwt.verify_hs256(${literal(hs)}, "secret")`,
  `io.jwt.verify_hs256(${literal(hs)}, "other")`,
  `io.jwt.verify_hs512(${literal(hs)}, "secret")`,
  `io.jwt.verify_rs256(${literal(rs)}, ${literal(pem(rsa.publicKey))})`,
  `io.jwt.verify_rs256(${literal(rs)}, ${set})`,
  `io.jwt.verify_rs256(${literal(rs)}, ${otherId})`,
  `io.jwt.verify_rs256(${literal(rs)}, ${literal(pem(p256.publicKey))})`,
  `io.jwt.verify_rs256(${literal(rs)}, "no key")`,
  `io.jwt.verify_rs512(${literal(rs)}, ${literal(pem(rsa.publicKey))})`,
  `io.jwt.verify_ps384(${literal(ps)}, ${literal(pem(rsa.publicKey))})`,
  `io.jwt.verify_ps384(${literal(rs)}, ${literal(pem(rsa.publicKey))})`,
  `io.jwt.verify_es256(${literal(es)}, ${literal(pem(p256.publicKey))})`,
  `io.jwt.verify_es256(${literal(es)}, ${set})`,
  `io.jwt.verify_es256(${literal(rs)}, ${set})`,
  `io.jwt.verify_eddsa(${literal(ed)}, ${literal(pem(ed25519.publicKey))})`,
  `io.jwt.verify_eddsa(${literal(ed)}, ${literal(pem(rsa.publicKey))})`,
  decodeVerify(hs, { ...inTime, secret: 'secret' }),
  decodeVerify(hs, { ...inTime, secret: 'other' }),
  decodeVerify(hs, { ...inTime, secret: 'secret', iss: 'me', alg: 'HS256' }),
  decodeVerify(hs, { ...inTime, secret: 'secret', iss: 'you' }),
  decodeVerify(hs, { ...inTime, secret: 'secret', alg: 'RS256' }),
  decodeVerify(hs, { time: 1.5e18, secret: 'secret' }),
  decodeVerify(hs, { time: 1.5e18, secret: 'secret', aud: 'nobody' }),
  decodeVerify(hs, { aud: 'you', secret: 'secret', time: 2e18 }),
  decodeVerify(hs, { aud: 'you', secret: 'secret', time: 1e18 }),
  decodeVerify(hs, { aud: 'you', secret: 'secret', time: 9.99e17 }),
  decodeVerify(hs, { aud: 'you', secret: 'secret', time: -1 }),
  decodeVerify(hs, { aud: 'you', secret: 'secret', time: 'now' }),
  decodeVerify(hs, { secret: 'secret', colour: 'red' }),
  decodeVerify(hs, { secret: 'secret', cert: pem(rsa.publicKey) }),
  decodeVerify(hs, { aud: 'you' }),
  decodeVerify(hs, `{"cert": ${secretKey}, "aud": "you", "time": 1500000000000000000}`),
  decodeVerify(hsNested, { ...inTime, secret: 'secret' }),
  decodeVerify(critical, { ...inTime, secret: 'secret' }),
  decodeVerify(noClaims, { time: 1, secret: 'secret' }),
  decodeVerify(noClaims, { time: 1, secret: 'secret', iss: 'me' }),
  decodeVerify(noClaims, { time: 1, secret: 'secret', aud: 'you' }),
  decodeVerify(rs, { ...inTime, cert: pem(rsa.publicKey) }),
  decodeVerify(es, { ...inTime, cert: pem(p256.publicKey) }),
  decodeVerify(ps, { ...inTime, cert: pem(rsa.publicKey) }),
  decodeVerify(rs, { ...inTime, cert: pem(rsa.publicKey) + pem(rsa.publicKey) }),
  decodeVerify(rs, { ...inTime, cert: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }),
];
