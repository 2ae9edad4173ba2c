import { BuiltinError, type Builtins } from './builtin';
import { stringAt } from './operands';

/**
 * OPA's own reading of versions, which the semver library does not share: a leading `v` is taken off, numbers go to
 * 2^63 - 1, and build metadata may hold empty parts (`1.0.0+a..b`).
 */
export const semverBuiltins: Builtins = {
  'semver.is_valid': ([version]) => typeof version === 'string' && parse(version) !== undefined,
  'semver.compare': (operands) => compare(versionAt(operands, 0), versionAt(operands, 1)),
};

interface Version {
  numbers: bigint[];
  preRelease: string[];
}

const CORE = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/;
const IDENTIFIERS = /^[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*$/;
const LARGEST = 2n ** 63n - 1n;

function versionAt(operands: Parameters<typeof stringAt>[0], index: number): Version {
  const text = stringAt(operands, index);
  const version = parse(text);
  if (version) return version;
  throw new BuiltinError(`operand ${index + 1}: string ${text} is not a valid SemVer`);
}

function parse(text: string): Version | undefined {
  const [withoutMetadata, metadata] = cut(text.replace(/^v/, ''), '+');
  if (metadata !== undefined && !IDENTIFIERS.test(metadata)) return undefined;
  const [core, preRelease] = cut(withoutMetadata, '-');
  const parts = preRelease?.split('.') ?? [];
  if (preRelease !== undefined && !IDENTIFIERS.test(preRelease)) return undefined;
  if (parts.some((part) => /^0\d+$/.test(part))) return undefined;
  const numbers = CORE.exec(core)?.slice(1).map(BigInt);
  if (!numbers || numbers.some((number) => number > LARGEST)) return undefined;
  return { numbers, preRelease: parts };
}

function cut(text: string, separator: string): [before: string, after: string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function compare(a: Version, b: Version): -1 | 0 | 1 {
  for (const [index, number] of a.numbers.entries()) {
    const other = b.numbers[index]!;
    if (number !== other) return number > other ? 1 : -1;
  }
  const [left, right] = [a.preRelease, b.preRelease];
  if (left.length === 0 || right.length === 0) return sign(right.length - left.length);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareIdentifiers(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  return sign(left.length - right.length);
}

function compareIdentifiers(a: string, b: string): -1 | 0 | 1 {
  const [aIsNumber, bIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  if (a === b) return 0;
  // beyond int64, OPA's numbers all become the largest one
  if (aIsNumber) return sign(Number(clamp(BigInt(a)) - clamp(BigInt(b))));
  return a > b ? 1 : -1;
}

const clamp = (value: bigint) => (value > LARGEST ? LARGEST : value);
const sign = (difference: number) => Math.sign(difference) as -1 | 0 | 1;
