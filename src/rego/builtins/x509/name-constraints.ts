import { BuiltinError } from '../builtin';
import { parseAddress } from '../ip-address';
import { RegoObject } from '../../values/rego-object';
import type { RegoValue } from '../../values/value';
import { context, DerReader, TAG } from './der';
import { describeAddress, isDomainName, orNull } from './general-names';
import { parseMailbox } from './mailbox';
import { readIa5 } from './names';

/** 4 or 16 bytes of an address, and as many of its mask. */
export interface AddressRange {
  address: Buffer;
  mask: Buffer;
}

/** The subtrees that a certificate permits or excludes (RFC 5280, 4.2.1.10). */
export interface Subtrees {
  dns: string[];
  addresses: AddressRange[];
  emails: string[];
  uris: string[];
}

export interface NameConstraints {
  permitted: Subtrees;
  excluded: Subtrees;
  isCritical: boolean;
}

const INVALID = 'x509: invalid NameConstraints extension';

/** @returns isWhole, false where a subtree is of a type that Go does not read */
export function readNameConstraints(value: Buffer, isCritical: boolean): NameConstraints & { isWhole: boolean } {
  const outer = new DerReader(value);
  const inner = outer.inside(TAG.sequence, INVALID);
  const permitted = inner.optional(context(0, true), INVALID);
  const excluded = inner.optional(context(1, true), INVALID);
  if (!outer.isEmpty || !inner.isEmpty) throw new BuiltinError(INVALID);
  if (((permitted?.length ?? 0) || (excluded?.length ?? 0)) === 0) {
    throw new BuiltinError('x509: empty name constraints extension');
  }
  const [first, second] = [readSubtrees(permitted), readSubtrees(excluded)];
  return {
    permitted: first.subtrees,
    excluded: second.subtrees,
    isCritical,
    isWhole: first.isWhole && second.isWhole,
  };
}

function readSubtrees(content: Buffer = Buffer.of()): { subtrees: Subtrees; isWhole: boolean } {
  const subtrees: Subtrees = { dns: [], addresses: [], emails: [], uris: [] };
  let isWhole = true;
  const reader = new DerReader(content);
  while (!reader.isEmpty) {
    const { tag, content: base } = reader.inside(TAG.sequence, INVALID).any(INVALID);
    const text = () => readIa5(base, 'x509: invalid constraint value');
    if (tag === context(1)) subtrees.emails.push(checked(text(), isEmailConstraint, 'rfc822Name'));
    else if (tag === context(2)) subtrees.dns.push(checked(text(), (name) => isDomainName(name, true), 'dnsName'));
    else if (tag === context(6)) subtrees.uris.push(checked(text(), isUriConstraint, 'URI'));
    else if (tag === context(7)) subtrees.addresses.push(readRange(base));
    else isWhole = false;
  }
  return { subtrees, isWhole };
}

function checked(text: string, isValid: (text: string) => boolean, type: string): string {
  if (!isValid(text)) throw new BuiltinError(`x509: failed to parse ${type} constraint ${JSON.stringify(text)}`);
  return text;
}

const isEmailConstraint = (text: string) =>
  text.includes('@') ? parseMailbox(text) !== undefined : isDomainName(text, true);
const isUriConstraint = (text: string) => parseAddress(text) === undefined && isDomainName(text, true);

function readRange(bytes: Buffer): AddressRange {
  if (bytes.length !== 8 && bytes.length !== 32) throw new BuiltinError('x509: IP constraint of a wrong length');
  const [address, mask] = [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)];
  const bits = Array.from(mask, (byte) => byte.toString(2).padStart(8, '0')).join('');
  if (!/^1*0*$/.test(bits)) throw new BuiltinError('x509: IP constraint contained invalid mask');
  return { address, mask };
}

/** Go's JSON of the constraints; an empty list is null. */
export function describeConstraints(constraints: NameConstraints | undefined): Record<string, RegoValue> {
  const { permitted, excluded, isCritical } = constraints ?? { isCritical: false };
  const range = ({ address, mask }: AddressRange) =>
    RegoObject.from({ IP: describeAddress(address), Mask: mask.toString('base64') });
  return {
    PermittedDNSDomainsCritical: isCritical,
    PermittedDNSDomains: orNull(permitted?.dns ?? []),
    ExcludedDNSDomains: orNull(excluded?.dns ?? []),
    PermittedIPRanges: orNull((permitted?.addresses ?? []).map(range)),
    ExcludedIPRanges: orNull((excluded?.addresses ?? []).map(range)),
    PermittedEmailAddresses: orNull(permitted?.emails ?? []),
    ExcludedEmailAddresses: orNull(excluded?.emails ?? []),
    PermittedURIDomains: orNull(permitted?.uris ?? []),
    ExcludedURIDomains: orNull(excluded?.uris ?? []),
  };
}
