/**
 * Go's `strconv.FormatFloat(value, format, precision, 64)` for finite values. JavaScript's toFixed and toExponential
 * round ties up; Go rounds the exact binary value half to even, which shows in `%.0f` of 2.5.
 *
 * @param precision digits after the point (e, f) or significant digits (g); undefined is as few as tell the value apart
 */
export function formatFloat(value: number, format: 'e' | 'f' | 'g', precision?: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  switch (format) {
    case 'e':
      return sign + exponential(decimal(size, precision === undefined ? undefined : precision + 1));
    case 'f':
      return sign + (precision === undefined ? plain(decimal(size)) : fixed(size, precision));
    case 'g': {
      const wanted = precision === 0 ? 1 : precision;
      const parts = decimal(size, wanted);
      const digits = wanted === undefined ? parts.digits : parts.digits.replace(/(?<=.)0+$/, '');
      // a short number switches to an exponent at 21 digits when printed in full, else at the precision asked for
      let limit = wanted ?? 6;
      if (limit > digits.length && digits.length >= parts.exponent + 1) limit = digits.length;
      if (wanted === undefined) limit = 6;
      const trimmed = { digits, exponent: parts.exponent };
      return sign + (parts.exponent < -4 || parts.exponent >= limit ? exponential(trimmed) : plain(trimmed));
    }
  }
}

interface Decimal {
  /** significant digits, without a point; never empty */
  digits: string;
  /** of the first digit */
  exponent: number;
}

function decimal(size: number, significant?: number): Decimal {
  if (size === 0) return { digits: '0'.repeat(significant ?? 1), exponent: 0 };
  const [mantissa, exponentText] = size.toExponential().split('e') as [string, string];
  const exponent = Number(exponentText);
  if (significant === undefined) return { digits: mantissa.replace('.', ''), exponent };
  const digits = scaled(size, significant - 1 - exponent).toString();
  if (digits.length > significant) return { digits: digits.slice(0, significant), exponent: exponent + 1 };
  // the shortest digits may round up to a power of ten that the value itself does not reach
  if (digits.length < significant)
    return { digits: scaled(size, significant - exponent).toString(), exponent: exponent - 1 };
  return { digits, exponent };
}

function exponential({ digits, exponent }: Decimal): string {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function plain({ digits, exponent }: Decimal): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits + '0'.repeat(exponent + 1 - digits.length);
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

function fixed(size: number, precision: number): string {
  const digits = scaled(size, precision)
    .toString()
    .padStart(precision + 1, '0');
  return precision === 0 ? digits : `${digits.slice(0, -precision)}.${digits.slice(-precision)}`;
}

const bits = new DataView(new ArrayBuffer(8));

/** `size * 10 ** power`, rounded half to even from the exact binary value. */
function scaled(size: number, power: number): bigint {
  bits.setFloat64(0, size);
  const word = bits.getBigUint64(0);
  const biased = Number(word >> 52n);
  const fraction = word & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  const exponent = (biased === 0 ? 1 : biased) - 1075;
  const numerator = mantissa * (exponent > 0 ? 2n ** BigInt(exponent) : 1n) * (power > 0 ? 10n ** BigInt(power) : 1n);
  const denominator = (exponent < 0 ? 2n ** BigInt(-exponent) : 1n) * (power < 0 ? 10n ** BigInt(-power) : 1n);
  const quotient = numerator / denominator;
  const twice = 2n * (numerator % denominator);
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}
