import { type Builtin, type Builtins } from './builtin';
import { bigIntAt, OperandError } from './operands';
import { bitLength } from '../values/big-float';
import { fromBigInt } from '../values/number';

/** On integers of any length, in two's complement. */
export const bitBuiltins: Builtins = {
  'bits.or': onIntegers((a, b) => a | b),
  'bits.and': onIntegers((a, b) => a & b),
  'bits.xor': onIntegers((a, b) => a ^ b),
  'bits.negate': (operands) => fromBigInt(~bigIntAt(operands, 0)),
  'bits.lsh': (operands, { budget }) => {
    const [value, by] = [bigIntAt(operands, 0), shiftAt(operands)];
    if (value === 0n) return 0;
    // its decimal text has at most as many digits as it has bits
    budget.characters(by + BigInt(bitLength(value < 0n ? -value : value)));
    return fromBigInt(value << by);
  },
  'bits.rsh': (operands) => fromBigInt(bigIntAt(operands, 0) >> shiftAt(operands)),
};

function onIntegers(operation: (a: bigint, b: bigint) => bigint): Builtin {
  return (operands) => fromBigInt(operation(bigIntAt(operands, 0), bigIntAt(operands, 1)));
}

/** Go takes the lowest 64 bits of it. */
function shiftAt(operands: Parameters<Builtin>[0]): bigint {
  const by = bigIntAt(operands, 1);
  if (by < 0n) throw new OperandError(1, 'must be an unsigned integer number but got a negative integer');
  return BigInt.asUintN(64, by);
}
