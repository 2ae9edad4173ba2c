import type { KeyObject } from 'node:crypto';
import type { RegoObject } from '../../../src/rego/values/rego-object';
import { fromPlain } from '../../../src/rego/values/plain';
import {
  createCertificate,
  createRequest,
  createSigners,
  der,
  oid,
  toPem,
  type ExtensionsOfCertificate,
  type Signer,
} from '../../support/certificates';
import type { Call } from './opa-calls';
import type { Random } from './random-calls';

const signers = createSigners();
const NOW = new Date('2026-06-15T12:00:00Z');
const years = (count: number) => new Date(NOW.getTime() + count * 365 * 86_400_000);

/** Each field that Go's JSON of a certificate has, at least once. */
const RICH: ExtensionsOfCertificate = {
  isCa: true,
  pathLength: 0,
  keyUsage: 0x21,
  usages: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.9', '2.5.29.37.0', '1.2.3', '2.16.840.1.113730.4.1'],
  names: [
    ...['DNS:a.com', 'DNS:*.b.org', 'email:a@b.c', 'URI:https://u:p%20w@h.com:80/x%2Fy?y#z%41', 'URI:mailto:a@b'],
    ...['URI:file:/x/y', 'URI:http://x/?', 'IP:0a010203', 'IP:00000000000000000000ffff01020304'],
    ...['IP:00000000000000000000000000000001'],
  ],
  permitted: ['DNS:.a.com', 'email:a.com', 'email:x@y.z', 'IP:0a000000ff000000'],
  excluded: ['URI:.b.com', 'DNS:c.org', `IP:${'20010db8'.padEnd(32, '0')}${'ffffffff'.padEnd(32, '0')}`],
  policies: ['1.2.3.4', '2.5.29.32.0', '2.999.5000000000.1'],
  mappings: [['1.2.3.4', '1.2.3.5']],
  requireExplicitPolicy: 0,
  inhibitPolicyMapping: 3,
  inhibitAnyPolicy: 2,
  keyIds: true,
  raw: {
    '2.5.29.31': uriPoints('http://x/y', 'http://z'),
    '1.3.6.1.5.5.7.1.1': der(
      0x30,
      der(0x30, oid('1.3.6.1.5.5.7.48.1'), der(0x86, Buffer.from('http://o'))),
      der(0x30, oid('1.3.6.1.5.5.7.48.2'), der(0x86, Buffer.from('http://i'))),
    ),
    '1.2.3.4.5': der(0x0c, Buffer.from('hi')),
  },
  critical: ['2.5.29.19', '2.5.29.30', '1.2.3.4.5'],
};

function uriPoints(...uris: string[]): Buffer {
  return der(0x30, ...uris.map((uri) => der(0x30, der(0xa0, der(0xa0, der(0x86, Buffer.from(uri)))))));
}

const SUBJECT = 'C=DE,C=FR,O=A,OU=B,OU=Ä ö,L=x,ST=y,STREET=s,ZIP=1,SN=9,MAIL=x@y.z,CN=rich';
const rich = (signer: Signer, version = 3) =>
  createCertificate(signer, { subject: SUBJECT, from: years(-1), until: years(9), extensions: RICH, version });
const plain = (signer: Signer) => createCertificate(signer, { subject: 'CN=plain', from: years(-70), until: years(1) });

const CERTIFICATES = [
  ...[rich(signers.rsa), rich(signers.p256), rich(signers.ed25519), plain(signers.pss), plain(signers.p521)],
  ...[rich(signers.sha1, 1), rich(signers.sha1, 2)],
];
const REQUESTS = [createRequest(signers.p256, SUBJECT, RICH), createRequest(signers.rsa, 'CN=r', { names: ['DNS:q'] })];
const exported = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1') =>
  key.export({ type: type as never, format: 'der' });
const KEYS: [type: string, key: Buffer][] = [
  ['RSA PRIVATE KEY', exported(signers.rsa.privateKey, 'pkcs1')],
  ['PRIVATE KEY', exported(signers.rsa.privateKey, 'pkcs8')],
  ['EC PRIVATE KEY', exported(signers.p521.privateKey, 'sec1')],
  ['PRIVATE KEY', exported(signers.p256.privateKey, 'pkcs8')],
  ['PRIVATE KEY', exported(signers.ed25519.privateKey, 'pkcs8')],
];

/** Bytes that mean something where they stand in DER. */
const TELLING = [0x30, 0x31, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x16, 0x1e, 0x80, 0x81, 0xa0, 0xff, 0];

/** A byte or two changed, in most of them. */
function changed(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let left = random.below(3); left > 0; left--) {
    copy[random.below(copy.length)] = random.below(2) ? random.pick(TELLING) : random.below(256);
  }
  return copy;
}

const FORMS = [
  (type: string, bytes: Buffer) => toPem(type, bytes),
  (_: string, bytes: Buffer) => bytes.toString('base64'),
  (type: string, bytes: Buffer) => Buffer.from(toPem(type, bytes)).toString('base64'),
  (type: string, bytes: Buffer) => `text before\n${toPem(type, bytes).replace('\n', '\nKey: value\n\n')}after`,
  (type: string, bytes: Buffer) => toPem(type, bytes).replaceAll('\n', '\r\n'),
];

/** Calls of `crypto.x509.*` and `crypto.parse_private_keys` with what was made here, most of it changed at random. */
export function certificateCall(random: Random): Call {
  const written = (type: string, bytes: Buffer) => {
    const form = random.below(3) > 0 ? FORMS[0]! : random.pick(FORMS);
    return form(type, changed(bytes, random));
  };
  const certificate = () => written('CERTIFICATE', random.pick(CERTIFICATES));
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2:
      return { name: 'crypto.x509.parse_certificates', operands: [certificate()] };
    case 3: {
      const request = written('CERTIFICATE REQUEST', random.pick(REQUESTS));
      return { name: 'crypto.x509.parse_certificate_request', operands: [request] };
    }
    case 4:
      return { name: 'crypto.x509.parse_rsa_private_key', operands: [written(...random.pick(KEYS))] };
    case 5:
      return { name: 'crypto.parse_private_keys', operands: [written(...random.pick(KEYS)) + written(...KEYS[2]!)] };
    case 6:
      return { name: 'crypto.x509.parse_keypair', operands: [certificate(), written(...random.pick(KEYS))] };
    default:
      return {
        name: 'crypto.x509.parse_and_verify_certificates_with_options',
        operands: [chain(random), options(random)],
      };
  }
}

const DOMAINS = ['a.com', '.a.com', 'b.a.com', 'A.com', 'c.org', 'com'];
const USAGES = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '2.5.29.37.0', '1.2.3'];
const POLICIES = [['1.2.3'], ['1.2.4'], ['1.2.3', '1.2.4'], ['2.5.29.32.0'], ['2.5.29.32.0', '1.2.3']];
const NAMES = [
  ...['DNS:a.com', 'DNS:b.a.com', 'DNS:*.a.com', 'DNS:x_y.A.com', 'IP:0a010203', 'IP:01010101', 'email:x@a.com'],
  ...['email:X@b.a.com', 'URI:http://a.com/', 'URI:http://b.a.com:80/x', 'URI:http://10.0.0.1/'],
];

function subtree(random: Random): string {
  const kind = random.pick(['DNS', 'email', 'URI', 'IP']);
  if (kind === 'IP') return `IP:${random.pick(['0a000000ff000000', '0000000000000000', '0a010000ffff0000'])}`;
  return `${kind}:${random.pick(kind === 'email' ? [...DOMAINS, 'x@a.com', 'X@A.com'] : DOMAINS)}`;
}

/** A chain from a root to a leaf, as one text of PEM; now and then in another order or with a part missing. */
function chain(random: Random): string {
  const often = (one: number) => random.below(one) > 0;
  const seldom = <T>(value: () => T, one = 6): T | undefined => (often(one) ? undefined : value());
  const list: Buffer[] = [];
  let issuer: { subject: string; signer: Signer } | undefined;
  const length = 2 + random.below(3);
  for (let index = 0; index < length; index++) {
    const isLeaf = index === length - 1;
    const signer = random.pick(Object.values(signers).filter((one) => one !== signers.sha1 || !often(5)));
    const subject = often(9) ? `CN=c${index}` : 'CN=c0';
    const extensions: ExtensionsOfCertificate = {
      isCa: isLeaf ? seldom(() => false, 2) : often(25),
      pathLength: isLeaf ? undefined : seldom(() => random.below(3), 8),
      keyUsage: seldom(() => (often(15) ? 0x20 : 1), 3),
      usages: seldom(() => [random.pick(USAGES), ...(seldom(() => [random.pick(USAGES)]) ?? [])]),
      names: isLeaf || !often(6) ? Array.from({ length: 1 + random.below(3) }, () => random.pick(NAMES)) : undefined,
      permitted: isLeaf ? undefined : seldom(() => [subtree(random), subtree(random)], 4),
      excluded: isLeaf ? undefined : seldom(() => [subtree(random)], 4),
      policies: seldom(() => random.pick(POLICIES), 3),
      mappings: seldom((): [string, string][] => [
        random.pick<[string, string]>([
          ['1.2.3', '1.2.4'],
          ['1.2.4', '1.2.3'],
        ]),
      ]),
      requireExplicitPolicy: seldom(() => random.below(3)),
      inhibitPolicyMapping: seldom(() => random.below(2), 8),
      inhibitAnyPolicy: seldom(() => random.below(2), 8),
      keyIds: often(3),
      raw: seldom(() => ({ '1.2.3.4.5': der(0x05) }), 30),
      critical: ['1.2.3.4.5', '2.5.29.30'],
    };
    const until = years(random.pick([1, 2, 3]));
    list.push(createCertificate(signer, { subject, issuer, from: years(-1), until, extensions }));
    issuer = { subject, signer };
  }
  if (!often(8)) list.reverse();
  if (!often(6)) list.splice(1, 0, random.pick(CERTIFICATES));
  if (!often(8)) list.splice(1, 1);
  return list.map((certificate) => toPem('CERTIFICATE', certificate)).join('');
}

function options(random: Random): RegoObject {
  const names = ['a.com', 'b.a.com', 'A.COM.', '10.1.2.3', '[::ffff:10.1.2.3]', 'x_y.a.com', '', '"a.com"', 'q.a.com'];
  const moments = [0, 0, 0, 1.5, 2.5, 4, -2].map((count) => BigInt(years(count).getTime()) * 1_000_000n);
  const usages = [['KeyUsageAny'], ['KeyUsageClientAuth'], ['KeyUsageServerAuth', 'KeyUsageCodeSigning'], [], ['x']];
  return fromPlain({
    CurrentTime: random.pick(moments),
    ...(random.below(3) === 0 ? { DNSName: random.pick(names) } : {}),
    ...(random.below(2) === 0 ? { KeyUsages: random.pick(usages) } : { KeyUsages: ['KeyUsageAny'] }),
    ...(random.below(20) === 0 ? { [random.pick(['MaxConstraintComparisons', 'Other'])]: random.pick([5, 1.5]) } : {}),
  }) as RegoObject;
}
