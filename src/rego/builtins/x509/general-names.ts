import { BuiltinError } from '../builtin';
import { formatUrl, parseUrl, type GoUrl } from '../go-url';
import { formatAddress } from '../ip-address';
import { RegoObject } from '../../values/rego-object';
import type { RegoValue } from '../../values/value';
import { DerReader, TAG, toInteger } from './der';
import { readIa5 } from './names';

/** The alternative names of a subject (RFC 5280, 4.2.1.6) of the types that Go reads. */
export interface AlternativeNames {
  dns: string[];
  emails: string[];
  /** 4 or 16 bytes each */
  addresses: Buffer[];
  uris: GoUrl[];
}

export const NO_NAMES: AlternativeNames = { dns: [], emails: [], addresses: [], uris: [] };

export function readAlternativeNames(value: Buffer): AlternativeNames {
  const names: AlternativeNames = { dns: [], emails: [], addresses: [], uris: [] };
  const reader = new DerReader(value).inside(TAG.sequence, 'x509: invalid subject alternative names');
  while (!reader.isEmpty) {
    const { tag, content } = reader.any('x509: invalid subject alternative name');
    switch (tag ^ 0x80) {
      case 1:
        names.emails.push(readIa5(content, 'x509: SAN rfc822Name is malformed'));
        break;
      case 2:
        names.dns.push(readIa5(content, 'x509: SAN dNSName is malformed'));
        break;
      case 6:
        names.uris.push(readUri(content));
        break;
      case 7:
        if (content.length !== 4 && content.length !== 16) throw new BuiltinError('x509: cannot parse IP address');
        names.addresses.push(content);
        break;
      default:
    }
  }
  return names;
}

function readUri(content: Buffer): GoUrl {
  const text = readIa5(content, 'x509: SAN uniformResourceIdentifier is malformed');
  const url = parseUrl(text);
  if (url.host !== '' && !isDomainName(url.host, false))
    throw new BuiltinError('x509: cannot parse URI: invalid domain');
  return url;
}

/** Go's `domainNameValid`; a constraint may begin with a dot. */
export function isDomainName(name: string, isConstraint: boolean): boolean {
  if (name === '') return true;
  if (name.endsWith('.')) return false;
  const plain = isConstraint && name.startsWith('.') ? name.slice(1) : name;
  // eslint-disable-next-line no-control-regex -- all that no name may hold
  if (/[\x00-\x20\x7f-\uffff]/.test(plain)) return false;
  return plain.split('.').every((label) => label !== '');
}

/** Go's JSON of the four lists; an empty one is null. */
export function describeNames({ dns, emails, addresses, uris }: AlternativeNames): Record<string, RegoValue> {
  return {
    DNSNames: orNull(dns),
    EmailAddresses: orNull(emails),
    IPAddresses: orNull(addresses.map(describeAddress)),
    URIs: orNull(uris.map(describeUrl)),
  };
}

export const orNull = (list: RegoValue[]): RegoValue => (list.length > 0 ? list : null);

/** The text of 4 or 16 bytes. */
export function describeAddress(bytes: Buffer): string {
  return formatAddress({ version: bytes.length === 4 ? 4 : 6, value: toInteger(bytes) });
}

function describeUrl(url: GoUrl): RegoObject {
  return RegoObject.from({
    Scheme: url.scheme,
    Opaque: url.opaque,
    // Go's type has no field that its JSON shows
    User: url.userInfo === undefined ? null : new RegoObject(),
    Host: url.host,
    Path: url.path,
    Fragment: url.fragment,
    RawQuery: url.rawQuery,
    RawPath: url.rawPath,
    RawFragment: url.rawFragment,
    ForceQuery: url.forceQuery,
    OmitHost: url.omitHost,
  });
}

/** What OPA adds to Go's JSON of a certificate. */
export const uriStrings = ({ uris }: AlternativeNames): RegoValue => orNull(uris.map(formatUrl));
