import { BuiltinError, type Builtins } from './builtin';
import { stringAt } from './operands';
import { fromBigInt, numberOf } from '../values/number';

const STEPS = ['k', 'm', 'g', 't', 'p', 'e'] as const;
const power = (base: bigint, of: string) => base ** BigInt(STEPS.indexOf(of as (typeof STEPS)[number]) + 1);

/** Go's big.Float takes so many bits where nothing else is said. */
const FLOAT_BITS = 64;

export const unitBuiltins: Builtins = {
  'units.parse': (operands) => {
    const [amount, unit] = splitUnit(stringAt(operands, 0).replaceAll('"', ''));
    const product = multiply(parseDecimal(amount), unitFactor(unit));
    return numberOf(toDecimalText(product, 10));
  },
  'units.parse_bytes': (operands) => {
    const [amount, unit] = splitUnit(stringAt(operands, 0).toLowerCase().replaceAll('"', ''));
    const factor = { above: byteFactor(unit), below: 1n };
    const product = roundToBits(multiply(roundToBits(parseDecimal(amount)), factor));
    return fromBigInt(product.above / product.below);
  },
};

interface Fraction {
  above: bigint;
  below: bigint;
}

/** In `units.parse`, case tells only `m` (a thousandth) from `M` (a million). */
function unitFactor(unit: string): Fraction {
  if (unit === '') return { above: 1n, below: 1n };
  // OPA takes the double nearest to 0.001 for its exact value, and so do we
  if (unit === 'm') return { above: BigInt(0.001 * 2 ** 60), below: 2n ** 60n };
  const match = /^([kmgtpe])(i?)$/.exec(unit.toLowerCase());
  if (!match) throw new BuiltinError(`units.parse: unit ${unit} not recognized`);
  return { above: power(match[2] ? 1024n : 1000n, match[1]!), below: 1n };
}

function byteFactor(unit: string): bigint {
  if (unit === '') return 1n;
  const match = /^([kmgtpe])(i?)b?$/.exec(unit);
  if (!match) throw new BuiltinError(`units.parse_bytes: byte unit ${unit} not recognized`);
  return power(match[2] ? 1024n : 1000n, match[1]!);
}

/** The number ends at the first character that neither it nor an exponent may hold. */
function splitUnit(text: string): [amount: string, unit: string] {
  if (text.includes(' ')) throw new BuiltinError('spaces not allowed in resource strings');
  const amount = /^(?:[0-9.+-]|e[+-]?(?=[0-9+-])|e[+-])*/i.exec(text)![0];
  if (amount === '') throw new BuiltinError('no amount provided');
  if (/e[+-]?\d{7}/i.test(amount)) throw new BuiltinError('exponent too large');
  return [amount, text.slice(amount.length)];
}

function parseDecimal(text: string): Fraction {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text);
  const [, sign, whole = '', fraction = '', exponentText = '0'] = match ?? [];
  if (!match || whole + fraction === '') throw new BuiltinError('could not parse amount to a number');
  const exponent = BigInt(exponentText) - BigInt(fraction.length);
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  return exponent >= 0n ? { above: digits * 10n ** exponent, below: 1n } : { above: digits, below: 10n ** -exponent };
}

function multiply(a: Fraction, b: Fraction): Fraction {
  return { above: a.above * b.above, below: a.below * b.below };
}

/** The nearest number with a mantissa of 64 bits, ties to even. */
function roundToBits({ above, below }: Fraction): Fraction {
  const size = above < 0n ? -above : above;
  if (size === 0n) return { above: 0n, below: 1n };
  // a shift that leaves 64 or 65 bits, then one more where there is a bit too many
  let shift = FLOAT_BITS - (size.toString(2).length - below.toString(2).length);
  const shifted = (by: number) =>
    by >= 0 ? { top: size << BigInt(by), bottom: below } : { top: size, bottom: below << BigInt(-by) };
  let { top, bottom } = shifted(shift);
  if ((top / bottom).toString(2).length > FLOAT_BITS) ({ top, bottom } = shifted(--shift));
  let mantissa = top / bottom;
  const twice = 2n * (top % bottom);
  if (twice > bottom || (twice === bottom && mantissa % 2n === 1n)) mantissa++;
  if (above < 0n) mantissa = -mantissa;
  return shift >= 0
    ? { above: mantissa, below: 1n << BigInt(shift) }
    : { above: mantissa << BigInt(-shift), below: 1n };
}

/** A whole number as it is, any other with `places` decimals, halves away from zero. */
function toDecimalText({ above, below }: Fraction, places: number): string {
  if (above % below === 0n) return (above / below).toString();
  const scaled = (above < 0n ? -above : above) * 10n ** BigInt(places);
  const rounded = (scaled + below / 2n) / below;
  const digits = rounded.toString().padStart(places + 1, '0');
  return `${above < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
