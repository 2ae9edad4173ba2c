import { BuiltinError } from '../builtin';
import { fromBigInt } from '../../values/number';
import { RegoObject } from '../../values/rego-object';
import type { RegoValue } from '../../values/value';
import { looseParts, context, DerReader, rightAlign, TAG } from './der';
import { readExtension, readExtensions, type Extension, type ExtensionValues } from './extensions';
import { describeNames, NO_NAMES, orNull, uriStrings } from './general-names';
import { describeConstraints } from './name-constraints';
import { describeName, readName, type Attribute } from './names';
import { readAlgorithm, readPublicKey, type PublicKey } from './public-key';
import { signatureAlgorithmOf, UNKNOWN_SIGNATURE, type SignatureAlgorithm } from './signature-algorithms';
import { readTime, type Time } from './times';

/** A certificate (RFC 5280), as far as Go's `crypto/x509` reads it. */
export interface Certificate {
  raw: Buffer;
  signed: Buffer;
  version: number;
  serialNumber: bigint;
  signatureAlgorithm?: SignatureAlgorithm;
  signature: Buffer;
  rawIssuer: Buffer;
  issuer: Attribute[];
  notBefore: Time;
  notAfter: Time;
  rawSubject: Buffer;
  subject: Attribute[];
  publicKey: PublicKey;
  extensions: Extension[];
  values: ExtensionValues;
}

/**
 * One certificate at the beginning of the bytes; more may follow it.
 *
 * @throws BuiltinError where Go refuses it
 */
export function readCertificate(der: Buffer): Certificate {
  const outer = new DerReader(der).element(TAG.sequence, 'x509: malformed certificate');
  const reader = new DerReader(outer.content);
  const signed = reader.element(TAG.sequence, 'x509: malformed tbs certificate');
  const tbs = new DerReader(signed.content);
  const version = readVersion(tbs);
  const serialNumber = tbs.integer('x509: malformed serial number');
  if (serialNumber < 0n) throw new BuiltinError('x509: negative serial number');
  const inner = tbs.content(TAG.sequence, 'x509: malformed signature algorithm identifier');
  if (!inner.equals(reader.content(TAG.sequence, 'x509: malformed algorithm identifier'))) {
    throw new BuiltinError("x509: inner and outer signature algorithm identifiers don't match");
  }
  const signatureAlgorithm = signatureAlgorithmOf(readAlgorithm(inner));
  const rawIssuer = tbs.element(TAG.sequence, 'x509: malformed issuer').whole;
  const issuer = readName(rawIssuer);
  const validity = tbs.inside(TAG.sequence, 'x509: malformed validity');
  const [notBefore, notAfter] = [readTime(validity), readTime(validity)];
  const rawSubject = tbs.element(TAG.sequence, 'x509: malformed issuer').whole;
  const subject = readName(rawSubject);
  const publicKey = readPublicKey(tbs.element(TAG.sequence, 'x509: malformed spki').whole);
  const extensions = version > 1 ? readExtensionList(tbs, version) : [];
  const values = readExtensions(extensions);
  const signature = rightAlign(reader.bitString('x509: malformed signature'));
  return {
    ...{ raw: outer.whole, signed: signed.whole, version, serialNumber, signatureAlgorithm, signature },
    ...{ rawIssuer, issuer, notBefore, notAfter, rawSubject, subject, publicKey, extensions, values },
  };
}

/** Certificates one after another, with nothing between them. */
export function readCertificates(der: Buffer): Certificate[] {
  const certificates: Certificate[] = [];
  for (let rest = der; rest.length > 0;) {
    const certificate = readCertificate(rest);
    certificates.push(certificate);
    rest = rest.subarray(certificate.raw.length);
  }
  return certificates;
}

/** counted from 1 */
function readVersion(tbs: DerReader): number {
  const field = tbs.optional(context(0, true), 'x509: malformed version');
  if (field === undefined) return 1;
  const reader = new DerReader(field);
  const version = reader.count('x509: malformed version') + 1;
  if (!reader.isEmpty || version < 1 || version > 3) throw new BuiltinError('x509: invalid version');
  return version;
}

function readExtensionList(tbs: DerReader, version: number): Extension[] {
  tbs.optional(context(1), 'x509: malformed issuerUniqueID');
  tbs.optional(context(2), 'x509: malformed subjectUniqueID');
  const field = version === 3 ? tbs.optional(context(3, true), 'x509: malformed extensions') : undefined;
  if (field === undefined) return [];
  const reader = new DerReader(field).inside(TAG.sequence, 'x509: malformed extensions');
  const extensions: Extension[] = [];
  const seen = new Set<string>();
  while (!reader.isEmpty) {
    const extension = readExtension(reader.content(TAG.sequence, 'x509: malformed extension'));
    const name = extension.id.join('.');
    if (seen.has(name)) throw new BuiltinError(`x509: certificate contains duplicate extension with OID "${name}"`);
    seen.add(name);
    extensions.push(extension);
  }
  return extensions;
}

const base64 = (bytes: Buffer | undefined) => bytes?.toString('base64') ?? null;

export const describeExtensions = (extensions: readonly Extension[]): RegoValue =>
  orNull(
    extensions.map(({ id, critical, value }) =>
      RegoObject.from({ Id: [...id], Critical: critical, Value: value.toString('base64') }),
    ),
  );

/** Go's JSON of an `x509.Certificate`. */
export function describeCertificate(certificate: Certificate): RegoObject {
  const { publicKey, values } = certificate;
  const { basicConstraints, policies } = values;
  return RegoObject.from({
    Raw: base64(certificate.raw),
    RawTBSCertificate: base64(certificate.signed),
    RawSubjectPublicKeyInfo: base64(publicKey.spki),
    RawSubject: base64(certificate.rawSubject),
    RawIssuer: base64(certificate.rawIssuer),
    Signature: base64(certificate.signature),
    SignatureAlgorithm: certificate.signatureAlgorithm?.number ?? UNKNOWN_SIGNATURE,
    PublicKeyAlgorithm: publicKey.algorithm,
    PublicKey: publicKey.described ?? null,
    Version: certificate.version,
    SerialNumber: fromBigInt(certificate.serialNumber),
    Issuer: describeName(certificate.issuer),
    Subject: describeName(certificate.subject),
    NotBefore: certificate.notBefore.text,
    NotAfter: certificate.notAfter.text,
    KeyUsage: values.keyUsage,
    Extensions: describeExtensions(certificate.extensions),
    ExtraExtensions: null,
    UnhandledCriticalExtensions: orNull(values.unhandledCritical.map((id) => [...id])),
    ExtKeyUsage: orNull(values.extendedKeyUsage),
    UnknownExtKeyUsage: orNull(values.unknownKeyUsage.map((id) => [...id])),
    BasicConstraintsValid: basicConstraints !== undefined,
    IsCA: basicConstraints?.isCa ?? false,
    MaxPathLen: basicConstraints?.maxPathLength ?? 0,
    MaxPathLenZero: basicConstraints?.maxPathLength === 0,
    SubjectKeyId: base64(values.subjectKeyId),
    AuthorityKeyId: base64(values.authorityKeyId),
    OCSPServer: orNull(values.ocspServers),
    IssuingCertificateURL: orNull(values.issuers),
    ...describeNames(values.names ?? NO_NAMES),
    ...describeConstraints(values.nameConstraints),
    CRLDistributionPoints: orNull(values.crlDistributionPoints),
    PolicyIdentifiers: policies === undefined ? null : policies.flatMap(smallParts),
    Policies: orNull((policies ?? []).map(dotted)),
    PolicyMappings: orNull(
      values.policyMappings.map(([issuer, subject]) =>
        RegoObject.from({ IssuerDomainPolicy: dotted(issuer), SubjectDomainPolicy: dotted(subject) }),
      ),
    ),
    ...countAndZero('InhibitAnyPolicy', values.inhibitAnyPolicy),
    ...countAndZero('InhibitPolicyMapping', values.inhibitPolicyMapping),
    ...countAndZero('RequireExplicitPolicy', values.requireExplicitPolicy),
  });
}

/** As OPA's `crypto.x509.parse_certificates` answers: with the URIs as texts besides. */
export function describeWithUris(certificate: Certificate): RegoObject {
  return describeCertificate(certificate).set('URIStrings', uriStrings(certificate.values.names ?? NO_NAMES));
}

const countAndZero = (name: string, count: number | undefined): Record<string, RegoValue> => ({
  [name]: count ?? 0,
  [`${name}Zero`]: count === 0,
});

/** The numbers of an identifier in hexadecimal digits, as they are written with dots. */
function oidParts(hex: string): bigint[] {
  const [first, ...rest] = looseParts(Buffer.from(hex, 'hex'));
  if (first === undefined) return [];
  return first < 80n ? [first / 40n, first % 40n, ...rest] : [2n, first - 80n, ...rest];
}

const dotted = (hex: string) => oidParts(hex).join('.');

/** One list, or none where a number is beyond 31 bits. */
function smallParts(hex: string): RegoValue[][] {
  const parts = oidParts(hex);
  return parts.every((part) => part < 2n ** 31n) ? [parts.map(Number)] : [];
}
