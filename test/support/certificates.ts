import { createHash, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** DER by hand: certificates and requests of every kind, good and odd, made afresh. */
export const der = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const digits = length.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length]), bytes, content]);
};
const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
const context = (number: number, ...parts: Uint8Array[]) => der(0xa0 | number, ...parts);
const text = (tag: number, value: string) => der(tag, Buffer.from(value, 'utf8'));
const bits = (bytes: Uint8Array, unused = 0) => der(0x03, Buffer.from([unused]), bytes);
const integer = (...bytes: number[]) => der(0x02, Buffer.from(bytes));

export function oid(dotted: string): Buffer {
  const [a, b, ...rest] = dotted.split('.').map(BigInt) as [bigint, bigint, ...bigint[]];
  const base128 = (value: bigint): number[] => {
    const septets = [Number(value & 0x7fn)];
    for (let left = value >> 7n; left > 0n; left >>= 7n) septets.unshift(Number(left & 0x7fn) | 0x80);
    return septets;
  };
  return der(0x06, Buffer.from([a * 40n + b, ...rest].flatMap(base128)));
}

/** What an extension says; `raw` is its content by its identifier. */
export interface ExtensionsOfCertificate {
  isCa?: boolean;
  pathLength?: number;
  /** the bits of Go's `x509.KeyUsage` */
  keyUsage?: number;
  /** identifiers */
  usages?: string[];
  /** `DNS:a.com`, `email:a@b.c`, `URI:http://a`, `IP:0a000001` */
  names?: string[];
  permitted?: string[];
  excluded?: string[];
  policies?: string[];
  mappings?: [string, string][];
  requireExplicitPolicy?: number;
  inhibitPolicyMapping?: number;
  inhibitAnyPolicy?: number;
  keyIds?: boolean;
  raw?: Record<string, Buffer>;
  critical?: string[];
}

const NAME_TAGS: Record<string, number> = { email: 0x81, DNS: 0x82, URI: 0x86, IP: 0x87 };

function generalName(written: string): Buffer {
  const [, type, value] = /^(\w+):(.*)$/.exec(written)!;
  return der(NAME_TAGS[type!]!, type === 'IP' ? Buffer.from(value!, 'hex') : Buffer.from(value!));
}

const subtrees = (number: number, names?: string[]) =>
  names ? [context(number, ...names.map((name) => sequence(generalName(name))))] : [];

function extensionValues(given: ExtensionsOfCertificate, subjectKeyId?: Buffer, authorityKeyId?: Buffer) {
  const { isCa, pathLength, keyUsage, names, permitted, excluded, policies, mappings } = given;
  const values: Record<string, Buffer> = { ...given.raw };
  const number = (tag: number, value?: number) => (value === undefined ? [] : [der(tag, Buffer.from([value]))]);
  if (isCa !== undefined) {
    values['2.5.29.19'] = sequence(...(isCa ? [der(0x01, Buffer.from([0xff]))] : []), ...number(0x02, pathLength));
  }
  if (keyUsage !== undefined) {
    let reversed = 0;
    for (let bit = 0; bit < 8; bit++) if ((keyUsage >> bit) & 1) reversed |= 0x80 >> bit;
    values['2.5.29.15'] = bits(Buffer.from([reversed]));
  }
  if (given.usages) values['2.5.29.37'] = sequence(...given.usages.map(oid));
  if (names) values['2.5.29.17'] = sequence(...names.map(generalName));
  if (permitted ?? excluded) values['2.5.29.30'] = sequence(...subtrees(0, permitted), ...subtrees(1, excluded));
  if (policies) values['2.5.29.32'] = sequence(...policies.map((policy) => sequence(oid(policy))));
  if (mappings) values['2.5.29.33'] = sequence(...mappings.map((pair) => sequence(...pair.map(oid))));
  const constraints = [...number(0x80, given.requireExplicitPolicy), ...number(0x81, given.inhibitPolicyMapping)];
  if (constraints.length > 0) values['2.5.29.36'] = sequence(...constraints);
  if (given.inhibitAnyPolicy !== undefined) values['2.5.29.54'] = integer(given.inhibitAnyPolicy);
  if (given.keyIds && subjectKeyId) values['2.5.29.14'] = der(0x04, subjectKeyId);
  if (given.keyIds && authorityKeyId) values['2.5.29.35'] = sequence(der(0x80, authorityKeyId));
  return values;
}

function extensionList(values: Record<string, Buffer>, critical: readonly string[] = []): Buffer {
  const list = Object.entries(values).map(([id, value]) => {
    const flag = critical.includes(id) ? [der(0x01, Buffer.from([0xff]))] : [];
    return sequence(oid(id), ...flag, der(0x04, value));
  });
  return sequence(...list);
}

/** `CN=a,O=b`, with the types of a Name that Go knows and an e-mail address. */
export function distinguishedName(written: string): Buffer {
  const parts = written.split(',').map((part) => {
    const [type, value] = part.split('=') as [string, string];
    const tag = /^[\w .]*$/.test(value) ? 0x13 : 0x0c;
    return der(0x31, sequence(oid(NAME_TYPES[type] ?? type), text(tag, value)));
  });
  return sequence(...parts);
}
const NAME_TYPES: Record<string, string> = {
  ...{ CN: '2.5.4.3', SN: '2.5.4.5', C: '2.5.4.6', L: '2.5.4.7', ST: '2.5.4.8', STREET: '2.5.4.9' },
  ...{ O: '2.5.4.10', OU: '2.5.4.11', ZIP: '2.5.4.17', MAIL: '1.2.840.113549.1.9.1' },
};

/** A pair of keys with the algorithm that it signs by. */
export interface Signer {
  privateKey: KeyObject;
  algorithm: Buffer;
  hash: string | null;
  pss?: boolean;
}

const NULL = der(0x05);
const SHA256 = oid('2.16.840.1.101.3.4.2.1');
const pssParameters = sequence(
  context(0, sequence(SHA256, NULL)),
  context(1, sequence(oid('1.2.840.113549.1.1.8'), sequence(SHA256, NULL))),
  context(2, integer(32)),
);

/** One of each kind that Go verifies, and some that it does not. */
export function createSigners(): Record<'rsa' | 'pss' | 'sha1' | 'p256' | 'p521' | 'ed25519', Signer> {
  const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
  const ecdsa = (hash: string, last: number, curve: string) => ({
    privateKey: ec(curve),
    algorithm: sequence(oid(`1.2.840.10045.4.3.${last}`)),
    hash,
  });
  return {
    rsa: { privateKey: rsa, algorithm: sequence(oid('1.2.840.113549.1.1.11'), NULL), hash: 'sha256' },
    pss: {
      privateKey: rsa,
      algorithm: sequence(oid('1.2.840.113549.1.1.10'), pssParameters),
      hash: 'sha256',
      pss: true,
    },
    sha1: { privateKey: rsa, algorithm: sequence(oid('1.2.840.113549.1.1.5'), NULL), hash: 'sha1' },
    p256: ecdsa('sha256', 2, 'P-256'),
    p521: ecdsa('sha512', 4, 'P-521'),
    ed25519: {
      privateKey: generateKeyPairSync('ed25519').privateKey,
      algorithm: sequence(oid('1.3.101.112')),
      hash: null,
    },
  };
}

const spkiOf = (key: KeyObject) => createPublicKey(key as never).export({ type: 'spki', format: 'der' });
const keyIdOf = (key: KeyObject) => createHash('sha1').update(spkiOf(key)).digest();

function signed(content: Buffer, { privateKey, algorithm, hash, pss }: Signer): Buffer {
  const options = pss ? { padding: 6, saltLength: 32 } : {};
  return sequence(content, algorithm, bits(sign(hash, content, { key: privateKey, ...options })));
}

const utcTime = (moment: Date) => text(0x17, `${moment.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`);

export interface CertificateOptions {
  subject: string;
  issuer?: { subject: string; signer: Signer };
  from: Date;
  until: Date;
  extensions?: ExtensionsOfCertificate;
  /** counted from 1 */
  version?: number;
}

/** A certificate as DER; signed by itself without an issuer. */
export function createCertificate(signer: Signer, options: CertificateOptions): Buffer {
  const { subject, issuer = { subject, signer }, from, until, extensions = {}, version = 3 } = options;
  const values = extensionValues(extensions, keyIdOf(signer.privateKey), keyIdOf(issuer.signer.privateKey));
  const content = sequence(
    ...(version > 1 ? [context(0, integer(version - 1))] : []),
    integer(0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x11),
    issuer.signer.algorithm,
    distinguishedName(issuer.subject),
    sequence(utcTime(from), utcTime(until)),
    distinguishedName(subject),
    spkiOf(signer.privateKey),
    ...(version > 2 && Object.keys(values).length > 0 ? [context(3, extensionList(values, extensions.critical))] : []),
  );
  return signed(content, issuer.signer);
}

/** A request for a certificate as DER (RFC 2986). */
export function createRequest(signer: Signer, subject: string, extensions: ExtensionsOfCertificate): Buffer {
  const request = sequence(oid('1.2.840.113549.1.9.14'), der(0x31, extensionList(extensionValues(extensions))));
  const password = sequence(oid('1.2.840.113549.1.9.7'), der(0x31, text(0x0c, 'secret')));
  const attributes = context(0, request, password);
  return signed(sequence(integer(0), distinguishedName(subject), spkiOf(signer.privateKey), attributes), signer);
}

export function toPem(type: string, bytes: Uint8Array): string {
  const lines = Buffer.from(bytes)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${type}-----\n${lines}\n-----END ${type}-----\n`;
}
