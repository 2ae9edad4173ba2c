/** An address of IPv4 or IPv6 as a number. */
export interface Address {
  version: 4 | 6;
  value: bigint;
}

/** Go's `net.ParseIP`, without zones. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) {
    const value = parseDotted(text);
    return value === undefined ? undefined : { version: 4, value };
  }
  const dotted = /^(.*:)([^:]*\.[^:]*)$/.exec(text);
  let hex = text;
  if (dotted) {
    const value = parseDotted(dotted[2]!);
    if (value === undefined) return undefined;
    hex = `${dotted[1]}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  }
  const halves = hex.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const groups = [...head!, ...(tail ?? [])];
  const missing = 8 - groups.length;
  if (tail ? missing < 1 : missing !== 0) return undefined;
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const all = [...head!, ...Array<string>(tail ? missing : 0).fill('0'), ...(tail ?? [])];
  return { version: 6, value: all.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n) };
}

function parseDotted(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

/** Whether an address of IPv6 stands for one of IPv4: `::ffff:10.0.0.1`. */
export const isMapped = ({ version, value }: Address) => version === 6 && value >> 32n === 0xffffn;

/** Go's `net.IP.String`. */
export function formatAddress(address: Address): string {
  const { version, value } = address;
  if (version === 4 || isMapped(address)) return [24n, 16n, 8n, 0n].map((by) => (value >> by) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  // the longest run of at least two zeroes, the first of several, is left out (RFC 5952)
  let [runStart, runLength] = [-1, 1];
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === '0') length++;
    if (length > runLength) [runStart, runLength] = [start, length];
  }
  if (runStart < 0) return groups.join(':');
  return `${groups.slice(0, runStart).join(':')}::${groups.slice(runStart + runLength).join(':')}`;
}
