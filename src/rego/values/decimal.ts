/** A decimal exactly: `±digits × 10^exponent`, the digits without zeros at either end; zero has no digits. */
export interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const ZERO: Decimal = { negative: false, digits: '', exponent: 0 };

/** The parts of a number's text as they are written, or undefined where it is no decimal number. */
export function splitNumber(text: string): { negative: boolean; digits: string; exponent: number } | undefined {
  const match = NUMBER.exec(text);
  if (!match || (match[2] === '' && !match[3])) return undefined;
  const fraction = match[3] ?? '';
  return {
    negative: match[1] === '-',
    digits: match[2]! + fraction,
    exponent: Number(match[4] ?? 0) - fraction.length,
  };
}

/**
 * @param text a number as JSON or Rego writes it: `1`, `-0.5`, `.5`, `1e+21`
 * @throws SyntaxError for any other text
 */
export function parseDecimal(text: string): Decimal {
  const parts = splitNumber(text);
  if (!parts) throw new SyntaxError(`Expected a decimal number, got ${text}`);
  const { negative, exponent } = parts;
  const significant = parts.digits.replace(/^0+/, '');
  const digits = trimZeros(significant);
  if (digits === '') return ZERO;
  return { negative, digits, exponent: exponent + significant.length - digits.length };
}

/** Without the zeros at its end; a loop, since `/0+$/` is quadratic on long runs of zeros inside. */
function trimZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 48) end--;
  return digits.slice(0, end);
}

/** -1, 0 or 1, exactly. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const [signA, signB] = [signOf(a), signOf(b)];
  if (signA !== signB) return signA < signB ? -1 : 1;
  if (signA === 0) return 0;
  const [sizeA, sizeB] = [a.digits.length + a.exponent, b.digits.length + b.exponent];
  if (sizeA !== sizeB) return sizeA < sizeB ? -signA : signA;
  // with the points aligned and no zeros at the end, the order of the digits is the order of their texts
  if (a.digits === b.digits) return 0;
  return a.digits < b.digits ? -signA : signA;
}

const signOf = ({ negative, digits }: Decimal) => (digits === '' ? 0 : negative ? -1 : 1);
