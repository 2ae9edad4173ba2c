import { isIntegral, type BigFloat } from './big-float';
import { numberOf, type RegoNumber } from './number';

/** `0.digits × 10^point`, the digits without zeros at the end. */
interface Digits {
  readonly digits: string;
  readonly point: number;
}

/** OPA's `FloatToNumber`: an integer in full, any other as `%g`, with as few digits as tell it from its neighbours. */
export function fromFloat(value: BigFloat): RegoNumber {
  return numberOf(floatText(value));
}

export function floatText(value: BigFloat): string {
  const sign = value.negative ? '-' : '';
  if (value.mantissa === 0n) return `${sign}0`;
  const shortest = shortestDigits(value);
  const exponent = shortest.point - 1;
  if (isIntegral(value) || (exponent >= -4 && exponent < 6)) return sign + plainText(shortest);
  const fraction = shortest.digits.length > 1 ? `.${shortest.digits.slice(1)}` : '';
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `${sign}${shortest.digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${power}`;
}

function plainText({ digits, point }: Digits): string {
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  if (digits.length <= point) return digits.padEnd(point, '0');
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}

function exactDigits(mantissa: bigint, exponent: number): Digits {
  const isInteger = exponent >= 0;
  const text = (isInteger ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent)).toString();
  let end = text.length;
  while (end > 1 && text.charCodeAt(end - 1) === 48) end--;
  return { digits: text.slice(0, end), point: isInteger ? text.length : text.length + exponent };
}

/** Go's `roundShortest` (math/big/ftoa.go): the first digit at which rounding down or up stays between the neighbours. */
function shortestDigits({ mantissa, exponent }: BigFloat): Digits {
  const exact = exactDigits(mantissa, exponent);
  const lower = exactDigits((mantissa << 1n) - 1n, exponent - 1);
  const upper = exactDigits((mantissa << 1n) + 1n, exponent - 1);
  const inclusive = (mantissa & 1n) === 0n;
  for (let i = 0; i < exact.digits.length; i++) {
    const [digit, low, high] = [exact.digits[i]!, lower.digits[i] ?? '0', upper.digits[i] ?? '0'];
    const downIsClose = low !== digit || (inclusive && i + 1 === lower.digits.length);
    const upIsClose = digit !== high && (inclusive || Number(digit) + 1 < Number(high) || i + 1 < upper.digits.length);
    if (downIsClose && upIsClose) return roundDigits(exact, i + 1);
    if (downIsClose) return roundDown(exact, i + 1);
    if (upIsClose) return roundUp(exact, i + 1);
  }
  return exact;
}

function roundDigits(exact: Digits, count: number): Digits {
  const { digits } = exact;
  if (count >= digits.length) return exact;
  const next = digits[count]!;
  const isTie = next === '5' && count + 1 === digits.length;
  const up = isTie ? Number(digits[count - 1]) % 2 === 1 : next >= '5';
  return up ? roundUp(exact, count) : roundDown(exact, count);
}

function roundDown({ digits, point }: Digits, count: number): Digits {
  if (count >= digits.length) return { digits, point };
  return { digits: digits.slice(0, count).replace(/0+$/, ''), point };
}

function roundUp(exact: Digits, count: number): Digits {
  const { digits, point } = exact;
  if (count >= digits.length) return exact;
  let last = count - 1;
  while (last >= 0 && digits[last] === '9') last--;
  if (last < 0) return { digits: '1', point: point + 1 };
  return { digits: digits.slice(0, last) + String(Number(digits[last]) + 1), point };
}
