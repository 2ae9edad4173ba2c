import { splitNumber } from './decimal';
import { numberText, type RegoNumber } from './number';

/**
 * Go's `big.Float`, as OPA computes fractions with: `±mantissa × 2^exponent`, the mantissa of as many bits as the
 * precision, rounded half to even. Zero has the mantissa 0 and keeps its sign.
 */
export interface BigFloat {
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** What `big.Float` takes where nothing else is said. */
export const FLOAT_BITS = 64;

const zero = (negative: boolean): BigFloat => ({ negative, mantissa: 0n, exponent: 0 });

/** The length of a positive integer in bits, in linear time. */
export function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(parseInt(hex[0]!, 16)));
}

/**
 * Rounds to the precision, half to even.
 *
 * @param bits the precision; the mantissa of the answer has exactly that many, unless it is 0
 */
export function roundFloat(negative: boolean, mantissa: bigint, exponent: number, bits = FLOAT_BITS): BigFloat {
  if (mantissa === 0n) return zero(negative);
  const excess = bitLength(mantissa) - bits;
  if (excess <= 0) return { negative, mantissa: mantissa << BigInt(-excess), exponent: exponent + excess };
  const shift = BigInt(excess);
  const half = 1n << (shift - 1n);
  const low = mantissa & ((1n << shift) - 1n);
  let top = mantissa >> shift;
  if (low > half || (low === half && top & 1n)) top++;
  if (top === 1n << BigInt(bits)) return { negative, mantissa: top >> 1n, exponent: exponent + excess + 1 };
  return { negative, mantissa: top, exponent: exponent + excess };
}

/** Go's `SetInt` into a Float without a precision: it takes as many bits as the integer has, so nothing is lost. */
export function floatOfBigInt(value: bigint): BigFloat {
  const size = value < 0n ? -value : value;
  return roundFloat(value < 0n, size, 0, Math.max(FLOAT_BITS, bitLength(size)));
}

/** Go's `Parse` at 64 bits, faults included: powers of ten are taken through powers of five at 128 bits. */
export function toFloat(value: RegoNumber): BigFloat {
  const { negative, digits, exponent } = splitNumber(numberText(value))!;
  const mantissa = BigInt(digits);
  if (mantissa === 0n) return zero(negative);
  if (exponent === 0) return roundFloat(negative, mantissa, 0);
  const power = powerOfFive(Math.abs(exponent));
  if (exponent > 0) return roundFloat(negative, mantissa * power.mantissa, exponent + power.exponent);
  return quotient(negative, { negative, mantissa, exponent }, power, FLOAT_BITS);
}

/** 5^27 is the largest power of five in 64 bits, from which Go starts. */
const LARGEST_EXACT = 27;

/** Go's `Float.pow5`: by squaring, the factor with 64 bits more than the result's 128. */
function powerOfFive(power: number): BigFloat {
  if (power <= LARGEST_EXACT) return roundFloat(false, 5n ** BigInt(power), 0, 128);
  let result = roundFloat(false, 5n ** BigInt(LARGEST_EXACT), 0, 128);
  let factor = roundFloat(false, 5n, 0, 192);
  for (let rest = power - LARGEST_EXACT; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest & 1) result = multiplyFloats(result, factor, 128);
    factor = multiplyFloats(factor, factor, 192);
  }
  return result;
}

export function negateFloat(a: BigFloat): BigFloat {
  return { ...a, negative: !a.negative };
}

export function addFloats(a: BigFloat, b: BigFloat): BigFloat {
  if (a.mantissa === 0n && b.mantissa === 0n) return zero(a.negative && b.negative);
  if (a.mantissa === 0n) return b;
  if (b.mantissa === 0n) return a;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = signedAt(a, exponent) + signedAt(b, exponent);
  return sum === 0n ? zero(false) : roundFloat(sum < 0n, sum < 0n ? -sum : sum, exponent);
}

function signedAt({ negative, mantissa, exponent }: BigFloat, at: number): bigint {
  const aligned = mantissa << BigInt(exponent - at);
  return negative ? -aligned : aligned;
}

export function multiplyFloats(a: BigFloat, b: BigFloat, bits = FLOAT_BITS): BigFloat {
  return roundFloat(a.negative !== b.negative, a.mantissa * b.mantissa, a.exponent + b.exponent, bits);
}

/** `b` must not be zero. */
export function divideFloats(a: BigFloat, b: BigFloat): BigFloat {
  const negative = a.negative !== b.negative;
  return a.mantissa === 0n ? zero(negative) : quotient(negative, a, b, FLOAT_BITS);
}

function quotient(negative: boolean, a: BigFloat, b: BigFloat, bits: number): BigFloat {
  const shift = Math.max(0, bits + 2 + bitLength(b.mantissa) - bitLength(a.mantissa));
  const dividend = a.mantissa << BigInt(shift);
  // one bit more says whether anything is left below, so that a tie is told from what only looks like one
  const rest = dividend % b.mantissa === 0n ? 0n : 1n;
  return roundFloat(negative, ((dividend / b.mantissa) << 1n) | rest, a.exponent - b.exponent - shift - 1, bits);
}

export function isIntegral({ mantissa, exponent }: BigFloat): boolean {
  return mantissa === 0n || exponent >= 0 || (mantissa & ((1n << BigInt(-exponent)) - 1n)) === 0n;
}

/** Towards zero. */
export function truncateFloat({ negative, mantissa, exponent }: BigFloat): bigint {
  const size = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa >> BigInt(-exponent);
  return negative ? -size : size;
}
