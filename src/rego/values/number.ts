import { compareDecimals, parseDecimal, type Decimal } from './decimal';

/**
 * A number of Rego. It is a JavaScript number exactly when OPA's text of it is `String(x)`, so that most are; any other
 * (`1.0`, `1e2`, 9007199254740993) is an `ExactNumber`, which keeps the text as OPA does.
 */
export type RegoNumber = number | ExactNumber;

/** A number whose text JavaScript would write in another way, or not hold. Make one with `numberOf`. */
export class ExactNumber {
  private parsed: Decimal | undefined;

  constructor(readonly text: string) {}

  get decimal(): Decimal {
    return (this.parsed ??= parseDecimal(this.text));
  }
}

/** The one representation of the number with this text, which must be a decimal number. */
export function numberOf(text: string): RegoNumber {
  const value = Number(text);
  return String(value) === text ? value : new ExactNumber(text);
}

export function isNumber(value: unknown): value is RegoNumber {
  return typeof value === 'number' || value instanceof ExactNumber;
}

/** The text as OPA prints it. */
export function numberText(value: RegoNumber): string {
  return typeof value === 'number' ? String(value) : value.text;
}

export function decimalOf(value: RegoNumber): Decimal {
  return typeof value === 'number' ? parseDecimal(String(value)) : value.decimal;
}

/** By exact value: 1, 1.0 and 1e0 are equal, 9007199254740993 and 9007199254740992 are not. */
export function compareNumbers(a: RegoNumber, b: RegoNumber): number {
  // two doubles with different shortest decimals compare as these do
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0;
  return compareDecimals(decimalOf(a), decimalOf(b));
}

/**
 * The key of a number in a Map: equal numbers have equal keys. The JavaScript number where one has exactly this value,
 * else a text that begins with U+0000, as no other primitive's key does.
 */
export function numberKey(value: RegoNumber): number | string {
  if (typeof value === 'number') return value === 0 ? 0 : value;
  const { negative, digits, exponent } = value.decimal;
  if (digits === '') return 0;
  const text = `${negative ? '-' : ''}${digits}e${exponent}`;
  const double = Number(text);
  if (Number.isFinite(double) && double !== 0 && compareDecimals(parseDecimal(String(double)), value.decimal) === 0) {
    return double;
  }
  return `\0n${text}`;
}

/** Far beyond what OPA admits (`EXPONENT_LIMIT`), so that no text of a few characters fills the memory. */
const MOST_ZEROS = 400_000;

/**
 * The value where it is an integer, however it is written (`2.0`, `1e21`): OPA's `NumberToInt`.
 *
 * @throws RangeError where its digits would be too many to write out
 */
export function toBigInt(value: RegoNumber): bigint | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  const { negative, digits, exponent } = decimalOf(value);
  if (digits === '') return 0n;
  if (exponent < 0) return undefined;
  if (exponent > MOST_ZEROS) throw new RangeError('number too big');
  const size = BigInt(digits) * 10n ** BigInt(exponent);
  return negative ? -size : size;
}

export function fromBigInt(value: bigint): RegoNumber {
  return value >= MIN_SAFE && value <= MAX_SAFE ? Number(value) : numberOf(value.toString());
}

const MIN_SAFE = BigInt(Number.MIN_SAFE_INTEGER);
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** OPA's `Number.Int()`: an integer of 64 bits, written with digits or with digits and `.000`; 1e2 is not one. */
export function toInt64(value: RegoNumber): bigint | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  const text = numberText(value);
  if (!/^-?\d+(?:\.0*)?$/.test(text)) return undefined;
  const integer = BigInt(text.replace(/\..*/, ''));
  return BigInt.asIntN(64, integer) === integer ? integer : undefined;
}

/** `toInt64` as a JavaScript number, for counts and positions: beyond 2^53 it is only near, and larger than any. */
export function toIndex(value: RegoNumber): number | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  const integer = toInt64(value);
  return integer === undefined ? undefined : Number(integer);
}

/** The nearest double. */
export function toDouble(value: RegoNumber): number {
  return typeof value === 'number' ? value : Number(value.text);
}

/** OPA refuses numbers whose binary exponent is beyond this (`ast.NumberMaxExponent` and its check of size). */
const EXPONENT_LIMIT = 1e5;

/** Whether OPA refuses a number with this text as too big (or too close to zero) when it reads JSON. */
export function isTooBig(text: string): boolean {
  if (!/[eE]/.test(text)) return false;
  const { digits, exponent } = parseDecimal(text);
  return digits !== '' && Math.abs((digits.length + exponent) * Math.log2(10)) > EXPONENT_LIMIT;
}
