import { BuiltinError } from '../builtin';
import { RegoObject } from '../../values/rego-object';
import { fromBigInt } from '../../values/number';
import type { RegoValue } from '../../values/value';
import { describeExtensions } from './certificate';
import { context, DerReader, oidOf, readBitString, readOid, rightAlign, sameOid, TAG } from './der';
import { readExtension, SUBJECT_ALT_NAME, type Extension } from './extensions';
import { describeNames, NO_NAMES, orNull, readAlternativeNames } from './general-names';
import { describeName, readLoosely, readName, readText } from './names';
import { readAlgorithm, readPublicKey } from './public-key';
import { signatureAlgorithmOf, UNKNOWN_SIGNATURE } from './signature-algorithms';
import { readTime } from './times';

const EXTENSION_REQUEST = oidOf('1.2.840.113549.1.9.14');
const INVALID = 'asn1: structure error';

/** A request for a certificate (RFC 2986): Go's JSON of an `x509.CertificateRequest`. */
export function describeRequest(der: Buffer): RegoObject {
  const file = new DerReader(der);
  const outer = file.element(TAG.sequence, INVALID);
  if (!file.isEmpty) throw new BuiltinError('asn1: syntax error: trailing data');
  const reader = new DerReader(outer.content);
  const info = reader.element(TAG.sequence, INVALID);
  const tbs = new DerReader(info.content);
  const version = tbs.count(INVALID);
  const subject = tbs.any(INVALID).whole;
  const publicKey = readPublicKey(tbs.element(TAG.sequence, INVALID).whole);
  const attributes = elementsOf(tbs.content(context(0, true), INVALID));
  const signatureAlgorithm = signatureAlgorithmOf(readAlgorithm(reader.content(TAG.sequence, INVALID)));
  const signature = rightAlign(reader.bitString(INVALID));
  const extensions = requestedExtensions(attributes);
  const names = extensions.filter(({ id }) => sameOid(id, SUBJECT_ALT_NAME)).map(({ value }) => value);
  return RegoObject.from({
    Raw: outer.whole.toString('base64'),
    RawTBSCertificateRequest: info.whole.toString('base64'),
    RawSubjectPublicKeyInfo: publicKey.spki.toString('base64'),
    RawSubject: subject.toString('base64'),
    Version: version,
    Signature: signature.toString('base64'),
    SignatureAlgorithm: signatureAlgorithm?.number ?? UNKNOWN_SIGNATURE,
    PublicKeyAlgorithm: publicKey.algorithm,
    PublicKey: publicKey.described ?? null,
    Subject: describeName(readName(subject, readAny)),
    Attributes: orNull(attributes.flatMap(describeAttribute)),
    Extensions: describeExtensions(extensions),
    ExtraExtensions: null,
    ...describeNames(names[0] === undefined ? NO_NAMES : readAlternativeNames(names[0])),
  });
}

function elementsOf(content: Buffer): Buffer[] {
  const reader = new DerReader(content);
  const elements: Buffer[] = [];
  while (!reader.isEmpty) elements.push(reader.any(INVALID).whole);
  return elements;
}

/** An attribute whose values are lists of types and values; any other is left out, as Go does. */
function describeAttribute(attribute: Buffer): RegoValue[] {
  return orNone(() => {
    const reader = new DerReader(attribute).inside(TAG.sequence, INVALID);
    const type = reader.oid(INVALID);
    const values = elementsOf(reader.content(TAG.set, INVALID)).map((value) =>
      elementsOf(new DerReader(value).content(TAG.sequence, INVALID)).map((pair) => {
        const inner = new DerReader(pair).inside(TAG.sequence, INVALID);
        const id = inner.oid(INVALID);
        const { tag, content } = inner.any(INVALID);
        return RegoObject.from({ Type: [...id], Value: readAny(tag, content) });
      }),
    );
    return [RegoObject.from({ Type: [...type], Value: values })];
  });
}

function requestedExtensions(attributes: readonly Buffer[]): Extension[] {
  const extensions = attributes.flatMap((attribute) => {
    const [first] = orNone(() => {
      const reader = new DerReader(attribute).inside(TAG.sequence, INVALID);
      const isRequest = sameOid(reader.oid(INVALID), EXTENSION_REQUEST);
      const values = elementsOf(reader.content(TAG.set, INVALID));
      return isRequest ? values : [];
    });
    if (first === undefined) return [];
    return elementsOf(new DerReader(first).content(TAG.sequence, INVALID)).map((extension) =>
      readExtension(new DerReader(extension).content(TAG.sequence, INVALID)),
    );
  });
  const names = new Set(extensions.map(({ id }) => id.join('.')));
  if (names.size < extensions.length) {
    throw new BuiltinError('x509: certificate request contains duplicate requested extensions');
  }
  return extensions;
}

function orNone<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof BuiltinError) return [];
    throw error;
  }
}

/** A value of any type as Go's `encoding/asn1` reads it into an `any`; null where it knows no type for it. */
function readAny(tag: number, content: Buffer): RegoValue {
  const header = content.length < 128 ? Buffer.from([tag, content.length]) : undefined;
  const reader = () => {
    if (!header) throw new BuiltinError(INVALID);
    return new DerReader(Buffer.concat([header, content]));
  };
  switch (tag) {
    case TAG.boolean:
      return reader().boolean(INVALID);
    case TAG.integer: {
      const value = reader().integer(INVALID);
      if (BigInt.asIntN(64, value) !== value) throw new BuiltinError(INVALID);
      return fromBigInt(value);
    }
    case TAG.bitString: {
      const { bytes, bitLength } = readBitString(content, INVALID);
      return RegoObject.from({ Bytes: bytes.toString('base64'), BitLength: bitLength });
    }
    case TAG.octetString:
      return content.toString('base64');
    case TAG.oid:
      return [...readOid(content, INVALID)];
    case TAG.utcTime:
    case TAG.generalizedTime:
      return readTime(reader()).text;
    case TAG.t61String:
      return readLoosely(content);
    case TAG.printableString:
    case TAG.numericString:
    case TAG.ia5String:
    case TAG.utf8String:
    case TAG.bmpString:
      return readText(tag, content);
    default:
      return null;
  }
}
