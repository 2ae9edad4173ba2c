import { BuiltinError, type Builtins } from './builtin';
import { formatAddress, isMapped, parseAddress, type Address } from './ip-address';
import { itemsOf, stringAt } from './operands';
import { RegoSet } from '../values/rego-set';
import { isObject, isSet, type RegoValue } from '../values/value';

export const netBuiltins: Builtins = {
  'net.cidr_contains': (operands) => contains(stringAt(operands, 0), stringAt(operands, 1)),
  /** the name that it had once */
  'net.cidr_overlap': (operands) => contains(stringAt(operands, 0), stringAt(operands, 1)),
  'net.cidr_intersects': (operands) => {
    const [a, b] = [cidrOf(stringAt(operands, 0)), cidrOf(stringAt(operands, 1))].map(asIpv4) as [Network, Network];
    const [[firstA, lastA], [firstB, lastB]] = [range(a), range(b)];
    return a.version === b.version && firstA <= lastB && firstB <= lastA;
  },
  'net.cidr_is_valid': ([cidr]) => typeof cidr === 'string' && parseCidr(cidr) !== undefined,
  'net.cidr_expand': (operands, { budget }) => {
    const network = cidrOf(stringAt(operands, 0));
    const [first, last] = range(network);
    budget.elements(last - first + 1n);
    const addresses: string[] = [];
    for (let value = first; value <= last; value++) addresses.push(formatAddress({ ...network, value }));
    return new RegoSet(addresses);
  },
  'net.cidr_contains_matches': (operands) => {
    const inner = candidates(operands, 1);
    return new RegoSet(
      candidates(operands, 0).flatMap(([outerCidr, outerKey]) =>
        inner.filter(([cidr]) => contains(outerCidr, cidr)).map(([, key]) => [outerKey, key]),
      ),
    );
  },
  'net.cidr_merge': (operands) => {
    const items = itemsOf(operands[0]!);
    if (!items) throw new BuiltinError('operand must be an array');
    const networks = items.map((item) => {
      if (typeof item !== 'string') throw new BuiltinError('element must be string');
      return networkOf(item);
    });
    return new RegoSet([4, 6].flatMap((version) => merge(networks.filter((network) => network.version === version))));
  },
};

interface Network extends Address {
  prefix: number;
}

const bitsOf = ({ version }: Address) => (version === 4 ? 32 : 128);

function range(network: Network): [first: bigint, last: bigint] {
  const size = 1n << BigInt(bitsOf(network) - network.prefix);
  const first = network.value - (network.value % size);
  return [first, first + size - 1n];
}

function parseCidr(text: string): Network | undefined {
  const [, addressText, prefixText] = /^([^/]+)\/(\d{1,4})$/.exec(text) ?? [];
  const address = addressText === undefined ? undefined : parseAddress(addressText);
  if (!address) return undefined;
  const network = { ...address, prefix: Number(prefixText) };
  return network.prefix > bitsOf(network) ? undefined : network;
}

function cidrOf(text: string): Network {
  const network = parseCidr(text);
  if (network) return network;
  throw new BuiltinError(`invalid CIDR address: ${text}`);
}

/** An IPv4 address without a prefix has the one of its class, as Go's `IP.DefaultMask` has it. */
function networkOf(text: string): Network {
  const address = parseAddress(text);
  if (!address) {
    const network = cidrOf(text);
    return { ...network, value: range(network)[0] };
  }
  if (address.version === 6) throw new BuiltinError('IPv6 invalid: needs prefix length');
  const first = Number(address.value >> 24n);
  return { ...address, prefix: first < 128 ? 8 : first < 192 ? 16 : 24 };
}

function contains(outer: string, inner: string): boolean {
  const network = asIpv4(cidrOf(outer));
  const [first, last] = range(network);
  const address = parseAddress(inner);
  const other = asIpv4(address ? { ...address, prefix: bitsOf(address) } : cidrOf(inner));
  const [otherFirst, otherLast] = range(other);
  return other.version === network.version && otherFirst >= first && otherLast <= last;
}

/** Go takes an IPv4 address in IPv6's form for one of IPv4, and a network of such addresses too. */
function asIpv4(network: Network): Network {
  const [first] = range(network);
  if (!isMapped({ ...network, value: first })) return network;
  return { version: 4, value: network.value & 0xffff_ffffn, prefix: network.prefix - 96 };
}

/** CIDRs with what names them in the answer: an index, a key, or the element itself. */
function candidates(operands: readonly RegoValue[], index: number): [cidr: string, key: RegoValue][] {
  const operand = operands[index]!;
  if (typeof operand === 'string') return [[operand, operand]];
  if (Array.isArray(operand)) return operand.map((item, at) => [cidrText(item), at]);
  if (isSet(operand)) return operand.items.map((item) => [cidrText(item), item]);
  if (isObject(operand)) return operand.entries.map(([key, item]) => [cidrText(item), key]);
  return [];
}

function cidrText(item: RegoValue): string {
  const cidr = Array.isArray(item) ? item[0] : item;
  if (typeof cidr === 'string') return cidr;
  throw new BuiltinError('element must be string or non-empty array');
}

function merge(networks: Network[]): string[] {
  const ranges = networks
    .map((network) => ({ network: network as Network | undefined, first: range(network)[0], last: range(network)[1] }))
    .sort((a, b) => compareBig(a.last, b.last) || compareBig(a.first, b.first));
  for (let i = ranges.length - 1; i > 0; i--) {
    const [lower, upper] = [ranges[i - 1]!, ranges[i]!];
    if (upper.first - 1n > lower.last) continue;
    const first = lower.first < upper.first ? lower.first : upper.first;
    ranges.splice(i - 1, 2, { network: undefined, first, last: upper.last });
  }
  const version = networks[0]?.version ?? 4;
  return ranges.flatMap(({ network, first, last }) =>
    (network ? [network] : cover(version, first, last)).map(formatCidr),
  );
}

/** The fewest networks that hold exactly the addresses from `first` to `last`. */
function cover(version: 4 | 6, first: bigint, last: bigint): Network[] {
  const networks: Network[] = [];
  const bits = bitsOf({ version, value: 0n });
  for (let value = first; value <= last;) {
    let hostBits = 0;
    while (hostBits < bits) {
      const size = 1n << BigInt(hostBits + 1);
      if (value % size !== 0n || value + size - 1n > last) break;
      hostBits++;
    }
    networks.push({ version, value, prefix: bits - hostBits });
    value += 1n << BigInt(hostBits);
  }
  return networks;
}

const compareBig = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
/** An IPv4 address in IPv6's form prints as IPv4, and so its prefix too. */
function formatCidr(network: Network): string {
  const prefix = isMapped(network) ? network.prefix - 96 : network.prefix;
  return `${formatAddress(network)}/${prefix}`;
}
