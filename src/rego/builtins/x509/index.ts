import { decodeStandard } from '../base64';
import { BuiltinError, type BuiltinContext, type Builtins } from '../builtin';
import { objectAt, stringAt } from '../operands';
import type { BuiltinBudget } from '../plan-builtin';
import { isNumber, toInt64 } from '../../values/number';
import { RegoObject } from '../../values/rego-object';
import { isSet, type RegoValue } from '../../values/value';
import {
  describeCertificate,
  describeWithUris,
  readCertificate,
  readCertificates,
  type Certificate,
} from './certificate';
import { decodePem, type PemBlock } from './pem';
import { describePrivateKey, readPkcs1, readPkcs8, readSec1, toJsonWebKey, type PrivateKey } from './private-keys';
import { KEY_ALGORITHM } from './public-key';
import { describeRequest } from './request';
import { verifyChain, type VerifyOptions } from './verify';

/**
 * Certificates and keys, with Go's JSON of the structures of its `crypto` packages as answers. Go takes the moment of the
 * process for an expiry; here it is the decision time.
 */
export const x509Builtins: Builtins = {
  'crypto.x509.parse_certificates': (operands, { budget }) =>
    certificatesIn(stringAt(operands, 0), budget).map(describeWithUris),
  'crypto.x509.parse_and_verify_certificates': (operands, context) => {
    const text = stringAt(operands, 0);
    return verified(text, context, () => defaultOptions(context), describeWithUris);
  },
  'crypto.x509.parse_and_verify_certificates_with_options': (operands, context) => {
    const [text, options] = [stringAt(operands, 0), objectAt(operands, 1)];
    return verified(text, context, () => readOptions(options, context), describeCertificate);
  },
  'crypto.x509.parse_certificate_request': (operands, { budget }) => {
    const text = stringAt(operands, 0);
    spendFor(text, budget);
    const bytes = text.startsWith('-----BEGIN CERTIFICATE REQUEST-----') ? Buffer.from(text) : decodeStandard(text);
    const pem = decodePem(bytes.toString('latin1'))?.block;
    if (pem && pem.type !== 'CERTIFICATE REQUEST') {
      throw new BuiltinError('invalid PEM-encoded certificate signing request');
    }
    return describeRequest(pem?.bytes ?? bytes);
  },
  'crypto.x509.parse_keypair': (operands, { budget }) => keyPair(stringAt(operands, 0), stringAt(operands, 1), budget),
  'crypto.x509.parse_rsa_private_key': (operands, { budget }) => {
    const text = stringAt(operands, 0);
    if (text === '') throw new BuiltinError('input PEM data was empty');
    const pem = text.startsWith('-----BEGIN') ? text : decodeStandard(text).toString('latin1');
    const [key] = privateKeysIn(pem, budget);
    return key ? toJsonWebKey(key) : null;
  },
  'crypto.parse_private_keys': (operands, { budget }) => {
    const text = stringAt(operands, 0);
    return text === '' ? null : privateKeysIn(text, budget).map(describePrivateKey);
  },
};

/** Steps for what grows with the text: reading is linear, arithmetic with its numbers quadratic. */
function spendFor(text: string, budget: BuiltinBudget): void {
  budget.spend(text.length >>> 3);
}

function certificatesIn(text: string, budget: BuiltinBudget): Certificate[] {
  spendFor(text, budget);
  const decoded = text.startsWith('-----BEGIN') ? text : decodeStandard(text).toString('latin1');
  const der = decoded.startsWith('-----BEGIN')
    ? Buffer.concat(blocksIn(decoded).map(certificateBytes))
    : Buffer.from(decoded, 'latin1');
  const certificates = readCertificates(der);
  // each is written out with its parts
  budget.elements(certificates.length * 100);
  budget.characters(der.length * 6);
  return certificates;
}

function certificateBytes({ type, bytes }: PemBlock): Buffer {
  if (type !== 'CERTIFICATE') throw new BuiltinError(`PEM block type is '${type}', expected CERTIFICATE`);
  return bytes;
}

function blocksIn(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  for (let found = decodePem(text); found; found = decodePem(found.rest)) blocks.push(found.block);
  return blocks;
}

function defaultOptions({ decisionTimeNs }: BuiltinContext): VerifyOptions {
  return { dnsName: '', timeNs: decisionTimeNs, keyUsages: [] };
}

/** `[valid, chain]`; what is no certificate is not valid. */
function verified(
  text: string,
  { budget }: BuiltinContext,
  optionsOf: () => VerifyOptions,
  describe: (certificate: Certificate) => RegoValue,
): RegoValue {
  let certificates: Certificate[];
  try {
    certificates = certificatesIn(text, budget);
  } catch (error) {
    if (error instanceof BuiltinError) return [false, []];
    throw error;
  }
  const options = optionsOf();
  budget.spend(certificates.length * certificates.length);
  const chain = verifyChain(certificates, options);
  return chain ? [true, chain.map(describe)] : [false, []];
}

/** Go's `x509.ExtKeyUsage` by the place in this list. */
const KEY_USAGES = [
  'KeyUsageAny',
  'KeyUsageServerAuth',
  'KeyUsageClientAuth',
  'KeyUsageCodeSigning',
  'KeyUsageEmailProtection',
  'KeyUsageIPSECEndSystem',
  'KeyUsageIPSECTunnel',
  'KeyUsageIPSECUser',
  'KeyUsageTimeStamping',
  'KeyUsageOCSPSigning',
  'KeyUsageMicrosoftServerGatedCrypto',
  'KeyUsageNetscapeServerGatedCrypto',
  'KeyUsageMicrosoftCommercialCodeSigning',
  'KeyUsageMicrosoftKernelCodeSigning',
];

function readOptions(given: RegoObject, context: BuiltinContext): VerifyOptions {
  const options = { ...defaultOptions(context) };
  for (const [key, value] of given.entries) {
    switch (key) {
      case 'DNSName':
        if (typeof value !== 'string') throw new BuiltinError("'DNSName' should be a string");
        options.dnsName = unquoted(value);
        break;
      case 'CurrentTime':
        options.timeNs = integer(value, key);
        break;
      case 'MaxConstraintComparisons':
        integer(value, key);
        break;
      case 'KeyUsages':
        options.keyUsages = readKeyUsages(value);
        break;
      default:
        if (typeof key === 'string') throw new BuiltinError('invalid key option');
    }
  }
  return options;
}

function integer(value: RegoValue, name: string): bigint {
  const found = isNumber(value) ? toInt64(value) : undefined;
  if (found === undefined) throw new BuiltinError(`'${name}' should be a valid int64 number`);
  return found;
}

function readKeyUsages(value: RegoValue): number[] {
  const list = isSet(value) ? value.items : value;
  if (!Array.isArray(list)) throw new BuiltinError("'KeyUsages' should be an Array or Set");
  const names = (list as RegoValue[]).filter((item) => typeof item === 'string').map(unquoted);
  const invalid = names.filter((name) => !KEY_USAGES.includes(name));
  if (invalid.length > 0) throw new BuiltinError(`invalid entries for 'KeyUsages' found: [${invalid.join(' ')}]`);
  return names.map((name) => KEY_USAGES.indexOf(name));
}

const unquoted = (text: string) => text.replace(/^"+|"+$/g, '');

function privateKeysIn(text: string, budget: BuiltinBudget): PrivateKey[] {
  spendFor(text, budget);
  const keys = blocksIn(asPem(text)).map(({ type, bytes }) => {
    const read = READERS[type];
    if (!read) return undefined;
    spendForNumbers(bytes, budget);
    return read(bytes);
  });
  return keys.filter((key) => key !== undefined);
}

/** The text may be base64 of PEM. */
function asPem(text: string): string {
  try {
    return decodeStandard(text).toString('latin1');
  } catch (error) {
    if (error instanceof BuiltinError) return text;
    throw error;
  }
}

const READERS: Readonly<Record<string, ((der: Buffer) => PrivateKey) | undefined>> = {
  'RSA PRIVATE KEY': readPkcs1,
  'PRIVATE KEY': readPkcs8,
  'EC PRIVATE KEY': (der) => readSec1(der),
};

function spendForNumbers(der: Buffer, budget: BuiltinBudget): void {
  budget.spend(Math.ceil(der.length / 64) ** 2);
}

/** Go's `tls.X509KeyPair`: the certificates, the first one's content, and the key that belongs to it. */
function keyPair(certificateText: string, keyText: string, budget: BuiltinBudget): RegoValue {
  spendFor(certificateText + keyText, budget);
  const certificates = blocksOf(certificateText, 'CERTIFICATE').filter(({ type }) => type === 'CERTIFICATE');
  const isKey = ({ type }: PemBlock) => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY');
  const key = blocksOf(keyText, 'PRIVATE KEY').find(isKey);
  const [first] = certificates;
  if (!first || !key) throw new BuiltinError('tls: failed to find any PEM data in the input');
  const leaf = readCertificate(first.bytes);
  if (leaf.raw.length !== first.bytes.length) throw new BuiltinError('x509: trailing data');
  spendForNumbers(key.bytes, budget);
  const privateKey = readAnyKey(key.bytes);
  if (!isKeyOf(leaf, privateKey)) throw new BuiltinError('tls: private key does not match public key');
  return RegoObject.from({
    Certificate: certificates.map(({ bytes }) => bytes.toString('base64')),
    PrivateKey: describePrivateKey(privateKey),
    SupportedSignatureAlgorithms: null,
    OCSPStaple: null,
    SignedCertificateTimestamps: null,
    Leaf: describeCertificate(leaf),
  });
}

/** PEM, or in base64: PEM or the DER of one block of this type. */
function blocksOf(text: string, type: string): PemBlock[] {
  if (text.startsWith('-----BEGIN ')) return blocksIn(text);
  const bytes = decodeStandard(text);
  const pem = bytes.toString('latin1');
  return pem.startsWith('-----BEGIN') ? blocksIn(pem) : [{ type, bytes }];
}

function readAnyKey(der: Buffer): PrivateKey {
  for (const read of [readPkcs1, readPkcs8, (bytes: Buffer) => readSec1(bytes)]) {
    try {
      return read(der);
    } catch (error) {
      if (!(error instanceof BuiltinError)) throw error;
    }
  }
  throw new BuiltinError('tls: failed to parse private key');
}

function isKeyOf({ publicKey }: Certificate, key: PrivateKey): boolean {
  if (key.kind === 'rsa') return publicKey.modulus === key.modulus && publicKey.exponent === key.exponent;
  const algorithm = key.kind === 'ec' ? KEY_ALGORITHM.ecdsa : KEY_ALGORITHM.ed25519;
  const isOfKind = key.kind !== 'x25519' && publicKey.algorithm === algorithm;
  return isOfKind && publicKey.spki.subarray(-key.point.length).equals(key.point);
}
