import { parseAddress } from '../ip-address';
import type { Certificate } from './certificate';
import { isDomainName, type AlternativeNames } from './general-names';
import { parseMailbox, type Mailbox } from './mailbox';
import type { AddressRange, NameConstraints, Subtrees } from './name-constraints';

/** The names of one certificate in the form that constraints compare. */
interface CheckedNames {
  dns: string[];
  addresses: Buffer[];
  emails: Mailbox[];
  hosts: string[];
}

/**
 * Whether the names of each certificate are within the constraints of those above it in the chain, as Go 1.26 checks them.
 *
 * @param chain the leaf first
 */
export function checkNameConstraints(chain: readonly Certificate[]): boolean {
  const constrained = chain.flatMap(({ values }, index) =>
    values.nameConstraints ? [{ index, constraints: values.nameConstraints }] : [],
  );
  for (const [index, { values }] of chain.entries()) {
    const above = constrained.filter((one) => one.index > index);
    if (!values.names || above.length === 0) continue;
    const names = toCheckedNames(values.names);
    if (!names || !above.every(({ constraints }) => areWithin(names, constraints))) return false;
  }
  return true;
}

/** undefined where a name cannot be compared, such as a URI without a host */
function toCheckedNames({ dns, addresses, emails, uris }: AlternativeNames): CheckedNames | undefined {
  const mailboxes = emails.map((email) => parseMailbox(email));
  const hosts = uris.map(({ host }) => hostOf(host));
  if (mailboxes.includes(undefined) || hosts.includes(undefined)) return undefined;
  const lowered = (mailboxes as Mailbox[]).map(({ local, domain }) => ({ local, domain: domain.toLowerCase() }));
  return { dns, addresses, emails: lowered, hosts: hosts as string[] };
}

function hostOf(written: string): string | undefined {
  let host = written.toLowerCase();
  if (host === '') return undefined;
  if (host.includes(':') && !host.endsWith(']')) {
    const [, name] =
      /^(?:\[([^[\]]*)\]|([^:[\]]*)):[^:[\]]*$/.exec(written)?.filter((part) => part !== undefined) ?? [];
    if (name === undefined) return undefined;
    host = name;
  }
  const isAddress = parseAddress(host) !== undefined || (host.startsWith('[') && host.endsWith(']'));
  return isAddress ? undefined : host;
}

function areWithin(names: CheckedNames, { permitted, excluded }: NameConstraints): boolean {
  const isAllowed = <K extends keyof Subtrees, V>(
    kind: K,
    values: readonly V[],
    matches: (subtrees: Subtrees[K], value: V, isPermitted: boolean) => boolean,
  ) =>
    values.every(
      (value) =>
        (permitted[kind].length === 0 || matches(permitted[kind], value, true)) &&
        (excluded[kind].length === 0 || !matches(excluded[kind], value, false)),
    );
  const areNames =
    names.dns.every((name) => isDomainName(name, false)) &&
    names.hosts.every((host) => isDomainName(host, false)) &&
    names.emails.every(({ domain }) => isDomainName(domain, false));
  return (
    areNames &&
    isAllowed('addresses', names.addresses, inRanges) &&
    isAllowed('dns', names.dns, inDomains) &&
    isAllowed('uris', names.hosts, inDomains) &&
    isAllowed('emails', names.emails, isMailboxIn)
  );
}

const inRanges = (ranges: readonly AddressRange[], address: Buffer) =>
  ranges.some(
    (range) =>
      range.address.length === address.length &&
      address.every((byte, index) => ((byte ^ range.address[index]!) & range.mask[index]!) === 0),
  );

/** A constraint holds for the domain and all below it; with a leading dot only for those below. */
function inDomains(domains: readonly string[], written: string, isPermitted: boolean): boolean {
  const name = written.toLowerCase();
  return domains.some((domain) => {
    const constraint = domain.toLowerCase();
    if (constraint === '') return true;
    if (name === constraint || name.endsWith(constraint.startsWith('.') ? constraint : `.${constraint}`)) return true;
    // a wildcard stands for the names that are excluded below it
    const dot = constraint.indexOf('.');
    return !isPermitted && name.startsWith('*') && dot >= 0 && withoutFirstLabel(name) === constraint.slice(dot);
  });
}

const withoutFirstLabel = (name: string) => (name.includes('.') ? name.slice(name.indexOf('.')) : '');

function isMailboxIn(constraints: readonly string[], { local, domain }: Mailbox, isPermitted: boolean): boolean {
  const domains = constraints.filter((constraint) => !constraint.includes('@'));
  const isExact = constraints.some((constraint) => {
    const mailbox = constraint.includes('@') ? parseMailbox(constraint) : undefined;
    return mailbox?.local === local && mailbox.domain.toLowerCase() === domain;
  });
  return isExact || (domains.length > 0 && inDomains(domains, domain, isPermitted));
}
