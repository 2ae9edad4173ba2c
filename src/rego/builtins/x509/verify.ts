import { constants, verify as verifySignature } from 'node:crypto';
import { BuiltinError } from '../builtin';
import { parseAddress } from '../ip-address';
import type { Certificate } from './certificate';
import { checkNameConstraints } from './check-name-constraints';
import { sameOid, toInteger } from './der';
import { SUBJECT_ALT_NAME } from './extensions';
import { arePoliciesValid } from './policies';
import { KEY_ALGORITHM, toKeyObject } from './public-key';
import type { Time } from './times';

export interface VerifyOptions {
  /** the name that the last certificate must hold; not checked where it is empty */
  dnsName: string;
  /** nanoseconds since the epoch, UTC */
  timeNs: bigint;
  /** Go's `x509.ExtKeyUsage`; one of them must hold for the whole chain */
  keyUsages: readonly number[];
}

const ANY_USAGE = 0;
const SERVER_AUTH = 1;
const MOST_SIGNATURE_CHECKS = 100;
const CERT_SIGN = 1 << 5;

class Unverified extends BuiltinError {}

/**
 * The first chain from the last certificate to the first one, as Go's `Certificate.Verify` finds it: the first is the root,
 * those between may be used.
 *
 * @returns undefined where there is none
 */
export function verifyChain(certificates: readonly Certificate[], options: VerifyOptions): Certificate[] | undefined {
  const [root, leaf] = [certificates[0], certificates.at(-1)];
  if (!root || !leaf || certificates.length < 2) return undefined;
  try {
    checkCertificate(leaf, [], options, false);
    if (options.dnsName !== '') checkHostname(leaf, options.dnsName);
    const chains = leaf.raw.equals(root.raw)
      ? [[leaf]]
      : new ChainBuilder(root, certificates.slice(1, -1), options).chainsFrom([leaf]);
    return chains.find((chain) => isChainValid(chain, options));
  } catch (error) {
    if (error instanceof Unverified) return undefined;
    throw error;
  }
}

function isChainValid(chain: Certificate[], { keyUsages }: VerifyOptions): boolean {
  if (!arePoliciesValid(chain)) return false;
  const usages = keyUsages.length > 0 ? keyUsages : [SERVER_AUTH];
  return (usages.includes(ANY_USAGE) || allowsUsage(chain, usages)) && checkNameConstraints(chain);
}

/** Whether one usage is left when each certificate, from the root on, has crossed out those that it does not list. */
function allowsUsage(chain: Certificate[], usages: readonly number[]): boolean {
  let left = usages;
  for (const { values } of chain.toReversed()) {
    const { extendedKeyUsage, unknownKeyUsage } = values;
    if (extendedKeyUsage.length + unknownKeyUsage.length === 0 || extendedKeyUsage.includes(ANY_USAGE)) continue;
    left = left.filter((usage) => extendedKeyUsage.includes(usage));
    if (left.length === 0) return false;
  }
  return true;
}

/** Go's `isValid` of a certificate that would follow `chain`. */
function checkCertificate(
  certificate: Certificate,
  chain: readonly Certificate[],
  { timeNs }: VerifyOptions,
  isIntermediate: boolean,
): void {
  const { values, notBefore, notAfter } = certificate;
  const child = chain.at(-1);
  const { basicConstraints } = values;
  const isBad =
    values.unhandledCritical.length > 0 ||
    (child && !child.rawIssuer.equals(certificate.rawSubject)) ||
    timeNs < nanoseconds(notBefore) ||
    timeNs > nanoseconds(notAfter) ||
    (isIntermediate && basicConstraints?.isCa !== true) ||
    (basicConstraints && basicConstraints.maxPathLength >= 0 && chain.length - 1 > basicConstraints.maxPathLength);
  if (isBad) throw new Unverified('x509: certificate is not valid here');
}

const nanoseconds = ({ epochMs }: Time) => BigInt(epochMs) * 1_000_000n;

class ChainBuilder {
  private checks = 0;

  constructor(
    private readonly root: Certificate,
    private readonly intermediates: readonly Certificate[],
    private readonly options: VerifyOptions,
  ) {}

  /** Go's `buildChains`, in its order. */
  chainsFrom(chain: Certificate[]): Certificate[][] {
    const chains: Certificate[][] = [];
    const last = chain.at(-1)!;
    for (const parent of parentsOf(last, [this.root])) {
      if (this.isPastLimit()) return chains;
      if (this.extends(chain, parent, false)) chains.push([...chain, parent]);
    }
    for (const parent of parentsOf(last, this.intermediates)) {
      if (this.isPastLimit()) return chains;
      if (this.extends(chain, parent, true)) chains.push(...this.chainsFrom([...chain, parent]));
    }
    return chains;
  }

  private isPastLimit(): boolean {
    return ++this.checks > MOST_SIGNATURE_CHECKS;
  }

  private extends(chain: Certificate[], parent: Certificate, isIntermediate: boolean): boolean {
    if (parent.publicKey.described === undefined || isInChain(parent, chain)) return false;
    if (!isSignedBy(chain.at(-1)!, parent)) return false;
    try {
      checkCertificate(parent, chain, this.options, isIntermediate);
      return true;
    } catch (error) {
      if (error instanceof Unverified) return false;
      throw error;
    }
  }
}

/** Those whose subject is the issuer, first where the key identifiers are the same, last where they differ. */
function parentsOf(child: Certificate, candidates: readonly Certificate[]): Certificate[] {
  const keyId = child.values.authorityKeyId ?? Buffer.of();
  const rank = ({ values }: Certificate) => {
    const own = values.subjectKeyId ?? Buffer.of();
    if (own.equals(keyId)) return 0;
    return (own.length === 0) === (keyId.length === 0) ? 2 : 1;
  };
  const named = candidates.filter(({ rawSubject }) => rawSubject.equals(child.rawIssuer));
  // a pool of Go holds a certificate once
  const unique = named.filter(({ raw }, index) => named.findIndex((other) => other.raw.equals(raw)) === index);
  return unique
    .map((certificate, index) => ({ certificate, order: rank(certificate) * named.length + index }))
    .sort((a, b) => a.order - b.order)
    .map(({ certificate }) => certificate);
}

/** By subject, key and alternative names, so that certificates that sign one another make no loop. */
function isInChain(candidate: Certificate, chain: readonly Certificate[]): boolean {
  const namesOf = ({ extensions }: Certificate) => extensions.find(({ id }) => sameOid(id, SUBJECT_ALT_NAME))?.value;
  const own = namesOf(candidate);
  for (const certificate of chain) {
    if (!candidate.rawSubject.equals(certificate.rawSubject)) continue;
    if (!candidate.publicKey.spki.equals(certificate.publicKey.spki)) continue;
    const names = namesOf(certificate);
    if (own === undefined || names === undefined) return own === names;
    if (own.equals(names)) return true;
  }
  return false;
}

/** Go's `CheckSignatureFrom`: MD5 and SHA-1 count as no signature. */
function isSignedBy({ signatureAlgorithm, signed, signature }: Certificate, parent: Certificate): boolean {
  const { basicConstraints, keyUsage } = parent.values;
  if (basicConstraints ? !basicConstraints.isCa : parent.version === 3) return false;
  if (keyUsage !== 0 && (keyUsage & CERT_SIGN) === 0) return false;
  const { algorithm, modulus, exponent } = parent.publicKey;
  if (!signatureAlgorithm || signatureAlgorithm.key !== algorithm || algorithm === KEY_ALGORITHM.dsa) return false;
  const { hash, isPss } = signatureAlgorithm;
  if (hash === 'md5' || hash === 'sha1') return false;
  if (modulus !== undefined && !isUsableRsa(modulus, exponent!)) return false;
  const padding = isPss
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  return verifySignature(hash, signed, { key: toKeyObject(parent.publicKey), ...padding }, signature);
}

const isUsableRsa = (modulus: bigint, exponent: bigint) =>
  modulus >= 1n << 1023n && modulus % 2n === 1n && exponent > 1n && exponent % 2n === 1n && exponent < 1n << 31n;

/** Go's `VerifyHostname`; the common name of the subject does not count. */
function checkHostname({ values }: Certificate, host: string): void {
  const names = values.names ?? { dns: [], addresses: [] };
  const address = parseAddress(/^\[.+\]$/s.test(host) ? host.slice(1, -1) : host);
  if (address) {
    const isListed = names.addresses.some((bytes) => toInteger(unmapped(bytes)) === unmappedValue(address));
    if (!isListed) throw new Unverified('x509: certificate is not valid for this address');
    return;
  }
  const name = lower(host);
  const isHost = isHostname(name.replace(/\.$/, ''), false);
  const parts = name.replace(/\.$/, '').split('.');
  const matches = names.dns.some((pattern) => {
    if (isHost && isHostname(pattern, true)) return matchesPattern(lower(pattern), parts);
    return pattern !== '' && pattern !== '.' && name !== '' && name !== '.' && lower(pattern) === name;
  });
  if (!matches) throw new Unverified('x509: certificate is not valid for this name');
}

const isMappedBytes = (bytes: Buffer) => bytes.length === 16 && toInteger(bytes) >> 32n === 0xffffn;
const unmapped = (bytes: Buffer) => (isMappedBytes(bytes) ? bytes.subarray(12) : bytes);
const unmappedValue = ({ version, value }: { version: number; value: bigint }) =>
  version === 6 && value >> 32n === 0xffffn ? BigInt.asUintN(32, value) : value;

const lower = (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

function isHostname(host: string, isPattern: boolean): boolean {
  if (host === '' || host === '*') return false;
  return host
    .split('.')
    .every((part, index) => (isPattern && index === 0 && part === '*') || /^[a-zA-Z0-9_][a-zA-Z0-9_-]*$/.test(part));
}

function matchesPattern(pattern: string, parts: readonly string[]): boolean {
  const patternParts = pattern.split('.');
  if (patternParts.length !== parts.length) return false;
  return patternParts.every((part, index) => (index === 0 && part === '*') || part === parts[index]);
}
