import { BuiltinError, type Builtins } from './builtin';
import { bigIntAt, numberAt, OperandError, wrongType } from './operands';
import type { BuiltinBudget } from './plan-builtin';
import { toFloat, truncateFloat } from '../values/big-float';
import { fromBigInt, isNumber, isTooBig, numberOf, numberText } from '../values/number';
import type { RegoValue } from '../values/value';

export const numberBuiltins: Builtins = {
  'numbers.range': (operands, { budget }) => range(bigIntAt(operands, 0), bigIntAt(operands, 1), 1n, budget),
  'numbers.range_step': (operands, { budget }) => {
    const [from, to, step] = [bigIntAt(operands, 0), bigIntAt(operands, 1), bigIntAt(operands, 2)];
    if (step <= 0n) throw new BuiltinError('numbers.range_step: step must be a positive integer');
    return range(from, to, step, budget);
  },
  to_number: (operands) => {
    const [value] = operands;
    if (value === null || value === false) return 0;
    if (value === true) return 1;
    if (isNumber(value)) return value;
    if (typeof value === 'string') return parseNumber(value, operands);
    throw wrongType(operands, 0, 'null', 'boolean', 'number', 'string');
  },
  format_int: (operands) => {
    const [value, base] = [numberAt(operands, 0), numberText(numberAt(operands, 1))];
    if (!['2', '8', '10', '16'].includes(base)) throw new OperandError(1, 'must be one of {2, 8, 10, 16}');
    const text = numberText(value);
    const integer = /^-?\d+$/.test(text) ? BigInt(text) : truncateFloat(toFloat(value));
    return integer.toString(Number(base));
  },
};

/** Both ends included, downwards where `from` is the larger one. */
function range(from: bigint, to: bigint, step: bigint, budget: BuiltinBudget): RegoValue[] {
  const distance = from <= to ? to - from : from - to;
  const count = distance / step + 1n;
  budget.elements(count);
  const by = from <= to ? step : -step;
  return Array.from({ length: Number(count) }, (_, index) => fromBigInt(from + BigInt(index) * by));
}

/** What Go's `ParseFloat` takes in decimal. It also takes hexadecimal, which OPA then refuses, and `_` never. */
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function parseNumber(text: string, operands: readonly RegoValue[]): RegoValue {
  if (/^[+-]*(?:inf|infinity|nan)$/i.test(text)) throw wrongType(operands, 0, 'valid number string');
  if (!DECIMAL.test(text))
    throw new BuiltinError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (!Number.isFinite(Number(text)) || isTooBig(text)) {
    throw new BuiltinError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: value out of range`);
  }
  return numberOf(text);
}
