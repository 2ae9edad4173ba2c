import { BuiltinError } from '../builtin';
import { base128Parts, context, DerReader, oidOf, sameOid, TAG, type Oid } from './der';
import { readAlternativeNames, type AlternativeNames } from './general-names';
import { readNameConstraints, type NameConstraints } from './name-constraints';
import { readLoosely } from './names';

export interface Extension {
  id: Oid;
  critical: boolean;
  value: Buffer;
}

/** What the extensions of a certificate say (RFC 5280, 4.2), as far as Go reads them. */
export interface ExtensionValues {
  keyUsage: number;
  basicConstraints?: { isCa: boolean; maxPathLength: number };
  names?: AlternativeNames;
  nameConstraints?: NameConstraints;
  crlDistributionPoints: string[];
  authorityKeyId?: Buffer;
  subjectKeyId?: Buffer;
  requireExplicitPolicy?: number;
  inhibitPolicyMapping?: number;
  inhibitAnyPolicy?: number;
  extendedKeyUsage: number[];
  unknownKeyUsage: Oid[];
  /** the content of each identifier, as hexadecimal digits; undefined without the extension */
  policies?: string[];
  policyMappings: [issuer: string, subject: string][];
  ocspServers: string[];
  issuers: string[];
  unhandledCritical: Oid[];
}

const AUTHORITY_INFO = oidOf('1.3.6.1.5.5.7.1.1');
const OCSP = oidOf('1.3.6.1.5.5.7.48.1');
const ISSUERS = oidOf('1.3.6.1.5.5.7.48.2');
export const SUBJECT_ALT_NAME = oidOf('2.5.29.17');

/** Go's `x509.ExtKeyUsage` by the place in this list. */
const KEY_USAGES: readonly Oid[] = [
  oidOf('2.5.29.37.0'),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((last) => oidOf(`1.3.6.1.5.5.7.3.${last}`)),
  oidOf('1.3.6.1.4.1.311.10.3.3'),
  oidOf('2.16.840.1.113730.4.1'),
  oidOf('1.3.6.1.4.1.311.2.1.22'),
  oidOf('1.3.6.1.4.1.311.61.1.1'),
];

export function readExtension(content: Buffer): Extension {
  const reader = new DerReader(content);
  const id = reader.oid('x509: malformed extension OID field');
  const critical = reader.peeks(TAG.boolean) && reader.boolean('x509: malformed extension critical field');
  return { id, critical, value: reader.content(TAG.octetString, 'x509: malformed extension value field') };
}

/** @throws BuiltinError where an extension comes twice or one that Go knows is malformed */
export function readExtensions(extensions: readonly Extension[]): ExtensionValues {
  const values: ExtensionValues = {
    keyUsage: 0,
    crlDistributionPoints: [],
    extendedKeyUsage: [],
    unknownKeyUsage: [],
    policyMappings: [],
    ocspServers: [],
    issuers: [],
    unhandledCritical: [],
  };
  for (const extension of extensions) {
    const isHandled = readOne(extension, values);
    if (extension.critical && !isHandled) values.unhandledCritical.push(extension.id);
  }
  return values;
}

/** @returns whether all of it was understood */
function readOne(extension: Extension, values: ExtensionValues): boolean {
  const { id, value } = extension;
  const [a, b, c, last] = id;
  if (sameOid(id, AUTHORITY_INFO)) {
    notCritical(extension, 'authority info access');
    readAuthorityInfo(value, values);
    return true;
  }
  if (id.length !== 4 || a !== 2 || b !== 5 || c !== 29) return false;
  const reader = new DerReader(value);
  switch (last) {
    case 14:
      notCritical(extension, 'subject key identifier');
      values.subjectKeyId = reader.content(TAG.octetString, 'x509: invalid subject key identifier');
      return true;
    case 15:
      values.keyUsage = readKeyUsage(reader);
      return true;
    case 17: {
      const names = readAlternativeNames(value);
      values.names = names;
      return Object.values(names).some((list: unknown[]) => list.length > 0);
    }
    case 19:
      values.basicConstraints = readBasicConstraints(reader);
      return true;
    case 30: {
      const { isWhole, ...constraints } = readNameConstraints(value, extension.critical);
      values.nameConstraints = constraints;
      return isWhole;
    }
    case 31:
      values.crlDistributionPoints = readDistributionPoints(reader);
      return true;
    case 32:
      values.policies = readPolicies(reader);
      return true;
    case 33:
      values.policyMappings = readPolicyMappings(reader);
      return true;
    case 35:
      notCritical(extension, 'authority key identifier');
      values.authorityKeyId = reader
        .inside(TAG.sequence, 'x509: invalid authority key identifier')
        .optional(context(0), 'x509: invalid authority key identifier');
      return true;
    case 36:
      readPolicyConstraints(reader, values);
      return true;
    case 37:
      readExtendedKeyUsage(reader, values);
      return true;
    case 54:
      values.inhibitAnyPolicy = reader.count('x509: invalid inhibit any policy extension');
      return true;
    default:
      return false;
  }
}

function notCritical({ critical }: Extension, name: string): void {
  if (critical) throw new BuiltinError(`x509: ${name} incorrectly marked critical`);
}

function readKeyUsage(reader: DerReader): number {
  const { bytes, bitLength } = reader.bitString('x509: invalid key usage');
  let usage = 0;
  for (let bit = 0; bit < Math.min(9, bitLength); bit++) {
    if ((bytes[bit >> 3]! & (0x80 >> (bit & 7))) !== 0) usage |= 1 << bit;
  }
  return usage;
}

function readBasicConstraints(reader: DerReader): ExtensionValues['basicConstraints'] {
  const what = 'x509: invalid basic constraints';
  const inner = reader.inside(TAG.sequence, what);
  const isCa = inner.peeks(TAG.boolean) && inner.boolean(what);
  const hasLength = inner.peeks(TAG.integer);
  const maxPathLength = hasLength ? inner.count(what) : -1;
  if (hasLength && maxPathLength < 0) throw new BuiltinError(what);
  return { isCa, maxPathLength };
}

function readDistributionPoints(reader: DerReader): string[] {
  const what = 'x509: invalid CRL distribution point';
  const points = reader.inside(TAG.sequence, `${what}s`);
  const found: string[] = [];
  while (!points.isEmpty) {
    const name = points.inside(TAG.sequence, what).optional(context(0, true), what);
    if (name === undefined) continue;
    const full = new DerReader(name).inside(context(0, true), what);
    while (full.peeks(context(6))) found.push(readLoosely(full.content(context(6), what)));
  }
  return found;
}

function readPolicies(reader: DerReader): string[] {
  const what = 'x509: invalid certificate policies';
  const policies = reader.inside(TAG.sequence, what);
  const seen = new Set<string>();
  while (!policies.isEmpty) {
    const id = policies.inside(TAG.sequence, what).content(TAG.oid, what);
    const hex = id.toString('hex');
    if (seen.has(hex) || !base128Parts(id)) throw new BuiltinError(what);
    seen.add(hex);
  }
  return [...seen];
}

function readPolicyMappings(reader: DerReader): [string, string][] {
  const what = 'x509: invalid policy mappings extension';
  const mappings = reader.inside(TAG.sequence, what);
  const found: [string, string][] = [];
  while (!mappings.isEmpty) {
    const pair = mappings.inside(TAG.sequence, what);
    const [issuer, subject] = [pair.content(TAG.oid, what), pair.content(TAG.oid, what)];
    found.push([issuer.toString('hex'), subject.toString('hex')]);
  }
  return found;
}

function readPolicyConstraints(reader: DerReader, values: ExtensionValues): void {
  const what = 'x509: invalid policy constraints extension';
  const inner = reader.inside(TAG.sequence, what);
  if (inner.peeks(context(0))) values.requireExplicitPolicy = inner.count(what, context(0));
  if (inner.peeks(context(1))) values.inhibitPolicyMapping = inner.count(what, context(1));
}

function readExtendedKeyUsage(reader: DerReader, values: ExtensionValues): void {
  const what = 'x509: invalid extended key usages';
  const usages = reader.inside(TAG.sequence, what);
  while (!usages.isEmpty) {
    const id = usages.oid(what);
    const known = KEY_USAGES.findIndex((usage) => sameOid(usage, id));
    if (known >= 0) values.extendedKeyUsage.push(known);
    else values.unknownKeyUsage.push(id);
  }
}

function readAuthorityInfo(value: Buffer, values: ExtensionValues): void {
  const what = 'x509: invalid authority info access';
  const descriptions = new DerReader(value).inside(TAG.sequence, what);
  while (!descriptions.isEmpty) {
    const description = descriptions.inside(TAG.sequence, what);
    const method = description.oid(what);
    const uri = description.optional(context(6), what);
    if (uri === undefined) continue;
    if (sameOid(method, OCSP)) values.ocspServers.push(readLoosely(uri));
    if (sameOid(method, ISSUERS)) values.issuers.push(readLoosely(uri));
  }
}
