import type { Builtins } from './builtin';
import { stringAt } from './operands';
import { fromBigInt } from '../values/number';
import { RegoObject } from '../values/rego-object';
import type { RegoValue } from '../values/value';

/** 100 ns steps from the start of the Gregorian calendar to the epoch. */
const GREGORIAN_STEPS = 122192928000000000n;
const DOMAINS = ['Person', 'Group', 'Org'];

/** `uuid.rfc4122` makes random ones and is not here. */
export const uuidBuiltins: Builtins = {
  'uuid.parse': (operands) => {
    const hex = toHex(stringAt(operands, 0));
    return hex === undefined ? undefined : RegoObject.from(describe(Buffer.from(hex, 'hex')));
  },
};

/** Plain, in braces (whatever they are), as a URN, or without dashes. */
function toHex(text: string): string | undefined {
  let plain = text;
  if (text.length === 45 && text.slice(0, 9).toLowerCase() === 'urn:uuid:') plain = text.slice(9);
  if (text.length === 38) plain = text.slice(1, -1);
  const isDashed = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(plain);
  if (!isDashed && !/^[0-9a-f]{32}$/i.test(text)) return undefined;
  return plain.replaceAll('-', '');
}

function describe(bytes: Buffer): Record<string, RegoValue> {
  const version = bytes[6]! >> 4;
  const common = { version, variant: variantOf(bytes[8]!) };
  if (version !== 1 && version !== 2) return common;
  const low = BigInt(bytes.readUInt32BE(0));
  const steps = (BigInt(bytes.readUInt16BE(6) & 0xfff) << 48n) | (BigInt(bytes.readUInt16BE(4)) << 32n) | low;
  const node = [...bytes.subarray(10)];
  // before 1678 the nanoseconds do not fit; OPA lets them wrap around, and so do we
  const details = {
    ...common,
    time: fromBigInt(BigInt.asIntN(64, (steps - GREGORIAN_STEPS) * 100n)),
    nodeid: node.map((byte) => byte.toString(16).padStart(2, '0')).join('-'),
    macvariables: `${node[0]! & 2 ? 'local' : 'global'}:${node[0]! & 1 ? 'multicast' : 'unicast'}`,
    clocksequence: bytes.readUInt16BE(8) & 0x3fff,
  };
  if (version === 1) return details;
  const domain = bytes[9]!;
  return { ...details, id: fromBigInt(low), domain: DOMAINS[domain] ?? `Domain${domain}` };
}

function variantOf(byte: number): string {
  if ((byte & 0xc0) === 0x80) return 'RFC4122';
  if ((byte & 0xe0) === 0xc0) return 'Microsoft';
  return (byte & 0xe0) === 0xe0 ? 'Future' : 'Reserved';
}
